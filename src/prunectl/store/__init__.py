"""The store: artefacts by key, complete or absent. It never sees a study's name."""
