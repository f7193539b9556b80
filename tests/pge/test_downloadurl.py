"""The PGE as a HySDS worker runs it: another directory, a context, no HOME, its files and codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

SCRIPT = Path(__file__).resolve().parents[2] / "pge" / "ingest_alos2_downloadurl.py"


def run(work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "PYTHONPATH")}
    environment.pop("COVERAGE_PROCESS_START", None)
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def url(deliveries: Any, httpserver: HTTPServer) -> str:
    httpserver.expect_request("/order.zip").respond_with_data(
        deliveries.slc.read_bytes(), content_type="application/zip"
    )
    return httpserver.url_for("/order.zip")


def test_url_from_the_context(deliveries: Any, tmp_path: Path, url: str) -> None:
    secret = url.replace("http://", "http://someone:planted-secret@")
    (tmp_path / "_context.json").write_text(json.dumps({"download_url": secret, "tag": "x"}))
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dataset_dir"] == str(tmp_path / deliveries.slc_id)
    assert (tmp_path / deliveries.slc_id / f"{deliveries.slc_id}.dataset.json").is_file()
    metrics = json.loads((tmp_path / "pge_metrics.json").read_text())
    (download,) = metrics["download"]
    assert download["url"] == url
    assert download["disk_usage"] == deliveries.slc.stat().st_size
    assert {p.name for p in tmp_path.iterdir()} == {
        "_context.json",
        "_alt_msg.txt",
        "pge_metrics.json",
        deliveries.slc_id,
    }
    written = done.stdout + done.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "_context.json":
            written += path.read_bytes().decode("latin-1")
    assert "planted-secret" not in written


def test_the_flag_wins_and_a_second_run_changes_nothing(
    deliveries: Any, tmp_path: Path, url: str
) -> None:
    (tmp_path / "_context.json").write_text(json.dumps({"download_url": "http://127.0.0.1:1/x"}))
    assert run(tmp_path, "-d", url).returncode == 0
    item = tmp_path / deliveries.slc_id / f"{deliveries.slc_id}.stac.json"
    before = item.stat().st_mtime_ns
    again = run(tmp_path, "-d", url)
    assert again.returncode == 0
    assert json.loads(again.stdout)["status"] == "unchanged"
    assert item.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("context", "code", "name"),
    [
        ({}, 2, "UsageError"),
        ({"download_url": "  "}, 2, "UsageError"),
        ({"download_url": 7}, 2, "UsageError"),
        ({"download_url": "gopher://h/x.zip"}, 2, "UsageError"),
    ],
)
def test_failures_are_told(
    tmp_path: Path, context: dict[str, object], code: int, name: str
) -> None:
    (tmp_path / "_context.json").write_text(json.dumps(context))
    done = run(tmp_path)
    assert done.returncode == code, done.stderr
    error = (tmp_path / "_alt_error.txt").read_text()
    assert error.startswith(name)
    trace = (tmp_path / "_alt_traceback.txt").read_text()
    assert "Traceback" in trace
    assert not (tmp_path / "pge_metrics.json").exists()
    names = {p.name for p in tmp_path.iterdir()}
    reports = {"_context.json", "_alt_error.txt", "_alt_traceback.txt"}
    # A job that got as far as a target has a line about it.
    assert names - {"_alt_msg.txt"} == reports


def test_no_report_of_a_failed_transfer_holds_a_secret(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/x.zip").respond_with_data("planted-secret", status=500)
    url = httpserver.url_for("/x.zip").replace("http://", "http://user:planted-secret@")
    done = run(tmp_path, "-v", "-d", f"{url}?key=planted-secret")
    assert done.returncode == 5, done.stderr
    written = done.stdout + done.stderr
    written += "".join(p.read_text() for p in tmp_path.iterdir())
    assert "TransferFailed" in written
    assert "planted-secret" not in written


def test_a_context_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "_context.json").write_text("{")
    done = run(tmp_path)
    assert done.returncode == 2
    assert "_context.json" in (tmp_path / "_alt_error.txt").read_text()


def test_a_page_is_exit_code_3(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x.zip").respond_with_data(
        "<html><title>Login</title></html>", content_type="text/html"
    )
    done = run(tmp_path, "-d", httpserver.url_for("/x.zip"))
    assert done.returncode == 3
    assert not [p for p in tmp_path.iterdir() if not p.name.startswith("_alt_")]
