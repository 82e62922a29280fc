"""`prunectl schema`: how a study file is written, for editors, and how a report in JSON, for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from prunectl.cli.console import answer_json

Report = Annotated[bool, typer.Option("--report", help="That of `prunectl report --format json`.")]


def schema(report: Report = False) -> None:
    """Print the JSON Schema of study files, for editors."""
    if report:
        from prunectl.results.document_schema import schema as of_reports

        answer_json(of_reports())
        return
    from prunectl.study.jsonschema import json_schema

    answer_json(json_schema())
