"""What the commands do, as functions with typed results: for programs, for notebooks, and for `cli/`.

`session` opens a study; `run`, `plan`, `check`, `results`, `compare`, `export`, `report`, `follow`, `cache`, `carry`,
`listing`, `doctor` and `new` are what can be done then. Nothing here prints, and nothing imports torch or polars
before it needs them.
"""
