"""Locks and claims of a directory that several machines share; the clock is the test's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import pytest

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.claims import BEAT_S, EXPIRES_S, TORN_S, owner_of
from prunectl.store.local import LocalStore
from prunectl.store.locks import ClaimFiles, DirectoryClaims, HeldError, locked, machine

KEY = "ab" * 32


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Cluster:
    """Machines that share a directory whose locks only count on the machine that has them."""

    folder: Path
    clock: Clock = field(default_factory=Clock)

    def claims(self, owner: str) -> DirectoryClaims:
        return DirectoryClaims(ClaimFiles(self.folder), owner, self.folder, self.clock, name=layout.claim_file)

    @contextmanager
    def on(self, owner: str, lock: str = "") -> Iterator[None]:
        with locked(self.folder / f"{KEY}{lock}.lock", KEY, self.claims(owner)):
            yield


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def leftovers(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()} - {".lock"}


def test_the_claim_is_there_while_a_step_is_made_and_not_longer(cluster: Cluster) -> None:
    with cluster.on("a"):
        assert leftovers(cluster.folder) == {".claim"}
    assert leftovers(cluster.folder) == set()


def test_a_process_of_the_same_machine_holds_it_and_lives(cluster: Cluster) -> None:
    with cluster.on("a"), pytest.raises(HeldError) as held, cluster.on("a"):
        pass
    assert held.value.alive and isinstance(held.value, filelock.Timeout)


def test_a_lock_that_other_machines_do_not_see_is_no_duplicate(cluster: Cluster) -> None:
    with cluster.on("a"), pytest.raises(HeldError) as held, cluster.on("b", lock="-unseen"):
        pass
    assert not held.value.alive  # it was seen once only


def test_a_machine_lives_that_was_seen_to_renew_its_claim(cluster: Cluster) -> None:
    owner = cluster.claims("a")
    alive = []
    with cluster.on("a"):
        for beat in (1, 2, 2):
            with pytest.raises(HeldError) as held, cluster.on("b", lock="-unseen"):
                pass
            alive.append(held.value.alive)
            cluster.clock.now += BEAT_S
            owner.renew(KEY, beat)
        cluster.clock.now += 3 * BEAT_S
        with pytest.raises(HeldError) as held, cluster.on("b", lock="-unseen"):
            pass
        alive.append(held.value.alive)
    assert alive == [False, True, True, False]


def dead(cluster: Cluster, owner: str) -> None:
    """The claim of a machine that is gone."""
    assert cluster.claims(owner).take(KEY)


def test_the_claim_of_a_dead_machine_expires(cluster: Cluster) -> None:
    dead(cluster, "a")
    for passed in (0.0, EXPIRES_S - 1):
        cluster.clock.now += passed
        with pytest.raises(HeldError), cluster.on("b"):
            pass
    cluster.clock.now += 2
    with cluster.on("b"), pytest.raises(HeldError), cluster.on("a", lock="-unseen"):
        pass
    assert leftovers(cluster.folder) == {".seen"}  # what "a" has noted


def test_a_lock_that_the_file_server_keeps_for_a_dead_machine_expires_too(cluster: Cluster) -> None:
    dead(cluster, "a")
    kept = filelock.FileLock(cluster.folder / f"{KEY}.lock", blocking=False)
    with kept:
        with pytest.raises(HeldError), cluster.on("b"):
            pass
        cluster.clock.now += EXPIRES_S + 1
        with cluster.on("b"):
            pass


def test_a_lock_without_a_claim_expires_too(cluster: Cluster) -> None:
    with filelock.FileLock(cluster.folder / f"{KEY}.lock", blocking=False):
        with pytest.raises(HeldError), cluster.on("b"):
            pass
        cluster.clock.now += EXPIRES_S + 1
        with cluster.on("b"):
            pass


def test_a_suspended_process_of_this_machine_keeps_its_lock(cluster: Cluster) -> None:
    with cluster.on("a"):
        for _ in range(2):
            cluster.clock.now += EXPIRES_S + 1
            with pytest.raises(HeldError), cluster.on("a"):
                pass


@pytest.mark.parametrize("owner", ["host boot-1", "host boot-2", "container boot-1"])
def test_a_dead_process_of_this_machine_blocks_nobody(cluster: Cluster, owner: str) -> None:
    """Also after the machine was started again, and in another container on it."""
    dead(cluster, owner)
    with cluster.on("host boot-1"):
        pass


@pytest.mark.parametrize("left", [b"", b'{"owner": "ho', b"\xff{"])
def test_a_claim_that_a_killed_process_has_not_finished_soon_blocks_nobody(cluster: Cluster, left: bytes) -> None:
    """Only where nobody holds the lock: a process that does may be about to write its claim."""
    (cluster.folder / layout.claim_file(KEY)).write_bytes(left)
    with pytest.raises(HeldError), cluster.on("b"):
        pass
    cluster.clock.now += TORN_S + 1
    with filelock.FileLock(cluster.folder / f"{KEY}.lock", blocking=False), pytest.raises(HeldError), cluster.on("b"):
        pass
    with cluster.on("b"):
        pass


def test_a_claim_whose_renewal_was_cut_short_still_names_its_owner(cluster: Cluster) -> None:
    old = b'{"owner": "somebody with a longer name"}\n'
    new = b'{"owner": "a"}\n'
    assert owner_of(new + old[len(new) :]) == "a"
    places = ClaimFiles(cluster.folder)
    places.write("claim", old)
    places.write("claim", new)
    assert places.read("claim") == new


def test_a_claim_that_a_full_disk_has_no_room_for_does_not_stay(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"), cluster.on("a"):
            pass
    assert leftovers(cluster.folder) == set()
    with cluster.on("b"):
        pass


def test_a_claim_that_was_taken_over_is_neither_renewed_nor_given_back(cluster: Cluster) -> None:
    late = cluster.claims("a")
    with late.held(KEY) as mine:
        assert mine
        cluster.claims("b").places.write(layout.claim_file(KEY), b'{"owner": "b"}')
        late.renew(KEY, 7)
    assert (cluster.folder / layout.claim_file(KEY)).read_bytes() == b'{"owner": "b"}'


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.ENOLCK])
def test_where_a_file_system_has_no_locks_claims_have_to_do(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise OSError(error, "no locks")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    for pid, other in enumerate(("b", "a")):  # another machine, another process of this one
        with cluster.on("a"):
            monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
            with pytest.raises(HeldError), cluster.on(other):
                pass


def test_a_disk_without_room_to_note_a_claim_is_an_error_and_not_a_step_that_others_make_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "store").create()
    dead(Cluster(store.root / layout.LOCKS), "a")
    write = Path.write_text

    def full(path: Path, text: str) -> int:
        if path.suffix == ".seen":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, text)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreError, match="is full"), store.lock(KEY):
        pass


def test_this_machine_is_the_owner_of_claims_in_a_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store").open()
    with store.lock(KEY):
        claim = store.root / layout.LOCKS / layout.claim_file(KEY)
        assert machine() in claim.read_text()
    assert not claim.exists()
