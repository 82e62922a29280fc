"""The store: artefacts by key, each complete or absent. It never reads a study."""
