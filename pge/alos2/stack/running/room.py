"""How much of this machine may be used: cores and memory, also as a control group limits them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_USED: Final = 0.6
"""Share of the memory that is free which is taken where none is given."""
_LEAST_MB: Final = 512
_UNKNOWN_MB: Final = 2048
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Room:
    """What all tasks together may use."""

    cores: int
    memory_mb: int

    def at_once(self, memory_mb: int) -> int:
        """Return how many tasks that take so much memory fit in side by side, at least one."""
        return max(1, min(self.cores, self.memory_mb // max(1, memory_mb)))


def machine_room(
    threads: int | None = None, memory_mb: int | None = None, root: Path = Path("/")
) -> Room:
    """Return what may be used here.

    Parameters
    ----------
    threads, memory_mb : int, optional
        What somebody asked for; else what the machine, its batch system and the control groups
        (version 1 and 2) of this process leave.
    root : Path, optional
        Where ``proc`` and ``sys`` are: for tests.
    """
    cores = threads or max(1, min([_affinity(), *_cpu_quotas(root)]))
    if memory_mb is not None:
        return Room(cores, memory_mb)
    free = [mb for mb in (*_memory_limits_mb(root), _available_mb(root)) if mb is not None]
    return Room(cores, max(_LEAST_MB, int(_USED * min(free, default=_UNKNOWN_MB / _USED))))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _available_mb(root: Path) -> float | None:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) / 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _MIB / 2
    except (ValueError, OSError, AttributeError):
        return None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the control groups of this process and all above them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = (*line.split(":", 2), "", "")[:3]
        if names == "":
            top = root / "sys/fs/cgroup"
        elif controller in names.split(","):
            top = root / "sys/fs/cgroup" / names
            top = top if top.is_dir() else root / "sys/fs/cgroup" / controller
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            yield top / group


def _memory_limits_mb(root: Path) -> Iterator[float]:
    """Yield what is left below each limit."""
    for group in _groups(root, "memory"):
        for limit, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            most = _number(group / limit)
            if most is not None and most < 1 << 60:
                # What the page cache holds counts as used, and is given back when it is needed.
                held = (_number(group / used) or 0) - _cached(group)
                yield max(0.0, most - max(0, held)) / _MIB


def _cached(group: Path) -> int:
    for line in _text(group / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("file", "total_cache") and value.isdigit():
            return int(value)
    return 0


def _cpu_quotas(root: Path) -> Iterator[int]:
    for group in _groups(root, "cpu"):
        words = _text(group / "cpu.max").split()
        if len(words) == 2 and words[0].isdigit():
            yield max(1, math.ceil(int(words[0]) / int(words[1])))
        quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
        if quota is not None and quota > 0 and period:
            yield max(1, math.ceil(quota / period))


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
