"""Finding: a URI goes in, a `Resource` comes out.

A resource says which URLs may have the file and what is known of it. Nothing here makes a
request. May import: `errors`, `_settings`.
"""
