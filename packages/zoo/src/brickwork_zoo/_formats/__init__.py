"""Reading: the path of a file or folder goes in, a checkpoint comes out.

One module for each file format; `_file_kind` tells them apart. May import: `_fetch`, and what
that may import. Only the modules that make tensors import torch.
"""
