"""The benchmarks run from nothing, and print what benchmarks/README.md says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
ALONE = {"tiles", "quicklook"}
"""These write GBs and want the machine to themselves: `make bench` runs them."""
KEYS = {"name", "size", "ours_s", "peer", "peer_s", "ratio", "peak_rss_mb", "runs"}
FURTHER = {"metadata": {"read_mb"}, "ingest": {"peak_anon_mb", "unpack_s", "package_s", "rest_s"}}


def rows_of(program: str, tmp_path: Path) -> list[dict[str, Any]]:
    """One run of the quick form, with no peer that is a program of its own (an empty PATH)."""
    temporary = {name: str(tmp_path) for name in ("PATH", "TMPDIR", "TEMP", "TMP")}
    ended = subprocess.run(
        [sys.executable, str(FOLDER / f"{program}.py"), "--quick", "--json", "--runs", "1"],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | temporary,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert list(tmp_path.iterdir()) == [], "what it made for itself is taken away"
    return [json.loads(line) for line in ended.stdout.splitlines()]


def check(row: dict[str, Any], further: set[str]) -> None:
    assert row.keys() >= KEYS
    assert row.keys() - KEYS == set() or row.keys() - KEYS >= further
    assert row["ours_s"] > 0
    assert row["runs"] >= 1
    assert 10 < row["peak_rss_mb"] < 600
    if row["peer"] is None:
        assert row["peer_s"] is None
        assert row["ratio"] is None
    else:
        assert row["ratio"] == pytest.approx(row["peer_s"] / row["ours_s"], rel=0.05, abs=0.05)


def test_there_are_benchmarks() -> None:
    assert {"metadata", "unpack", "ingest"} <= set(PROGRAMS)


@pytest.mark.parametrize("program", sorted(set(PROGRAMS) - ALONE))
def test_a_quick_run_prints_the_documented_rows(program: str, tmp_path: Path) -> None:
    rows = rows_of(program, tmp_path)
    further = FURTHER.get(program, set())
    assert rows
    assert any(row.keys() >= KEYS | further for row in rows)
    for row in rows:
        check(row, further)
    if program == "metadata":
        (nested,) = (row for row in rows if row["name"] == "nested zip, in process")
        if nested["read_mb"] is not None:
            assert nested["read_mb"] < 1, "the pixels of a delivery are not read"


def test_the_readme_names_every_program_and_key() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for word in (*(f"`{name}`" for name in PROGRAMS), *(f"`{key}`" for key in KEYS)):
        assert word in text, word
