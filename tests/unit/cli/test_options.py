"""Records of options become the options of a command."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from prunectl.cli import app, options
from prunectl.cli.options import OnMachine, Options, Selected, Variant, Where

Number = Annotated[int, typer.Option("--number", "-n", help="A number.")]


@dataclass(frozen=True, kw_only=True)
class Several(Options):
    number: Number
    names: Annotated[list[str] | None, typer.Option("--name")] = None


def called(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what the command was given."""
    given: dict[str, Any] = {}

    @options.options
    def command(several: Several, word: Annotated[str, typer.Argument()], flag: bool = False) -> None:
        """Do it."""
        given.update(several=several, word=word, flag=flag)

    cli = typer.Typer()
    cli.command()(command)
    return CliRunner().invoke(cli, list(arguments)).exit_code, given


def test_a_command_is_called_with_its_records() -> None:
    code, given = called("-n", "3", "--name", "a", "--name", "b", "x", "--flag")
    assert code == 0
    assert given == {"several": Several(number=3, names=["a", "b"]), "word": "x", "flag": True}


def test_a_default_is_a_default_and_a_field_without_one_is_required() -> None:
    assert called("-n", "3", "x")[1]["several"].names is None
    assert called("x")[0] == 2


def test_name_and_help_are_the_commands() -> None:
    @options.options
    def command(where: Where) -> None:
        """Do it."""

    assert (command.__name__, command.__doc__) == ("command", "Do it.")
    assert list(inspect.signature(command).parameters) == ["store", "data"]


def test_no_command_repeats_an_option() -> None:
    for record in (Where, Variant, Selected, OnMachine):
        names = [parameter.name for parameter in options._parameters(record)]
        assert len(names) == len(set(names))


def test_every_option_of_every_command_has_help() -> None:
    """Every command and option is documented."""
    import typer.main

    def commands(command: Any, path: str) -> list[tuple[str, Any]]:
        inner = getattr(command, "commands", {})
        return [(path, command)] if not inner else [
            found for name, each in inner.items() for found in commands(each, f"{path} {name}")
        ]  # fmt: skip

    found = commands(typer.main.get_command(app.app), "prunectl")
    assert len(found) == 29
    for path, command in found:
        assert command.help and command.help[0].isupper() and command.help.rstrip().endswith("."), path
        for parameter in command.params:
            text = parameter.help
            assert text, f"{path} {parameter.name}"
            assert text[0].isupper() or text.startswith("criteria"), f"{path} {parameter.name}: {text}"


@pytest.mark.parametrize("only", [None, ["criterion=random", "sparsity=0"]])
def test_selected_opens_the_study_that_the_options_choose(only: list[str] | None, session: Any) -> None:
    selected = Selected(only=only, set_=["train.epochs=2"], store=session.store.root)
    opened = selected.open(session.path)
    assert opened.study.train.epochs == 2
    assert len(opened.plan.trials) == (3 if only else 4)


def test_the_machine_of_the_options() -> None:
    machine = OnMachine(jobs=2, threads=3, device="cpu", executor='{ name = "local" }').machine()
    assert (machine.jobs, machine.threads, machine.device) == (2, 3, "cpu")
    assert machine.executor == '{ name = "local" }'


def test_a_variant_does_not_select() -> None:
    assert not hasattr(Variant(), "only")
    assert Where(store="x").store == "x"
