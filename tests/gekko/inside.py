"""Runs a script in this process: what it says of wrong arguments needs no process of its own."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest


def run_inside(
    script: Path,
    *words: object,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    **environment: str,
) -> tuple[int, str, str]:
    """Return its exit code, output and messages."""
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as left:  # noqa: PT012
        patch.setattr(sys, "argv", [str(script), *map(str, words)])
        patch.setattr(sys, "path", list(sys.path))
        patch.chdir("/")
        for name in ("ALOS2_CHUNK", "ALOS2_GRQ_URL", "ALOS2_ARCHIVE"):
            patch.delenv(name, raising=False)
        for name, value in {"ALOS2_SARCAT": "off", **environment}.items():
            patch.setenv(name, value)
        runpy.run_path(str(script), run_name="__main__")
    out, err = capfd.readouterr()
    return int(left.value.code or 0), out, err
