"""Reading pickles as data: bytes go in, plain objects come out.

No name in a pickle is imported and none of its code runs: objects of names on the allow-list
become plain data, all others opaque objects. Imports nothing of the zoo except its errors; works
without torch.
"""
