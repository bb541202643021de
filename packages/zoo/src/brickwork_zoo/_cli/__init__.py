"""The command line: words go in, an exit code and printed lines come out.

May import: everything else in the zoo. Works without torch, except for ``convert``.
"""
