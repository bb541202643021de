"""Reading pickles as data: bytes go in, plain objects come out.

No name in a pickle is imported and none of its code runs: names on the allow-list become data,
all others opaque objects. Imports nothing of the zoo but its errors; works without torch.
"""
