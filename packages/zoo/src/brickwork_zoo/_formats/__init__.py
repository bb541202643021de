"""The file formats of checkpoints, each in a module of its own; ``_kind`` says which is which."""
