from __future__ import annotations

import io
import sys

import pytest

from alos2.cli.progress import amount, progress_bar


def test_a_transfer_tells_its_rate() -> None:
    assert amount(1_500_000, 6_000_000_000, 12_345_678.9) == "1.5 MB of 6.0 GB, 12.3 MB/s"
    assert amount(1_500_000, None, None) == "1.5 MB"
    assert amount(0, 10, None) == "0 B of 10 B"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar(quiet=False) as progress:
        for done in range(0, 10_000_001, 1_000_000):
            progress("download", done, 10_000_000)
    shown = terminal.getvalue()
    assert "download" in shown
    assert "10.0 MB of 10.0 MB" in shown
    assert "/s" in shown
    assert ":" in shown


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(quiet=True) as progress:
        progress("download", 1, 2)
    assert capsys.readouterr().err == ""
