"""How steps are done: a module named after each kind, with `perform(step, inputs, out, context)`, and what they share.

Also here, because they need the same: the checks before the first step (`preflight`), and `prunectl export` (`export`).
"""
