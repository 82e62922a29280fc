"""How `--help` looks: whole first sentences, options and commands in groups, examples at the end.

Plain text without boxes, which every terminal, pipe and screen reader shows, and which needs no import of rich.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import typer.core

from prunectl.cli.examples import EXAMPLES

ARGUMENTS, OPTIONS, COMMANDS = "Arguments", "Options", "Commands"
PART, PLACES, RUNNING, OUTPUT = "Which part of a study", "Where things are", "How steps are run", "What is printed"
"""Groups of options, in the order in which they are shown; those of one command come before them, `--help` last."""
DO, SEE, PREPARE, KEEP = "Run a study", "See results", "Prepare and look up", "Keep artefacts"
"""Groups of commands."""
GROUPS = (ARGUMENTS, OPTIONS, PART, PLACES, RUNNING, OUTPUT)


class Command(typer.core.TyperCommand):
    """A command with its options in groups and its examples."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole."""
        return first_sentence(self.help or "")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as every manual writes them: those that must be given stand bare."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments, then the options in groups."""
        write_groups(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples."""
        write_examples(ctx.command_path, formatter)


class Group(typer.core.TyperGroup):
    """Commands in groups."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole."""
        return first_sentence(self.help or "")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands, which are what is looked for, then the options."""
        self.format_commands(ctx, formatter)
        write_groups(self.get_params(ctx), ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section for each group of commands."""
        groups: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None) or COMMANDS
            groups.setdefault(panel, []).append((name.ljust(width), command.get_short_help_str()))
        for panel, rows in groups.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples."""
        write_examples(ctx.command_path, formatter)


def first_sentence(text: str) -> str:
    """The first sentence of a text, without its stop."""
    return re.split(r"\.\s", " ".join(text.split()) + " ", maxsplit=1)[0]


def write_groups(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """A section for each group of arguments and options."""
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
    for parameter in parameters:
        if (record := parameter.get_help_record(ctx)) is None:
            continue
        usual = ARGUMENTS if parameter.param_type_name == "argument" else OPTIONS
        groups.setdefault(getattr(parameter, "rich_help_panel", None) or usual, []).append(record)
    for name, rows in groups.items():
        if rows:
            with formatter.section(name):
                formatter.write_dl(rows)


def write_examples(path: str, formatter: Any) -> None:
    """The examples of a command, each in a line that can be copied."""
    if lines := EXAMPLES.get(path.partition(" ")[2]):
        with formatter.section("Examples"):
            for line in lines:
                formatter.write(f"{'':>{formatter.current_indent}}prunectl {line}\n")
