"""The Vega bundle that a page carries: Vega, Vega-Lite and Vega-Embed in one script, as vl-convert ships them."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from pathlib import Path

from prunectl.base.keys import digest
from prunectl.store.atomic import make_directory, sweep_drafts, write_whole


def bundle() -> str:
    """The script, wrapped in a function so that only `vegaEmbed` becomes a property of the window.

    Building it takes more than a second, so it is kept in the user's cache, under its version and digest.
    """
    import vl_convert

    name = f"vega-{version('vl-convert-python')}"
    for file in _cache().glob(f"{name}-*.js"):
        cached = _read(file)
        if cached is not None and file.name == _file_name(name, cached):
            return cached
    script = _safe("(function(){" + vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;") + "\n})();")
    _keep(_cache() / _file_name(name, script), script)
    return script


def _file_name(name: str, script: str) -> str:
    return f"{name}-{digest(script)[:32]}.js"


def _read(file: Path) -> str | None:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _safe(script: str) -> str:
    """The script without any text that would end the script element."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r\n", "\n")


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("prunectl")


def _keep(file: Path, script: str) -> None:
    """Write the cache. If that fails, there is no cache."""
    with contextlib.suppress(OSError):
        make_directory(file.parent)
        sweep_drafts(file.parent, file.name)
        write_whole(file, script.encode())
