"""``alos2 serve`` as a process: start, ports, tokens, end; and many at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import NoResource, UsageError
from alos2.web.app import create_app
from alos2.web.options import ServeOptions, is_loopback
from alos2.web.serve import check, listen, token_of
from fakes.served import SLC, free_port, golden, lay, served, small_archive, variant

COMMAND = [sys.executable, "-m", "alos2", "serve"]


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The command as a process of its own, and what it says of itself once it answers."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_ends_within_seconds(small: Any, number: signal.Signals) -> None:
    with running("--archive", str(small[0])) as (process, said):
        assert requests.get(said["stac"], timeout=10).json()["type"] == "Catalog"
        # Somebody who is silent must not hold it up.
        place = ("127.0.0.1", int(said["url"].rsplit(":", 1)[1]))
        with socket.create_connection(place, timeout=5):
            process.send_signal(number)
            start = time.monotonic()
            process.wait(15)
        assert time.monotonic() - start < 10
        assert process.returncode in (0, 130, 143, -number)


def test_the_archive_of_the_settings_is_the_default(small: Any) -> None:
    with running(ALOS2_ARCHIVE=str(small[0])) as (_, said):
        assert said["archive"] == str(small[0])
        assert requests.get(f"{said['url']}/api/session", timeout=10).json()["count"] == 24


def test_a_port_in_use_is_said_clearly(small: Any) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = subprocess.run(
            [*COMMAND, "--archive", str(small[0]), "--port", str(port)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 9
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_archive_is_served_and_a_missing_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with running("--archive", str(tmp_path / "empty")) as (_, said):
        page = requests.get(f"{said['stac']}/search", timeout=10).json()
        assert page["features"] == []
        assert requests.get(f"{said['url']}/api/facets", timeout=10).json()["total"] == 0
    done = subprocess.run(
        [*COMMAND, "--archive", str(tmp_path / "none")], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 6


def test_what_would_not_be_safe_is_refused() -> None:
    with pytest.raises(UsageError, match="fewer than 16"):
        check(ServeOptions(token="short"))
    with pytest.raises(UsageError, match="reachable for others"):
        check(ServeOptions(host="0.0.0.0", allow_ingest=True))
    check(ServeOptions(host="0.0.0.0", allow_ingest=True, token="x" * 20))
    check(ServeOptions(host="0.0.0.0"))
    check(ServeOptions(allow_ingest=True))
    with pytest.raises(UsageError, match="no address"):
        listen(ServeOptions(host="no.such.host.invalid"))
    with pytest.raises((UsageError, NoResource)):
        listen(ServeOptions(host="192.0.2.1", port=0))


def test_loopback_is_known() -> None:
    assert all(
        is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")
    )
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example", ""))


def test_the_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" a-token-in-a-file-1 \n", "utf-8")
    assert token_of("of-the-environment", file) == "a-token-in-a-file-1"
    assert token_of(" of-the-environment ", None) == "of-the-environment"
    assert token_of(" ", None) is None
    assert "a-token" not in repr(ServeOptions(token="a-token-in-a-file-1"))
    file.write_text("\n", "utf-8")
    for bad in (file, tmp_path / "none"):
        with pytest.raises(UsageError, match="token's file"):
            token_of(None, bad)


def test_many_read_while_one_ingests(tmp_path: Path) -> None:
    """The short form of `benchmarks/serve.py --load`: nobody sees an error or half a dataset."""
    archive = tmp_path / "archive"
    small_archive(archive)
    faults: list[str] = []
    counts: list[int] = []
    stop = threading.Event()

    def read(url: str, number: int) -> None:
        session = requests.Session()
        paths = ["/stac/search?limit=5&bbox=138,34,141,37", "/api/facets", "/api/rows?limit=50"]
        while not stop.is_set():
            answer = session.get(f"{url}{paths[number % 3]}", timeout=30)
            if answer.status_code != 200:
                faults.append(answer.text)
            elif number % 3:
                counts.append(answer.json()["total"])
            number += 1

    def write() -> None:
        with EmbeddedCatalogue.open(archive) as catalogue:
            for number in range(100, 130):
                item = variant(golden(SLC), number)
                catalogue.put(item, lay(archive, item))
                time.sleep(0.03)

    with served(create_app(archive, ServeOptions(port=0))) as url:
        readers = [threading.Thread(target=read, args=(url, n)) for n in range(12)]
        for one in readers:
            one.start()
        write()
        stop.set()
        for one in readers:
            one.join(30)
        total = requests.get(f"{url}/api/facets", timeout=10).json()["total"]
    assert faults == []
    assert total == 54
    assert min(counts) >= 24
    assert max(counts) <= 54


def test_a_rebuild_is_seen_by_those_who_read(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    small_archive(archive)
    with served(create_app(archive, ServeOptions(port=0))) as url:
        assert requests.get(f"{url}/api/facets", timeout=10).json()["total"] == 24
        item = variant(golden(SLC), 200)
        lay(archive, item)
        with EmbeddedCatalogue.open(archive) as catalogue:
            catalogue.rebuild()
        for _ in range(8):
            assert requests.get(f"{url}/api/facets", timeout=10).json()["total"] == 25
        found = requests.get(f"{url}/stac/search?ids={item['id']}", timeout=10).json()
        assert [one["id"] for one in found["features"]] == [item["id"]]
