"""Saving: a model or checkpoint goes in, a file written atomically comes out.

May import: `_load`, and what that may import. Needs torch.
"""
