"""A user's settings: where artefacts and data are, and where steps run. None of them changes a key.

They are in `config.toml` of the user's configuration directory, or in the file that PRUNECTL_CONFIG names. What a
command line or the environment gives comes first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prunectl.study.settings import Settings

ENVIRONMENT = "PRUNECTL_CONFIG"
FILE = "config.toml"


def settings_file() -> Path:
    """Where a user's settings are; the file need not exist."""
    import platformdirs

    named_file = os.environ.get(ENVIRONMENT)
    return Path(named_file) if named_file else Path(platformdirs.user_config_dir("prunectl")) / FILE


def settings() -> Settings:
    """A user's settings; without a file, none.

    Raises StudyError with every problem, each with its line and column.
    """
    from prunectl.study.settings import Settings, read

    file = settings_file()
    return read(file) if file.exists() or ENVIRONMENT in os.environ else Settings()
