"""A store in a bucket: complete or absent for every machine, and every read verifies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import filelock
import obstore
import pytest
from obstore.store import LocalStore as Folder
from obstore.store import MemoryStore, ObjectStore

from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.address import store_at
from prunectl.store.claims import EXPIRES_S, Claims
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made
from prunectl.store.objects import Objects, connect, request_error
from prunectl.store.remote import RemoteStore

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGE = '{"kind":"init"}'
KEY = digest(PREIMAGE)
FILES = {"a.json": b"[1, 2, 3]", "b.bin": bytes(range(256))}


@pytest.fixture(params=["memory", "file"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else Folder(tmp_path / "bucket", mkdir=True)


def on(bucket: ObjectStore, machine: Path) -> RemoteStore:
    return RemoteStore(Objects("s3://bucket/x", bucket), machine).open().create()


def worker(bucket: ObjectStore, machine: Path) -> RemoteStore:
    return RemoteStore(Objects("s3://bucket/x", bucket), machine)


def fill(store: LocalStore, content: dict[str, bytes] | None = None) -> None:
    with store.scratch() as out:
        for name, data in (content or FILES).items():
            (out / name).write_bytes(data)
        store.put(KEY, PREIMAGE, out, MADE)


def test_what_one_machine_stores_another_reads(bucket: ObjectStore, tmp_path: Path) -> None:
    fill(on(bucket, tmp_path / "a"))
    other = on(bucket, tmp_path / "b")
    assert other.has(KEY)
    assert list(other.keys()) == [KEY]
    assert other.manifest(KEY).made == MADE
    assert other.read(KEY, "a.json") == FILES["a.json"]
    assert not other.copies.has(KEY)  # a table needs no weights
    assert (other.fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]
    assert other.copies.has(KEY)


def test_what_was_read_once_needs_no_request_for_it_again(bucket: ObjectStore, tmp_path: Path) -> None:
    fill(on(bucket, tmp_path / "a"))
    other = on(bucket, tmp_path / "b")
    other.prefetch([KEY, "0" * 64], "a.json")
    other.objects.read = lambda name: pytest.fail(f"{name} was asked for")  # type: ignore[method-assign]
    assert other.read(KEY, "a.json") == FILES["a.json"]


def test_a_plan_asks_for_no_key_by_itself(bucket: ObjectStore, tmp_path: Path) -> None:
    store = on(bucket, tmp_path / "a")
    store.objects.exists = lambda name: pytest.fail(f"{name} was asked for")  # type: ignore[method-assign]
    assert not any(store.has(digest(str(number))) or store.failure(digest(str(number))) for number in range(100))


def test_a_listing_is_read_again_when_the_store_is_looked_through_again(bucket: ObjectStore, tmp_path: Path) -> None:
    other = on(bucket, tmp_path / "b")
    assert not other.has(KEY)
    fill(on(bucket, tmp_path / "a"))
    assert not other.has(KEY)
    other.refresh()
    assert other.has(KEY)


def test_the_first_of_two_machines_wins_and_the_files_of_both_never_mix(bucket: ObjectStore, tmp_path: Path) -> None:
    """Both began when the artefact was missing; their last bits differ, as those of different hardware do."""
    slow = worker(bucket, tmp_path / "b")
    slow.objects.exists = lambda name: False  # type: ignore[method-assign]  # it has looked before the other stored it
    fill(on(bucket, tmp_path / "a"))
    fill(slow, {**FILES, "b.bin": b"other last bits"})
    assert (on(bucket, tmp_path / "b").fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]
    assert (on(bucket, tmp_path / "c").fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]


def test_an_upload_that_ends_early_leaves_nothing_that_is_used(bucket: ObjectStore, tmp_path: Path) -> None:
    store = on(bucket, tmp_path / "a")

    def broken(name: str, data: bytes) -> bool:
        raise StoreError("the network is down")

    store.objects.create = broken  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        fill(store)
    assert not on(bucket, tmp_path / "b").has(KEY)
    assert not worker(bucket, tmp_path / "a").has(KEY)
    fill(worker(bucket, tmp_path / "a"))
    assert on(bucket, tmp_path / "b").has(KEY)


@pytest.mark.parametrize("name", ["b.bin", layout.MANIFEST])
@pytest.mark.parametrize("way", ["fetch", "check"])
def test_damage_in_the_bucket_is_set_aside_and_made_again(
    name: str, way: str, bucket: ObjectStore, tmp_path: Path
) -> None:
    fill(on(bucket, tmp_path / "a"))
    stated = digest_of("b.bin")
    place = layout.manifest_object(KEY) if name == layout.MANIFEST else layout.file_object(KEY, stated)
    obstore.put(bucket, place, b"damaged")
    other = on(bucket, tmp_path / "b")
    with pytest.raises(DamagedError) as caught:
        getattr(other, way)(KEY)
    assert caught.value.kept is None
    assert not other.has(KEY)
    assert not on(bucket, tmp_path / "c").has(KEY)
    assert any(found.endswith("why.txt") for found in other.objects.names(layout.ASIDE))
    fill(other)
    assert (on(bucket, tmp_path / "c").fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]


def digest_of(name: str) -> str:
    import hashlib

    return hashlib.sha256(FILES[name]).hexdigest()


def test_a_damaged_local_copy_is_fetched_again(bucket: ObjectStore, tmp_path: Path) -> None:
    store = on(bucket, tmp_path / "a")
    fill(store)
    file = store.fetch(KEY) / "b.bin"
    file.chmod(0o644)
    file.write_bytes(b"damaged")
    assert (store.fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]
    assert store.has(KEY)


def test_a_worker_sends_its_copy_of_an_artefact_that_the_bucket_has_lost(bucket: ObjectStore, tmp_path: Path) -> None:
    fill(on(bucket, tmp_path / "a"))
    obstore.delete(bucket, layout.manifest_object(KEY))
    assert worker(bucket, tmp_path / "a").has(KEY)
    assert on(bucket, tmp_path / "b").has(KEY)


def test_names_in_a_manifest_do_not_lead_out_of_the_directory(bucket: ObjectStore, tmp_path: Path) -> None:
    from prunectl.store.manifest import Manifest, encode

    on(bucket, tmp_path / "a")
    hostile = Manifest(key=KEY, preimage=PREIMAGE, files={"../../evil": "0" * 64}, made=MADE, sizes={})
    obstore.put(bucket, layout.manifest_object(KEY), encode(hostile))
    with pytest.raises(DamagedError, match="not one that prunectl writes"):
        on(bucket, tmp_path / "b").fetch(KEY)


def test_failures_are_those_of_all_machines(bucket: ObjectStore, tmp_path: Path) -> None:
    a, b = on(bucket, tmp_path / "a"), on(bucket, tmp_path / "b")
    assert b.failure(KEY) is None
    a.record_failure(KEY, "method", "nothing to prune", "")
    b.refresh()
    assert b.failure(KEY) == {"kind": "method", "reason": "nothing to prune", "detail": ""}
    assert b.listed(layout.FAILURES) == {KEY}, "a plan on another machine looks here"
    b.forget_failure(KEY)
    assert b.listed(layout.FAILURES) == set()
    a.refresh()
    assert a.failure(KEY) is None
    obstore.put(bucket, layout.failure_object(KEY), b"{")
    b.refresh()
    assert b.failure(KEY) is None


def test_a_deleted_artefact_is_gone_for_others(bucket: ObjectStore, tmp_path: Path) -> None:
    store = on(bucket, tmp_path / "a")
    fill(store)
    store.delete(KEY)
    assert not store.has(KEY)
    assert not list(on(bucket, tmp_path / "b").objects.names(layout.FILES))


def test_a_claimed_step_is_left_to_its_machine(bucket: ObjectStore, tmp_path: Path) -> None:
    a, b = worker(bucket, tmp_path / "a"), worker(bucket, tmp_path / "b")
    with a.lock(KEY), pytest.raises(filelock.Timeout), b.lock(KEY):
        pass
    with b.lock(KEY):
        pass


def test_the_claim_of_a_dead_process_is_taken_over(bucket: ObjectStore, tmp_path: Path) -> None:
    """At once on its own machine; elsewhere when it has not changed for a while, by the clock of who looks."""
    now = 1000.0
    objects = Objects("s3://bucket/x", bucket)
    mine, theirs = (Claims(objects, name, tmp_path, lambda: now) for name in ("mine", "theirs"))
    assert theirs.take(KEY)
    assert theirs.take(KEY)
    assert not mine.take(KEY)
    now += EXPIRES_S - 1
    assert not mine.take(KEY)
    now += 2
    assert mine.take(KEY)
    assert not theirs.take(KEY)
    now += EXPIRES_S + 1
    objects.write(layout.claim_object(KEY), b'{"owner": "mine", "beat": 1}')
    assert not theirs.take(KEY)  # it was renewed


def test_a_place_with_other_objects_is_no_store(tmp_path: Path) -> None:
    bucket = MemoryStore()
    obstore.put(bucket, "thesis.tex", b"")
    with pytest.raises(StoreError, match=r"other objects \(thesis\.tex"):
        on(bucket, tmp_path / "a")


def test_a_directory_and_a_bucket_in_it_are_not_confused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / "cache"))
    LocalStore(tmp_path / "local").create()
    with pytest.raises(StoreError, match="layout") as caught:
        store_at(f"file://{tmp_path}/local").open()
    assert f"use --store {tmp_path}/local" in str(caught.value)
    store_at(f"file://{tmp_path}/remote").open().create()
    with pytest.raises(StoreError, match="remote store") as caught:
        LocalStore(tmp_path / "remote").open()
    assert f"--store file://{tmp_path}/remote" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("files://x", "unknown scheme 'files'; did you mean file://"),
        ("https://example.org/x", "unknown scheme"),
        ("s3://", "incomplete"),
        ("file://x", "incomplete"),
    ],
)
def test_a_url_that_no_store_can_have_is_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        store_at(url)


def test_a_url_that_went_through_a_path_is_refused() -> None:
    with pytest.raises(StoreError, match="one slash"):
        store_at(Path("s3://bucket/x"))


def test_the_extra_is_named_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(StoreError, match=r"obstore.*\n.*prunectl\[remote\]"):
        connect("s3://bucket/x")


@pytest.mark.parametrize(
    ("url", "asked", "hint"),
    [
        ("s3://b/x", "PUT http://169.254.169.254/latest/api/token", "AWS_ACCESS_KEY_ID.*files in ~/.aws are not read"),
        ("gs://b/x", "GET http://metadata.google.internal/computeMetadata", "GOOGLE_APPLICATION_CREDENTIALS.*gcloud"),
        ("az://b/x", "GET http://169.254.169.254/metadata/identity/oauth2", "AZURE_STORAGE_ACCOUNT_KEY"),
    ],
)
def test_without_credentials_the_variables_are_named_and_not_the_network(url: str, asked: str, hint: str) -> None:
    """Where there are none, a machine in a cloud is asked for those that it is given; elsewhere nobody answers."""
    error = request_error(ValueError(f"Generic S3 error: Error performing {asked}"), url, "read")
    assert error.message.startswith(f"the store {url} cannot be read: there are no credentials in the environment")
    assert "network" not in str(error)
    assert re.search(hint, error.hint or "")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"])
def test_a_server_elsewhere_without_encryption_needs_to_be_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://minio.lab:9000")
    with pytest.raises(StoreError, match=r"on http://minio.lab:9000, without encryption.*\n.*AWS_ALLOW_HTTP=true"):
        connect("s3://bucket/x")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert connect("s3://bucket/x").url == "s3://bucket/x"


# ---- a real server ---------------------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    for name, value in {
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "PRUNECTL_CACHE": str(tmp_path / "cache"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="studies")
    yield "s3://studies/mine"
    moto.stop()


def test_an_s3_server_holds_a_store(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store_at(server).open())
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / "other"))
    other = store_at(server).open()
    assert (other.fetch(KEY) / "b.bin").read_bytes() == FILES["b.bin"]
    assert not connect(server).create(layout.manifest_object(KEY), b"")
    with other.lock(KEY):
        assert connect(server).exists(layout.claim_object(KEY))
    assert not connect(server).exists(layout.claim_object(KEY))
    with pytest.raises(StoreError, match="no bucket 'nobody'"):
        store_at("s3://nobody/x").open()


def test_a_server_that_does_not_answer_is_one_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from prunectl.store import objects

    monkeypatch.setattr(objects, "RETRIES", 0)
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match=r"s3://bucket/x cannot be read") as caught:
        store_at("s3://bucket/x").open()
    assert caught.value.exit_code == 4
    assert "run the same command again" in str(caught.value)
    assert "Debug" not in str(caught.value)


def test_opening_a_bucket_writes_no_object_and_the_first_artefact_makes_it_a_store(tmp_path: Path) -> None:
    bucket = MemoryStore()
    store = RemoteStore(Objects("s3://bucket/x", bucket), tmp_path / "a").open()
    assert list(store.keys()) == [] and not store.has(KEY)
    assert list(store.objects.names("")) == []
    fill(store)
    assert RemoteStore(Objects("s3://bucket/x", bucket), tmp_path / "b").open().has(KEY)
