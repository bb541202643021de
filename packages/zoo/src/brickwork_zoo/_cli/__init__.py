"""The command line: arguments go in, an exit code and printed lines come out.

May import: all other parts of the zoo. Works without torch, except for ``convert``.
"""
