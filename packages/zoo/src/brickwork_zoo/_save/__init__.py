"""Saving: a model or checkpoint goes in, a file comes out, whole or not at all.

May import: `_load`, and what that may import. Needs torch.
"""
