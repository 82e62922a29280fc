"""`prunectl schema`: how a study file is written, for editors."""

from __future__ import annotations

from prunectl.cli.console import answer_json


def schema() -> None:
    """Print the JSON Schema of study files, for editors."""
    from prunectl.study.jsonschema import json_schema

    answer_json(json_schema())
