"""Saving: a model or checkpoint goes in, a complete file comes out.

May import: `_load`, and what that may import. Needs torch.
"""
