"""Bad input through the real command and the real PGE: exit codes, one line, nothing left."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

SCRIPT = Path(__file__).resolve().parents[2] / "pge" / "ingest_alos2_downloadurl.py"
HTML = b"<!DOCTYPE html><html><head><title>Please log in</title></head></html>"


def run(
    *arguments: object, cwd: Path, limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; `limit` is the largest file that it may write, bytes."""
    command = [sys.executable, *map(str, arguments)]
    if limit is not None:
        shell = f"ulimit -f {limit // 512}; trap '' XFSZ; exec \"$@\""
        command = ["sh", "-c", shell, "sh", *command]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def refused(
    target: object, name: str, *words: str, cwd: Path, code: int = 3, limit: int | None = None
) -> None:
    """``alos2 ingest`` ends with `code` and one line that begins with the error's `name`."""
    out = cwd / "out"
    out.mkdir(exist_ok=True)
    (out / "mine").write_text("mine")
    done = run("-m", "alos2", "ingest", target, "--out", out, cwd=cwd, limit=limit)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"alos2: {name}: ")
    for word in words:
        assert word in line
    assert [path.name for path in out.iterdir()] == ["mine"]


def damaged(source: Path, folder: Path, start: str, data: bytes | None) -> tuple[Path, str]:
    shutil.copytree(source, folder)
    (file,) = folder.glob(f"{start}*")
    file.write_bytes(file.read_bytes()[:-700] if data is None else data)
    return folder, file.name


@pytest.mark.parametrize(
    ("start", "data"), [("LED-", None), ("IMG-HV-", None), ("VOL-", HTML), ("summary", b"")]
)
def test_a_damaged_file(deliveries: Any, tmp_path: Path, start: str, data: bytes | None) -> None:
    folder, name = damaged(deliveries.slc_dir, tmp_path / "in", start, data)
    refused(folder, "BadProduct", name, cwd=tmp_path)
    done = run("-m", "alos2", "info", folder, "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert name in {problem["file"] for problem in json.loads(done.stdout)["problems"]}


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (HTML, "HTML"), (b"PK\x03\x04", "cut"), (b"PK\x05\x06" + bytes(18), "")],
    ids=["0 bytes", "page", "cut", "nothing in it"],
)
def test_a_bad_zip(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "order.zip").write_bytes(data)
    name = "NoProduct" if not words else "BadArchive"
    refused(tmp_path / "order.zip", name, "order.zip" if words else "", words, cwd=tmp_path)


def test_an_unsafe_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "order.zip", "w") as archive:
        archive.writestr("../../evil", "x")
    refused(tmp_path / "order.zip", "UnsafeArchive", "order.zip", "'..'", cwd=tmp_path)
    assert not list(tmp_path.parent.glob("evil"))


def test_a_page_behind_a_url(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/o.zip").respond_with_data(HTML, content_type="text/html")
    refused(httpserver.url_for("/o.zip"), "BadArchive", "Please log in", cwd=tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="needs ulimit")
@pytest.mark.parametrize("limit", [1 << 12, 1 << 16])
def test_a_disk_that_becomes_full(deliveries: Any, tmp_path: Path, limit: int) -> None:
    """A limit on the size of files stands for a full disk: the system's refusal is the same."""
    words = "no space left while writing"
    refused(deliveries.slc, "NoSpace", words, cwd=tmp_path, code=9, limit=limit)


@pytest.mark.skipif(os.name == "nt", reason="needs ulimit")
def test_a_disk_that_becomes_full_by_pictures_and_zip(deliveries: Any, tmp_path: Path) -> None:
    """The product is a folder: the first that is written are pictures, then the zip."""
    refused(deliveries.slc_dir, "NoSpace", cwd=tmp_path, code=9, limit=1 << 11)
    refused(deliveries.slc_dir, "NoSpace", cwd=tmp_path, code=9, limit=1 << 16)


def test_the_output_is_a_file(deliveries: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = run("-m", "alos2", "ingest", deliveries.slc, "--out", "file/x", cwd=tmp_path)
    assert done.returncode == 2
    assert "UsageError" in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "context",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"download_url": ' + b"9" * 5000 + b"}",
        b'{"download_url": ["http://h/x.zip"]}',
        b'{"download_url": {"$ref": "x"}}',
        b'{"download_url": null}',
        b'{"download_url": "http://"}',
        b'{"download_url": "http://[::1/x.zip"}',
        b'{"download_url": "not a url\\u0000"}',
    ],
    ids=range(13),
)
def test_contexts(tmp_path: Path, context: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_context.json").write_bytes(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = runpy.run_path(str(SCRIPT))["main"]()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert code in (2, 6)
    names = {path.name for path in tmp_path.iterdir()}
    assert names - {"_alt_msg.txt"} == {"_context.json", "_alt_error.txt", "_alt_traceback.txt"}
    told = (tmp_path / "_alt_error.txt").read_text()
    assert told.startswith(("UsageError: ", "NothingFound: "))


def test_a_context_that_nests_too_deeply_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "_context.json").write_bytes(b"[" * 100_000)
    done = run(SCRIPT, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert (tmp_path / "_alt_error.txt").read_text().startswith("UsageError: ")


def test_a_context_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "_context.json").mkdir()
    done = run(SCRIPT, cwd=tmp_path)
    assert done.returncode == 2
    assert "_context.json" in (tmp_path / "_alt_error.txt").read_text()


def test_a_bad_product_under_hysds(deliveries: Any, tmp_path: Path, httpserver: HTTPServer) -> None:
    folder, name = damaged(deliveries.slc_dir, tmp_path / "in", "LED-", None)
    archive = Path(shutil.make_archive(str(tmp_path / "order"), "zip", folder))
    httpserver.expect_request("/o.zip").respond_with_data(archive.read_bytes())
    work = tmp_path / "work"
    work.mkdir()
    context = {"download_url": httpserver.url_for("/o.zip"), "deep": [[[[]]]], "n": 1e308}
    (work / "_context.json").write_text(json.dumps(context))
    done = run(SCRIPT, cwd=work)
    assert done.returncode == 3
    told = (work / "_alt_error.txt").read_text()
    assert told.startswith("BadProduct: ")
    assert name in told
    names = {path.name for path in work.iterdir()}
    assert names == {"_context.json", "_alt_error.txt", "_alt_traceback.txt", "_alt_msg.txt"}
    assert "BadProduct: " in (work / "_alt_msg.txt").read_text()
