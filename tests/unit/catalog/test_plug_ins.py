"""What installed packages register, however malformed the file of one of them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugged import Install
from prunectl.base.errors import PrunectlError
from prunectl.catalog.plug_ins import raised_in_plug_in, refuse_unreadable, registrations

POINTS = """\
# a comment
[console_scripts]
net = net:main

[prunectl.criteria]
mine = net:Mine
  spaced  =  net.inner:Spaced [gpu]
; another
"""


def test_each_line_of_our_groups_is_read_with_its_file_and_line(installed: Install) -> None:
    file = installed(POINTS)
    read = [(line.catalog, line.name, line.place, line.package, line.where) for line in registrations()]
    assert read == [
        ("criteria", "mine", "net:Mine", "net", f"{file}:6"),
        ("criteria", "spaced", "net.inner:Spaced", "net", f"{file}:7"),
    ]
    refuse_unreadable()


def test_a_malformed_line_costs_only_itself(installed: Install) -> None:
    file = installed("[prunectl.criteria]\nno equals sign\nmine = net:Mine\nodd = a b = c\n[broken\n")
    installed("[prunectl.scopes]\nx = other:X\n", package="other")
    places = {line.name: line.place for line in registrations()}
    assert places == {"no equals sign": "", "mine": "net:Mine", "odd": "a b = c", "[broken": "", "x": "other:X"}
    with pytest.raises(PrunectlError) as caught:
        refuse_unreadable()
    assert caught.value.message == f"the package net has a malformed entry point, 'no equals sign' ({file}:2)"
    assert caught.value.hint == "torch cannot be imported while it is installed: fix or uninstall it"


def test_a_package_that_is_on_the_path_twice_is_the_first(
    installed: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("[prunectl.criteria]\nmine = net:Mine\n")
    nearer = tmp_path / "nearer" / "Net-2.0.dist-info"
    nearer.mkdir(parents=True)
    (nearer / "entry_points.txt").write_text("[prunectl.criteria]\nmine = net:Newer\n")
    (nearer / "METADATA").write_text("Metadata-Version: 2.1\nName: Net\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(nearer.parent)
    registrations.cache_clear()
    assert [line.place for line in registrations()] == ["net:Newer"]


def test_a_package_without_metadata_is_called_by_its_folder(installed: Install, tmp_path: Path) -> None:
    file = installed("[prunectl.criteria]\nmine = net:Mine\n")
    (file.parent / "METADATA").unlink()
    assert [line.package for line in registrations()] == ["net"]


def test_a_file_that_is_not_text_costs_only_itself(installed: Install) -> None:
    installed("[prunectl.criteria]\nmine = net:Mine\n")
    installed("", package="other").write_bytes(b"[prunectl.criteria]\n\xff = a:B\n")
    assert [line.name for line in registrations()] == ["mine"]


def test_an_exception_out_of_a_registered_package_is_not_ours(installed: Install) -> None:
    module = "def work():\n    return 1 // 0\n"
    installed("[prunectl.criteria]\nmine = net:Mine\n", {"net.py": module, "stranger.py": module})
    import net  # type: ignore[import-not-found]
    import stranger  # type: ignore[import-not-found]

    for work, expected in ((net.work, True), (stranger.work, False), (lambda: 1 // 0, False)):
        with pytest.raises(ZeroDivisionError) as caught:
            work()
        assert raised_in_plug_in(caught.value) is expected
