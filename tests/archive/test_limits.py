"""Default limits; bytes kept in passing."""

from __future__ import annotations

from alos2.archive.kept import Cache
from alos2.archive.limits import DEFAULT_LIMITS


def test_defaults_hold_a_scansar_delivery() -> None:
    assert DEFAULT_LIMITS.total_bytes > 60e9 * 2
    assert DEFAULT_LIMITS.depth == 3


def test_cache_spills_to_disk_and_ends() -> None:
    cache = Cache(in_memory=10, budget=25)
    pieces = [cache.keep(bytes([n]) * 8) for n in range(4)]
    assert [piece() for piece in pieces] == [b"\0" * 8, b"\1" * 8, b"\2" * 8, b""]
    cache.close()
    cache.close()
    assert [piece() for piece in pieces] == [b""] * 4
