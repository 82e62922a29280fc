"""The Vega bundle that a page carries: Vega, Vega-Lite and Vega-Embed in one script, as vl-convert ships them."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from prunectl.base.keys import digest


def bundle() -> str:
    """The script, wrapped so that its names stay its own; it leaves `vegaEmbed` on the window.

    Putting it together takes more than a second, so it is kept in the user's cache, under its version and digest.
    """
    import vl_convert

    name = f"vega-{version('vl-convert-python')}"
    for kept in _cache().glob(f"{name}-*.js"):
        script = _read(kept)
        if script is not None and kept.name == _named(name, script):
            return script
    script = _safe("(function(){" + vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;") + "\n})();")
    _keep(_cache() / _named(name, script), script)
    return script


def _named(name: str, script: str) -> str:
    return f"{name}-{digest(script)[:32]}.js"


def _read(place: Path) -> str | None:
    try:
        return place.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _safe(script: str) -> str:
    """No text in the script can end the element that it stands in."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r\n", "\n")


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("prunectl")


def _keep(place: Path, script: str) -> None:
    """Write it aside and rename; a cache that cannot be written is done without."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(script.encode())
        Path(file.name).replace(place)
