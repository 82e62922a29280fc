"""How many actors a Ray gets, and what joining or starting one does."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from joining import joining
from prunectl.execute import ray_joining
from prunectl.execute.ray_joining import LONGEST_PATH, RefusedError, Size, folder, private


@pytest.mark.parametrize(
    ("changes", "nodes", "expected"),
    [
        ({}, [{"CPU": 4.0}, {"CPU": 2.0}], Size(actors=6, cpus=1, gpus=0.0)),
        ({"cpus": 3}, [{"CPU": 4.0}, {"CPU": 2.0}], Size(actors=1, cpus=3, gpus=0.0)),
        ({"jobs": 1}, [{"CPU": 4.0}, {"CPU": 2.0}], Size(actors=2, cpus=1, gpus=0.0)),
        ({"workers": 9}, [{"CPU": 4.0}], Size(actors=9, cpus=1, gpus=0.0)),
        ({}, [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0}], Size(actors=2, cpus=1, gpus=1.0)),
        ({"jobs": 4}, [{"CPU": 8.0, "GPU": 1.0}], Size(actors=4, cpus=1, gpus=0.25)),
        ({"jobs": 4}, [{"CPU": 3.0, "GPU": 1.0}], Size(actors=3, cpus=1, gpus=0.25)),
        ({"device": "cpu"}, [{"CPU": 8.0, "GPU": 2.0}], Size(actors=8, cpus=1, gpus=0.0)),
    ],
)
def test_a_cluster_gets_as_many_actors_as_it_has_room_for(
    changes: dict[str, Any], nodes: list[dict[str, float]], expected: Size
) -> None:
    assert ray_joining.size(joining(**changes), nodes) == expected


def test_a_cluster_without_room_for_one_worker_is_refused_with_what_it_has() -> None:
    with pytest.raises(RefusedError) as raised:
        ray_joining.size(joining(device="cuda", cpus=2), [{"CPU": 4.0}])
    refused = raised.value.refused
    assert "2 CPUs and a GPU" in refused.message and "4 CPUs and 0 GPUs" in refused.message
    assert refused.hint is not None and "--device" in refused.hint
    assert ray_joining.size(joining(device="cuda", workers=3), [{"CPU": 4.0}]).actors == 3  # an autoscaler adds nodes


def test_the_folder_of_ray_is_short_enough_for_its_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/scratch")
    assert folder() == "/scratch/ray"
    monkeypatch.setenv("RAY_TMPDIR", "/scratch/" + "long/" * 20)
    assert folder() == "/tmp/ray"
    assert len(folder()) <= LONGEST_PATH


def test_a_ray_of_our_own_has_a_token_that_is_in_no_file() -> None:
    first, second = private(("", "/a", "/b")), private(())
    assert first["RAY_AUTH_MODE"] == "token"
    assert first["RAY_AUTH_TOKEN"] != second["RAY_AUTH_TOKEN"]
    assert first["PYTHONPATH"] == os.pathsep.join(["/a", "/b"])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("timed out"), "timed out"),
        (OverflowError("port must be 0-65535."), "port must be"),
    ],
)
def test_an_address_where_nobody_answers_is_refused_at_once(
    error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(place: tuple[str, int], timeout: float) -> None:
        assert place == ("head", 6379) and timeout == ray_joining.REACH_S
        raise error

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(RefusedError) as raised:
        ray_joining.join(joining(address="head:6379"))
    assert raised.value.refused.message.startswith(f"no Ray can be reached at head:6379: {why}")
    assert "RAY_ADDRESS" in (raised.value.refused.hint or "")


def test_an_address_that_answers_is_left_to_ray() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ray_joining.reach(f"127.0.0.1:{server.getsockname()[1]}")
    ray_joining.reach("auto")


@pytest.mark.parametrize(
    ("address", "expected"), [("head:6379", "the Ray at head:6379 cannot be joined"), (None, "cannot be started")]
)
def test_a_ray_that_cannot_be_had_is_a_message(
    monkeypatch: pytest.MonkeyPatch, address: str | None, expected: str
) -> None:
    ray = pytest.importorskip("ray")
    for name, text in os.environ.items():
        monkeypatch.setenv(name, text)  # what joining sets is gone afterwards
    monkeypatch.setattr(os, "environ", dict(os.environ))

    def fail(*arguments: object, **options: object) -> None:
        assert options["log_to_driver"] is False
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", fail)
    monkeypatch.setattr(ray_joining, "reach", lambda address: None)
    with pytest.raises(RefusedError, match=expected) as raised:
        ray_joining.join(joining(address=address))
    assert "nobody answers" in raised.value.refused.message
