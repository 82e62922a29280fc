"""What of a study was asked for on the command line: a profile, overrides, some of the trials."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from prunectl.base.keys import canonical, digest

LONGEST_NAME = 80
"""Characters of a file's or folder's name that show the selection."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._=,-]+")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The options `--profile`, `--set` and `--only`. False if none is given: the study as it is written."""

    profile: str | None = None
    overrides: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.options())

    def options(self) -> list[str]:
        """The words of a command line that ask for the same."""
        profile = [] if self.profile is None else ["--profile", self.profile]
        sets = [word for override in self.overrides for word in ("--set", override)]
        return [*profile, *sets, *(word for selector in self.only for word in ("--only", selector))]

    @property
    def text(self) -> str:
        """The options as they are typed in a shell; empty for the whole study."""
        return shlex.join(self.options())

    def named(self, name: str, *, by_profile: bool = False) -> str:
        """A name for files and folders of a study: NAME, NAME@PROFILE, NAME+OVERRIDE+SELECTOR.

        `by_profile`: the profile gives the study this name, which shows the profile; `@PROFILE` is left out.

        Different selections have different names (no key of a study is also a field of a selector). What is long or
        has unusual characters is shortened and gets a digest.
        """
        profile = None if by_profile else self.profile
        parts = [*([] if profile is None else [profile]), *self.overrides, *self.only]
        if not parts:
            return name
        safe = [_UNSAFE.sub("-", part).strip("-.") for part in parts]
        plain = "+".join(safe)
        sign = "+" if profile is None else "@"
        if safe == parts and len(plain) <= LONGEST_NAME:
            return f"{name}{sign}{plain}"
        exact = digest(canonical([self.profile, self.overrides, self.only]))
        return f"{name}{sign}{plain[:LONGEST_NAME]}-{exact[:8]}"


WHOLE = Selection()
"""The whole study, as it is written."""
