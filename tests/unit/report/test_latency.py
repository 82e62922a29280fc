"""The table of variants and batch sizes, for a terminal and for a page."""

from __future__ import annotations

from typing import Any

import polars as pl

from prunectl.report import latency
from prunectl.results.latency import LATENCIES


def row(variant: str, ms: float | None, batch: int = 1, **values: Any) -> dict[str, Any]:
    """A measurement, with quartiles a tenth away."""
    return dict.fromkeys(LATENCIES) | {
        "arm": "magnitude · at end", "criterion": "magnitude", "ablation": "none", "sparsity": 0.9, "seed": 1,
        "top1": 0.8, "top1_dense": 0.9, "variant": variant, "batch": batch, "ms": ms, "ms_low": ms and 0.9 * ms,
        "ms_high": ms and 1.1 * ms, "speedup": ms and 2 / ms, "calls": 1, "peak_bytes": 2_000_000 if ms else None,
        "size_bytes": 1000 if ms else None, "repeats": 30, "machine": "a CPU, 2 cores", "device": "cpu", "threads": 1,
        "torch": "2.9", "onnxruntime": "1.23", "artefact": "a measurement",
    } | values  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=LATENCIES)


FRAME = frame(
    row("dense", 2.0), row("dense", 8.0, 128, peak_bytes=50), row("sparse", None, reason="no kernel"),
    row("sparse", None, 128, reason="no kernel"), row("onnx", 1.0, note="of the masked network"),
    row("onnx", 2.0, 128, note="of the masked network"),
)  # fmt: skip


def test_a_network_has_a_row_for_each_variant_that_there_is() -> None:
    lines = latency.text(FRAME).splitlines()
    assert lines[0] == "magnitude · at end, sparsity 90 %, top-1 80.00 %"
    assert lines[1].split("  ")[0] == "variant"
    numbers = "2 (1.8 to 2.2) 1.00 8 (7.2 to 8.8) 0.25 2.0 MB < 100.0 kB 1.0 kB"
    assert " ".join(lines[2].split()) == f"dense {numbers}"
    assert lines[3].startswith("onnx ")
    assert lines[4:6] == ["onnx: of the masked network", "no sparse: no kernel"]


def test_how_and_on_what_it_was_measured_is_stated() -> None:
    (sentence,) = latency.sentences(FRAME)
    assert sentence.startswith("Medians of 30 interleaved measurements, in brackets their quartiles; float32;")
    assert "on a CPU, 2 cores, 1 thread, with torch 2.9 and ONNX Runtime 1.23." in sentence
    on_gpu = latency.sentences(frame(row("dense", 1.0, device="cuda", machine="H100", onnxruntime=None)))
    assert "on H100, with torch 2.9 and without ONNX Runtime." in on_gpu[0]


def test_several_seeds_are_one_row_of_medians() -> None:
    text = latency.text(
        frame(*(row("dense", ms, seed=seed, artefact=str(seed)) for seed, ms in enumerate((1.0, 2.0, 9.0))))
    )
    assert "(medians over 3 seeds)" in text and "\ndense    2 (1.8 to 2.2)" in text


def test_arms_share_the_dense_network_and_long_times_are_whole_milliseconds() -> None:
    text = latency.text(
        frame(*(row("dense", 1234.0, arm=arm, sparsity=0.0, artefact="a", speedup=1.0) for arm in ("snip", "random")))
    )
    assert text.count("the dense network, top-1 80.00 %") == 1 and "random" not in text
    assert "1,234 (1,111 to 1,357)" in text


def test_a_page_has_the_same_cells() -> None:
    lines = latency.markdown(FRAME).splitlines()
    assert lines[0] == "**magnitude · at end, sparsity 90 %, top-1 80.00 %**"
    assert lines[3] == "| --- | --: | --: | --: | --: | --: | --: | --: |"
    assert lines[4].startswith("| dense | 2 (1.8 to 2.2) | 1.00 |")
    assert "- no sparse: no kernel" in lines
