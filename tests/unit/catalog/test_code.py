"""The digest of a third party's code: what is part of it, and what is not."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.catalog.code import code_of
from prunectl.catalog.entry import CODE
from prunectl.catalog.lookup import entry_type, names
from prunectl.catalog.tables import CATALOGS
from prunectl.pruning.criteria.magnitude import Magnitude

MINE = """\
from prunectl.catalog.criterion import Criterion

class Mine(Criterion):
    name, summary, paper = "mine", "the size", "nobody"

    def score(self, subject):
        return {name: w.detach().abs() for name, w in subject.weights.items()}
"""
Code = Callable[..., str]


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    """The digest of `Mine` of a module, in a process that has just begun: of these files, in a folder of this name."""

    def digest(files: dict[str, str | bytes], module: str = "net", folder: str = "site", kind: str = "Mine") -> str:
        site = tmp_path / folder
        for name, text in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return str(code_of(loaded(site, module, kind)))

    before = set(sys.modules)

    def loaded(site: Path, module: str, kind: str) -> Any:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("net", "base", "shared", "helper", "first"):
                del sys.modules[name]
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(site)
            patch.setattr(sys, "dont_write_bytecode", True)
            invalidate_caches()
            return getattr(import_module(module), kind)

    yield digest
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("net", "base", "shared", "helper", "first"):
            del sys.modules[name]


def test_ours_have_none() -> None:
    assert all(code_of(entry_type(catalog, name)) is None for catalog in CATALOGS for name in CATALOGS[catalog].entries)
    assert CODE not in Magnitude().preimage()


def test_an_edit_changes_it_and_the_same_text_elsewhere_does_not(code: Code) -> None:
    first = code({"net.py": MINE})
    assert len(first) == 64
    assert code({"net.py": MINE}, folder="elsewhere") == first
    assert code({"net.py": MINE.replace("w.detach", "-w.detach")}) != first


def test_line_ends_and_compiled_files_do_not_matter(code: Code) -> None:
    first = code({"net/__init__.py": "", "net/mine.py": MINE}, "net.mine")
    noise = {"net/__pycache__/mine.cpython-311.pyc": b"\x00", "net/notes.txt": "x", "net/.hidden/x.py": "y"}
    assert code(noise, "net.mine") == first
    for end in ("\r\n", "\r"):
        assert code({"net/mine.py": MINE.replace("\n", end).encode()}, "net.mine") == first


@pytest.mark.parametrize("other", ["net/__init__.py", "net/helper.py", "net/deep/inner.py"])
def test_every_module_of_the_package_is_part_of_it(code: Code, other: str) -> None:
    files = {"net/__init__.py": "", "net/helper.py": "", "net/deep/inner.py": "", "net/mine.py": MINE}
    first = code(files, "net.mine")
    assert code({other: "sign = -1\n"}, "net.mine") != first
    assert code({other: ""}, "net.mine") == first


def test_a_new_module_of_the_package_and_one_that_is_renamed_are_part_of_it(code: Code) -> None:
    first = code({"net/__init__.py": "", "net/mine.py": MINE, "net/a.py": "x = 1\n"}, "net.mine", "first")
    second = code({"net/__init__.py": "", "net/mine.py": MINE, "net/b.py": "x = 1\n"}, "net.mine", "second")
    third = code({"net/__init__.py": "", "net/mine.py": MINE}, "net.mine", "third")
    assert len({first, second, third}) == 3


def test_a_folder_that_is_a_link_is_part_of_it_and_a_loop_ends(code: Code, tmp_path: Path) -> None:
    (tmp_path / "site" / "net").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "site" / "net" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "site" / "net" / "loop").symlink_to(tmp_path / "site" / "net")
    first = code({"net/__init__.py": "", "net/mine.py": MINE}, "net.mine")
    (tmp_path / "elsewhere" / "helper.py").write_text("sign = -1\n")
    assert code({}, "net.mine") != first


def test_a_module_of_its_own_depends_on_no_file_next_to_it(code: Code) -> None:
    first = code({"net.py": MINE})
    assert code({"other.py": "x = 1\n"}) == first


@pytest.mark.parametrize(
    ("imports", "file"),
    [
        ("from helper import f", "helper.py"),
        ("import helper.inner as h", "helper/inner.py"),
        ("def later():\n    import helper", "helper.py"),
        ("import first", "helper.py"),
    ],
)
def test_what_a_module_outside_of_any_package_imports_from_its_folder_is_part_of_it(
    code: Code, imports: str, file: str
) -> None:
    """A helper next to it, a package next to it, inside a function, and through another module."""
    package = {"helper/__init__.py": ""} if "/" in file else {}
    site = {"net.py": f"{imports}\n{MINE}", "first.py": "import helper\n", file: "f = 1\n", **package}
    before = code(site)
    assert code({**site, file: "f = 2\n"}) != before
    assert code({**site, "stranger.py": "f = 2\n", file: "f = 1\n"}) == before


def test_where_everybody_installs_a_module_stands_alone(code: Code) -> None:
    files = {"net.py": "import helper\n" + MINE, "helper.py": "f = 1\n"}
    before = code(files, folder="site-packages")
    assert code({**files, "helper.py": "f = 2\n"}, folder="site-packages") == before


def test_a_folder_without_init_is_a_package_all_the_same(code: Code) -> None:
    first = code({"net/inner/mine.py": MINE, "net/helper.py": ""}, "net.inner.mine")
    assert code({"net/helper.py": "sign = -1\n"}, "net.inner.mine") != first


def test_strangers_in_a_namespace_package_are_not_part_of_it(code: Code) -> None:
    first = code({"net/regular/__init__.py": "", "net/regular/mine.py": MINE}, "net.regular.mine")
    assert code({"net/stranger/__init__.py": "x = 1\n"}, "net.regular.mine") == first


def test_a_base_class_of_another_third_party_is_part_of_it(code: Code) -> None:
    derived = 'from base.mine import Mine as Base\n\nclass Mine(Base):\n    name = "derived"\n'
    files = {"base/__init__.py": "", "base/mine.py": MINE, "base/helper.py": "", "net.py": derived}
    first = code(files)
    assert code({"base/mine.py": MINE + "\n"}) != first
    assert code({"base/mine.py": MINE, "base/helper.py": "x = 1\n"}) != first
    assert code({"base/helper.py": ""}) == first


def test_two_classes_of_one_file_differ(code: Code) -> None:
    files = {"net.py": MINE + "\n\nclass Other(Mine):\n    pass\n"}
    assert code(files) != code(files, kind="Other")


def test_it_is_in_the_key_of_an_entry_inside_an_entry() -> None:
    from unit.catalog.plugins import Blur, Inner, Outer

    preimage = Outer().preimage()
    assert preimage[CODE] == code_of(Outer)
    assert preimage["blur"][CODE] == code_of(Blur)
    assert preimage["inner"][CODE] == code_of(Inner)
    assert len({code_of(Outer), code_of(Blur), code_of(Inner)}) == 3


def test_a_class_in_a_zip_archive_has_the_source_of_its_package_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = []
    for number, helper in enumerate(["", "sign = -1\n", ""]):
        archive = tmp_path / f"plug{number}.zip"
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("net/__init__.py", "")
            members.writestr("net/mine.py", MINE)
            members.writestr("net/helper.py", helper)
            members.writestr("stranger.py", f"x = {number}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(archive)
            digests.append(code_of(import_module("net.mine").Mine))
        for name in ("net", "net.mine"):
            del sys.modules[name]
    assert digests[0] == digests[2] != digests[1]


def test_a_class_without_a_file_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interactive session: nothing would show that the class was defined again."""
    module = ModuleType("session")
    monkeypatch.setitem(sys.modules, "session", module)
    exec(MINE, module.__dict__)
    with pytest.raises(PrunectlError) as caught:
        module.__dict__["Mine"]().preimage()
    assert caught.value.message == "the source of the module session cannot be read: it has no file"
    assert "put the class into a file of an installed package" in (caught.value.hint or "")


def test_a_class_whose_file_is_gone_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("gone")
    module.__file__ = str(tmp_path / "gone.py")
    monkeypatch.setitem(sys.modules, "gone", module)
    exec(MINE, module.__dict__)
    with pytest.raises(PrunectlError, match=r"gone cannot be read: .*No such file"):
        code_of(module.__dict__["Mine"])


def test_nothing_third_party_is_installed_where_tests_run() -> None:
    assert names("criteria") == list(CATALOGS["criteria"].entries)
