"""Loading: a URI, path or checkpoint goes in, a model with its values comes out.

May import: `_formats`, and what that may import. Needs torch, except for `_prefetch`.
"""
