"""How fast the node is, each figure beside the one it is held against, measured in the same run.

A benchmark is a module of this folder with `measure() -> list[Bar]`; its docstring heads its page. With
`BRAKE = Brake(...)` it names the function whose slowing it must notice, which `--self-check` tries.
"""
