"""Loading: a URI, path or checkpoint and a model go in, the loaded model comes out.

May import: `_formats`, and what that may import. Needs torch, except for `_prefetch`.
"""
