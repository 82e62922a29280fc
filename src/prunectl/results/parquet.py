"""Reading Parquet from anywhere. A damaged file can make the reader panic, or end its process: so it has its own."""

from __future__ import annotations

import io
import subprocess
import sys

import polars as pl

READ = "import io, sys, polars; polars.read_parquet(io.BytesIO(sys.stdin.buffer.read())).write_ipc(sys.stdout.buffer)"


def read_parquet(content: bytes) -> pl.DataFrame:
    """The table in a Parquet file. Raises ValueError for a file that is not one, or a damaged one."""
    done = subprocess.run([sys.executable, "-P", "-c", READ], input=content, capture_output=True, check=False)
    if done.returncode == 0:
        return pl.read_ipc(io.BytesIO(done.stdout))
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode < 0 or not lines or "Panic" in lines[-1]:
        raise ValueError("it is damaged, or not a Parquet file")
    raise ValueError(lines[-1].partition(": ")[2] or lines[-1])
