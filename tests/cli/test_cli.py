"""The command as a person types it: output, exit codes, one clear line for each error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "id", "type", "dataset", "level", "format", "mode", "polarizations", "beams", "look", "pass",
    "footprint", "footprint_source", "footprint_method", "starttime", "endtime", "path", "orbit",
    "frame", "problems", "files", "dataset_dir", "status",
}  # fmt: skip


def alos2(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alos2", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_info_prints_one_object_a_product(deliveries: Any) -> None:
    done = alos2("info", deliveries.slc, deliveries.geotiff, "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    first, second = map(json.loads, done.stdout.splitlines())
    assert set(first) == set(second) == KEYS
    assert first["id"] == deliveries.slc_id
    assert first["polarizations"] == ["HH", "HV"]
    assert first["footprint"]["type"] == "Polygon"
    assert first["footprint_source"] == "geometry"
    assert (type(first["path"]), type(first["orbit"]), type(first["frame"])) == (int, str, str)
    assert len(first["orbit"]) == 5
    assert len(first["frame"]) == 4
    assert first["problems"] == []
    assert first["starttime"].endswith("Z")
    assert first["dataset_dir"] is None
    assert (second["level"], second["format"]) == ("2.1", "geotiff")


def test_info_for_people(deliveries: Any) -> None:
    done = alos2("info", deliveries.slc)
    assert deliveries.slc_id in done.stdout
    assert "ascending, right" in done.stdout


def test_info_lists_problems_and_ends_well(deliveries: Any, tmp_path: Path) -> None:
    for path in deliveries.slc_dir.iterdir():
        if not path.name.startswith(("LED-", "IMG-HV")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (image,) = tmp_path.glob("IMG-HH-*")
    image.write_bytes(image.read_bytes()[:-5000])
    done = alos2("info", tmp_path, "--json")
    assert done.returncode == 0
    codes = {problem["code"] for problem in json.loads(done.stdout)["problems"]}
    assert {"missing_leader", "missing_polarization", "short_image"} <= codes


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("info",), 2),
        (("nothing",), 2),
        (("ingest",), 2),
        (("ingest", "url", "no-url"), 2),
        (("ingest", "gopher://bucket/key.zip"), 2),
        (("info", "not-here.zip"), 6),
        (("ingest", "not-here.zip"), 6),
        (("simulate", "x", "--mode", "XYZ"), 2),
        (("simulate", "x", "--pixels", "1"), 2),
        (("simulate", "x", "--lat", "89.9"), 2),
        (("--version",), 0),
        (("--help",), 0),
        (("ingest", "--help"), 0),
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    done = alos2(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert code == 0 or done.stderr.strip()
    assert not list(tmp_path.iterdir())


def test_ingest_into_the_archive_of_the_environment(deliveries: Any, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    done = alos2("ingest", deliveries.slc, "--json", ALOS2_ARCHIVE=str(archive))
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert set(line) == KEYS
    assert line["dataset_dir"] == str(archive / deliveries.slc_id)
    flag = tmp_path / "flag"
    done = alos2("ingest", deliveries.slc, "--json", "--out", flag, ALOS2_ARCHIVE=str(archive))
    assert json.loads(done.stdout)["dataset_dir"] == str(flag / deliveries.slc_id)


def test_settings_from_a_file(deliveries: Any, tmp_path: Path) -> None:
    config = tmp_path / "alos2.toml"
    config.write_text(f'archive = "{(tmp_path / "there").as_posix()}"\n')
    done = alos2("ingest", deliveries.slc, "--json", ALOS2_CONFIG=str(config))
    assert json.loads(done.stdout)["dataset_dir"] == str(tmp_path / "there" / deliveries.slc_id)
    config.write_text("archiv = 1\n")
    done = alos2("ingest", deliveries.slc, ALOS2_CONFIG=str(config))
    assert done.returncode == 2
    assert "archiv" in done.stderr


def test_limits_from_the_environment(deliveries: Any, tmp_path: Path) -> None:
    done = alos2("ingest", deliveries.slc, cwd=tmp_path, ALOS2_LIMIT_TOTAL_BYTES="1000")
    assert done.returncode == 3
    assert done.stderr.startswith("alos2: UnsafeArchive")
    done = alos2("ingest", deliveries.slc, cwd=tmp_path, ALOS2_LIMIT_ENTRIES="many")
    assert done.returncode == 2
    assert "ALOS2_LIMIT_ENTRIES" in done.stderr
    assert not list(tmp_path.iterdir())


def test_some_done_some_failed(deliveries: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 but no more")
    done = alos2("ingest", deliveries.slc, tmp_path / "bad.zip", "--out", tmp_path / "out")
    assert done.returncode == 8
    assert "SomeFailed" in done.stderr
    assert "bad.zip" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM ends a process at once on Windows")
def test_sigterm_leaves_nothing(deliveries: Any, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "alos2", "-v", "ingest", str(deliveries.geotiff)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for text in process.stderr:
        if "unpacking" in text:
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=60)[1]
    if process.returncode != 0:  # it may have been quicker than the signal
        assert process.returncode == 143
        assert "Traceback" not in rest
        assert not list(tmp_path.iterdir())


def test_log_lines_are_json_when_asked(deliveries: Any, tmp_path: Path) -> None:
    done = alos2("--log-json", "-v", "ingest", deliveries.slc, "--out", tmp_path)
    lines = [json.loads(text) for text in done.stderr.splitlines()]
    assert lines
    assert all(line["time"].endswith("Z") and line["job"] == "ingest" for line in lines)
    assert deliveries.slc_id in {line["product"] for line in lines}


def test_a_broken_pipe_is_no_fault(deliveries: Any) -> None:
    command = f"'{sys.executable}' -m alos2 info --json '{deliveries.slc}' | true; exit $?"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
