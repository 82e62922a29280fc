"""How each kind of step is done: one module per kind, each `perform(step, inputs, out, context)`."""
