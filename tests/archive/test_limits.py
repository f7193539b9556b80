"""Limits from the environment; bytes kept in passing."""

from __future__ import annotations

import pytest

from alos2.archive.kept import Cache
from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.errors import UsageError


def test_defaults_hold_a_scansar_delivery() -> None:
    assert DEFAULT_LIMITS.total_bytes > 60e9 * 2
    assert DEFAULT_LIMITS.depth == 3


def test_from_environment() -> None:
    limits = Limits.from_environment(
        {
            "ALOS2_LIMIT_TOTAL_BYTES": "1000",
            "ALOS2_LIMIT_RATIO": "2.5",
            "ALOS2_LIMIT_ALLOW_OVERLAP": "1",
            "ALOS2_LIMIT_DEPTH": " ",
            "OTHER": "x",
        }
    )
    assert limits == Limits(total_bytes=1000, ratio=2.5, allow_overlap=True)
    assert isinstance(limits.allow_overlap, bool)


def test_from_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALOS2_LIMIT_ENTRIES", "7")
    assert Limits.from_environment() == Limits(entries=7)


@pytest.mark.parametrize("value", ["many", "-1", "1.5", "nan", "1e3"])
def test_no_number(value: str) -> None:
    with pytest.raises(UsageError, match="ALOS2_LIMIT_ENTRIES") as caught:
        Limits.from_environment({"ALOS2_LIMIT_ENTRIES": value})
    assert caught.value.exit_code == 2


def test_cache_spills_to_disk_and_ends() -> None:
    cache = Cache(in_memory=10, budget=25)
    pieces = [cache.keep(bytes([n]) * 8) for n in range(4)]
    assert [piece() for piece in pieces] == [b"\0" * 8, b"\1" * 8, b"\2" * 8, b""]
    cache.close()
    cache.close()
    assert [piece() for piece in pieces] == [b""] * 4
