"""Objects by name in a bucket: the few requests that a remote store makes, and what their errors mean for a user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prunectl.base.errors import StoreError
from prunectl.base.text import and_list, did_you_mean

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "az", "file")
"""What a URL of a store may begin with."""
RETRIES = 8
"""How often a request that the network lost is repeated: for about 25 seconds."""
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

_CHUNK = 1 << 20
_AGAIN = "finished steps are kept; check the network, then run the same command again"
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and for another server AWS_ENDPOINT_URL",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_FILES = {
    "s3": "; files in ~/.aws are not read",
    "gs": " to a file of a service account, or run `gcloud auth application-default login`",
    "az": "; the login of `az` is not read",
}
"""Which files may hold credentials, to follow the variables."""
METADATA = ("http://169.254.", "http://[fd00:ec2::", "http://metadata.google.internal")
"""How the addresses begin at which a machine in a cloud is given credentials: asked last, if there are no others."""


class Objects:
    """The objects below a URL. Every error of the network or of the server is a StoreError."""

    def __init__(self, url: str, bucket: ObjectStore) -> None:
        self.url = url
        self._bucket = bucket

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name."""
        import obstore

        with contextlib.suppress(KeyError), self._guarded("read"):
            obstore.head(self._bucket, name)
            return True
        return False

    def read(self, name: str) -> bytes | None:
        """The content of an object that is small; None if there is none of that name."""
        import obstore

        with contextlib.suppress(KeyError), self._guarded("read"):
            return obstore.get(self._bucket, name).bytes().to_bytes()
        return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an object of any size, part by part. Raises KeyError if there is none of that name."""
        import obstore

        with self._guarded("read"):
            stream = iter(obstore.get(self._bucket, name).stream(min_chunk_size=_CHUNK))
        while True:
            with self._guarded("read"):
                chunk = next(stream, None)
            if chunk is None:
                return
            yield bytes(chunk)

    def names(self, folder: str) -> Iterator[str]:
        """The names of all objects whose names begin with 'FOLDER/': one request for each thousand of them."""
        import obstore

        with self._guarded("read"):
            for chunk in obstore.list(self._bucket, folder, chunk_size=1000):
                yield from (str(about["path"]) for about in chunk)

    def create(self, name: str, data: bytes) -> bool:
        """Create a small object, in one move. Returns False, and changes nothing, if there is one of that name."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._guarded("written"):
            try:
                obstore.put(self._bucket, name, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def write(self, name: str, content: bytes | Path) -> None:
        """Create an object or replace it, in one move. A file of any size is sent in parts."""
        import obstore

        with self._guarded("written"):
            obstore.put(self._bucket, name, content)

    def delete(self, name: str) -> None:
        """Delete an object; a missing one is no error."""
        import obstore

        with contextlib.suppress(KeyError), self._guarded("written"):
            obstore.delete(self._bucket, name)

    def move(self, name: str, to: str) -> None:
        """Rename an object; a missing one is no error."""
        import obstore

        with contextlib.suppress(KeyError), self._guarded("written"):
            obstore.rename(self._bucket, name, to)

    @contextlib.contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """Turn an error of obstore into a StoreError, or a KeyError for a missing object."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
                raise KeyError(self.url) from None
            raise request_error(error, self.url, doing) from error


def connect(url: str) -> Objects:
    """The objects below a URL. Nothing is asked of the server yet. Raises StoreError for a URL that is none."""
    scheme = _scheme(url)
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise StoreError(
            f"the store {url} needs the package obstore, which is not installed",
            hint="pip install 'prunectl[remote]'",
        ) from error
    from obstore.exceptions import BaseError

    try:
        if scheme == "file":
            return Objects(url, from_url(url, mkdir=True))
        bucket = from_url(url, client_options={"allow_http": _allows_http(url)}, retry_config={"max_retries": RETRIES})
    except (BaseError, OSError, ValueError) as error:
        raise request_error(error, url, "opened") from error
    return Objects(url, bucket)


def _scheme(url: str) -> str:
    """Raises StoreError for a URL that no store can have."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        near = did_you_mean(scheme, SCHEMES, "{}://")
        raise StoreError(
            f"the store {url} has an unknown scheme {scheme!r}" + (f"; {near}" if near else ""),
            hint=f"a store is a directory, or a URL with one of {and_list([f'{name}://' for name in SCHEMES])}",
        )
    if not rest.strip("/") or (scheme == "file" and not rest.startswith("/")):
        example = "file:///DIR" if scheme == "file" else f"{scheme}://BUCKET/PREFIX"
        raise StoreError(f"the store {url} is incomplete", hint=f"write it as {example}")
    return scheme


def _allows_http(url: str) -> bool:
    """Whether HTTP without encryption may be used: the server is on this machine, or the user allows it.

    Raises StoreError for a server that could not be used.
    """
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = next(filter(None, map(os.environ.get, names)), "")
    allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
    if allowed or urlsplit(endpoint).hostname in LOOPBACK:
        return True
    if url.startswith("s3://") and endpoint.lower().startswith("http://"):
        raise StoreError(
            f"the store {url} is on {endpoint}, without encryption, and that is not this machine",
            hint="use https://, or set AWS_ALLOW_HTTP=true if everybody on the way may read it",
        )
    return False


def request_error(error: Exception, url: str, doing: str) -> StoreError:
    """The message for the user about a request that failed: to be "read", "written" or "opened"."""
    text = str(error)
    scheme = url.partition("://")[0]
    if "NoSuchBucket" in text:
        bucket = urlsplit(url).netloc
        return StoreError(f"the store {url} does not exist: no bucket {bucket!r}", hint="create the bucket first")
    if type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError") or isinstance(error, PermissionError):
        why = "the server refuses it" if scheme in _CREDENTIALS else "permission denied"
        hint = _CREDENTIALS.get(scheme, "choose another with --store or PRUNECTL_STORE")
        return StoreError(f"the store {url} cannot be {doing}: {why}", hint=hint)
    if scheme in _CREDENTIALS and any(place in text for place in METADATA):
        why = "there are no credentials in the environment, and this machine is given none by a cloud"
        return StoreError(f"the store {url} cannot be {doing}: {why}", hint=_CREDENTIALS[scheme] + _FILES[scheme])
    first = text.partition("\n")[0].partition(" in ")[0] if "Server returned" in text else text.partition("\n")[0]
    return StoreError(f"the store {url} cannot be {doing}: {first.strip()[:300]}", hint=_AGAIN)
