"""The PGE of archive metadata: flags, the context, exit codes, and what it leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "pge" / "ingest_alos2_md.py"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def archive(deliveries: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    shutil.copytree(deliveries.slc_dir, folder / "slc")
    shutil.copy(deliveries.geotiff, folder / "order.zip")
    return folder


def run(work: Path, *flags: str, **context: object) -> subprocess.CompletedProcess[str]:
    if context:
        (work / "_context.json").write_text(json.dumps(context))
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *flags],
        cwd=work, env=kept, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def ids(done: subprocess.CompletedProcess[str]) -> set[str]:
    return {json.loads(line)["id"] for line in done.stdout.splitlines()}


def test_all_by_the_context(work: Path, archive: Path, deliveries: Any) -> None:
    done = run(work, dir=str(archive), fdate="", md_tag="kyushu  flood")
    assert done.returncode == 0, done.stderr
    both = {f"{deliveries.slc_id}-md", f"{deliveries.geotiff_id}-md"}
    assert ids(done) == both
    reports = {"_context.json", "_alt_msg.txt", "pge_metrics.json"}
    assert {path.name for path in work.iterdir()} == both | reports
    for name in both:
        met = json.loads((work / name / f"{name}.met.json").read_text())
        assert met["tags"] == ["kyushu", "flood"]
        assert met["gekko_archive_files"]
    assert json.loads((work / "pge_metrics.json").read_text())["download"] == []
    again = run(work)
    assert again.returncode == 0, again.stderr
    assert {json.loads(line)["status"] for line in again.stdout.splitlines()} == {"unchanged"}


@pytest.mark.parametrize("form", ["{}-{}", "{}_{}"])
def test_flags_win(work: Path, archive: Path, deliveries: Any, form: str) -> None:
    frame, date = deliveries.slc_id[10:14], deliveries.slc_id[15:21]
    flags = ("-dir", str(archive), "-fdate", form.format(frame, date), "-md-tag", "x")
    done = run(work, *flags, dir="/nowhere", fdate="9999-990101", md_tag="y")
    assert done.returncode == 0, done.stderr
    assert ids(done) == {f"{deliveries.slc_id}-md"}


def test_without_a_context(work: Path, archive: Path, deliveries: Any) -> None:
    done = run(work, "-dir", str(archive / "order.zip"))
    assert done.returncode == 0, done.stderr
    assert ids(done) == {f"{deliveries.geotiff_id}-md"}


@pytest.mark.parametrize(
    ("context", "code", "error"),
    [
        ({"dir": " "}, 2, "UsageError: no folder"),
        ({"dir": 7}, 2, "UsageError: parameter 'dir'"),
        ({"dir": "{archive}", "fdate": "2018"}, 2, "UsageError: '2018' is no frame"),
        ({"dir": "{archive}", "fdate": "0000-180905"}, 6, "NothingFound: "),
        ({"dir": "{archive}/nowhere"}, 6, "NothingFound: "),
        ({"dir": "{archive}/empty"}, 3, "NoProduct: "),
    ],
)
def test_bad_words(
    work: Path, archive: Path, context: dict[str, Any], code: int, error: str
) -> None:
    (archive / "empty").mkdir()
    where = context["dir"]
    if isinstance(where, str):
        where = where.replace("{archive}", str(archive))
    done = run(work, **{**context, "dir": where})
    assert done.returncode == code, done.stderr
    assert (work / "_alt_error.txt").read_text().startswith(error)
    assert not list(work.glob("ALOS2*"))
    assert not (work / "pge_metrics.json").exists()


def test_damage(work: Path, archive: Path, deliveries: Any) -> None:
    zipped = archive / "order.zip"
    zipped.write_bytes(zipped.read_bytes()[:-30])
    done = run(work, dir=str(archive))
    assert done.returncode == 8, done.stderr
    assert ids(done) == {f"{deliveries.slc_id}-md"}
    assert "order.zip: BadArchive" in (work / "_alt_error.txt").read_text()
    assert (work / "_alt_msg.txt").read_text().startswith(f"{deliveries.slc_id}-md: new\n")
    shutil.rmtree(archive / "slc")
    assert run(work, dir=str(archive)).returncode == 3


def test_many_are_summed_up(work: Path, archive: Path) -> None:
    for number in range(6):
        (archive / f"{number}.zip").write_text("not a zip")
    done = run(work, dir=str(archive))
    assert done.returncode == 8, done.stderr
    assert (work / "_alt_msg.txt").read_text() == "2 new, 6 failed\n"
    details = (work / "_alt_msg_details.txt").read_text().splitlines()
    assert len(details) == 8
    assert details[2].startswith("0.zip: failed, BadArchive")
