"""Helpers that tests of several packages share.

| module | contents |
|---|---|
| `repository` | the repository's root, its distributions, the imports of a source file |
| `python` | fresh interpreters |
| `compat` | code in a fresh interpreter after `brickwork.compat` |
| `processes` | programs in several processes of one process group |
| `http_server` | a web server on loopback, with the faults that a test asks for |
| `sharding` | device meshes and the full values of sharded tensors |
| `tensors` | comparison of modules and state dicts |
| `waiting` | waiting for a condition |

Import from the modules, as in ``from tests.support.python import run_python``. Only
`process_server`, `sharding` and `tensors` import torch.
"""
