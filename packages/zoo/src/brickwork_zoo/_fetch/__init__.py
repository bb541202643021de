"""Fetching: a URI goes in, the path of a verified file comes out.

May import: `_find`, and what that may import. Works without torch.
"""
