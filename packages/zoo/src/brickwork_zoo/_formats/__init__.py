"""The file formats of checkpoints, each in a module of its own; ``_layout`` says which is which."""
