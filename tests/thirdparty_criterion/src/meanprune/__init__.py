"""An example of a criterion in a package of its own."""
