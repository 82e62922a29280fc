"""The machine that a step runs on, described for its artefact and made deterministic."""

from __future__ import annotations

import platform
import subprocess
import sys

import torch

from prunectl.execute import hardware

CPU = torch.device("cpu")


def test_the_processor_is_described() -> None:
    assert hardware.device_name(CPU) == "cpu"
    assert hardware.uuid(CPU) is None
    assert hardware.peak_bytes(CPU) > 10_000_000
    assert isinstance(hardware.cpu_name(), str)


def test_versions_name_what_can_change_bits() -> None:
    assert set(hardware.versions()) == {"prunectl", "python", "torch", "numpy", "safetensors"}
    assert hardware.versions()["torch"] == torch.__version__


def test_settling_fixes_threads_and_kernels() -> None:
    """In a process of its own: the settings are global."""
    code = (
        "import os, torch; from prunectl.execute.hardware import settle; settle(3);"
        "print(torch.get_num_threads(), torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark,"
        " torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32,"
        " os.environ['CUBLAS_WORKSPACE_CONFIG'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True", "False", "False", "False", ":4096:8"]


def test_the_class_of_the_processor_names_its_instructions() -> None:
    cpu, machine, instructions, *_ = hardware.device_class(CPU).split("/")
    assert (cpu, machine) == ("cpu", platform.machine())
    assert instructions == torch.backends.cpu.get_cpu_capability()


def test_the_class_of_a_step_has_the_number_of_threads_that_it_was_given() -> None:
    """Code of third parties may have changed the number in this process."""
    assert hardware.hardware_class(CPU, torch.get_num_threads() + 3).threads == torch.get_num_threads() + 3
