"""Where a store is: a directory, or a URL. What a worker on any machine opens the same store by."""

from __future__ import annotations

import re
from pathlib import Path

from prunectl.base.errors import StoreError
from prunectl.store.local import LocalStore

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATH_OF_URL = re.compile(r"(s3|gs|az|file):/(?!/)")


def store_at(address: Path | str) -> LocalStore:
    """The store at a directory or a URL, which is not opened yet. Raises StoreError for a URL that is none."""
    if isinstance(address, str) and _URL.match(address):
        from prunectl.store.remote import RemoteStore

        return RemoteStore.at(address)
    if _PATH_OF_URL.match(str(address)):
        raise StoreError(f"{address} looks like a URL with one slash", hint="write it with two, as text: s3://BUCKET")
    return LocalStore(Path(address))
