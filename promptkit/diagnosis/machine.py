"""The machine: processor, memory, and what torch makes of them."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from promptkit.diagnosis.part import Part, gigabytes
from promptkit.evaluation.runs.folder import environment

_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
_INSTRUCTIONS = (
    *("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni"),
    *("amx_tile", "amx_bf16", "amx_int8", "asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2"),
)
"""Those that decide how fast matrices are multiplied, x86 and ARM."""


def machine() -> Part:
    """System, processor, cores that may be used, memory, instruction sets."""
    told = environment()["machine"]
    cores, free, total = usable_cores(), *memory()
    facts: dict[str, Any] = {**told, "usable_cores": cores, "memory_bytes": total, "available_bytes": free}
    facts["instructions"] = instructions()
    shown = [f"{told['processor'] or 'unknown processor'}, {cores} of {told['cores']} cores usable"]
    if total:
        shown.append(f"{gigabytes(total)} memory" + (f", {gigabytes(free)} of it free" if free is not None else ""))
    shown += [f"{told['system']}", f"instructions: {' '.join(facts['instructions']) or 'unknown'}"]
    return Part("machine", tuple(shown), facts)


def usable_cores() -> int:
    """Cores that this process may use: of its affinity and, in a container, of its quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))  # "max" is no number
    return cores


def memory() -> tuple[int | None, int | None]:
    """Bytes of memory that are free and that there are, in a container those of its limit; `None` if unknown."""
    free = total = None
    with suppress(OSError, ValueError, LookupError):  # the first Windows Subsystem for Linux has no MemAvailable
        lines = (_PROC / "meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        free, total = kilobytes["MemAvailable"] * 1024, kilobytes["MemTotal"] * 1024
    if total is None:
        with suppress(ImportError):
            import psutil

            seen: Any = psutil.virtual_memory()
            free, total = int(seen.available), int(seen.total)
    with suppress(OSError, ValueError):
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))  # "max" is no number
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        if total is None or limit < total:
            free, total = min(limit - used, free if free is not None else limit), limit
    return free, total


def instructions() -> list[str]:
    """The instruction sets of this processor that matter here; none where the system does not list them."""
    with suppress(OSError):
        for line in (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, listed = line.partition(":")
            if name.strip() in ("flags", "Features"):
                there = set(listed.split())
                return [one for one in _INSTRUCTIONS if one in there]
    return []


def torch_build() -> Part:
    """Which torch this is, what it computes on, and the dtype that local models get, measured now."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        said = ("not installed: local models need it",)
        return Part("torch", said, {"installed": False}, "note", said[0], 'pip install "promptkit[hf]"')
    try:
        import torch

        from promptkit.backends.hf.loading import fastest_dtype, layer_seconds
    except Exception as error:  # a broken installation raises whatever it likes
        problem = f"torch or transformers cannot be imported: {type(error).__name__}: {error}"
        return Part("torch", (), {"installed": True}, "problem", problem, 'pip install --upgrade "promptkit[hf]"')
    version: str = torch.__version__
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    seconds = {str(dtype).removeprefix("torch."): lap for dtype, lap in layer_seconds().items()}
    chosen = str(fastest_dtype(device)).removeprefix("torch.") if cuda else min(seconds, key=lambda name: seconds[name])
    facts: dict[str, Any] = {
        "installed": True,
        "version": version,
        "cuda": torch.version.cuda,
        "devices": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())] if cuda else [],
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "dtype": chosen,
        "layer_seconds": seconds,
    }
    where = f"CUDA {torch.version.cuda}: {', '.join(facts['devices'])}" if cuda else "no GPU"
    threads = "1 thread" if facts["threads"] == 1 else f"{facts['threads']} threads"
    laps = ", ".join(f"{lap * 1e3:.1f} ms in {name}" for name, lap in seconds.items())
    return Part(
        "torch",
        (
            f"{version}, {where}, {threads}, {facts['capability']}",
            f"local models run in {chosen}: " + ("as the GPU has it" if cuda else "the faster one here"),
            f"measured: 32 rows through a layer of 1024 × 4096 take {laps} (processor time, one thread, best of 8)",
        ),
        facts,
    )
