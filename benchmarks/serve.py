"""The STAC API over HTTP at size, beside stac-fastapi on the same SQLite file.

Items are those of ``benchmarks/catalogue.py``, 5 kB each. Ours is ``alos2 serve`` as a process; the
peer is stac-fastapi (``stac-fastapi-api``, ``-extensions``, ``-types``) under the same uvicorn, in
a process of its own, with a client that asks the same R*Tree of the same file and hands over what
stac-fastapi wants: items as dictionaries. ``--peer-python`` names a Python that has it; without, no
peer is run. Both are asked the same boxes of 4 by 4 degrees and a year, ten items a page, by one
client in turn, and then by eight at once for searches a second.

``--load`` instead: 200 readers and one that enters datasets, for a minute, and no error.
"""

from __future__ import annotations

import argparse
import http.client
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

import requests

from _bench import Row, note, show
from alos2.catalogue.embedded import EmbeddedCatalogue
from catalogue import fresh, item_of, put_all

SIZES = {True: (1_000,), False: (100_000,)}
SEARCHES = 200
CLIENTS = 8
BUSY_S = 8.0
READERS = 200
LOAD_S = 60.0
PEER = Path(__file__).with_name("_stacfastapi.py")


def path_of(chance: random.Random) -> str:
    """Return a search that no answer can be kept for."""
    west, south, year = chance.uniform(130, 141), chance.uniform(31, 40), chance.randint(2015, 2021)
    box = f"{west:.3f},{south:.3f},{west + 4:.3f},{south + 4:.3f}"
    when = f"{year}-01-01T00:00:00Z/{year + 1}-01-01T00:00:00Z"
    return f"/search?bbox={box}&datetime={when}&limit=10"


@contextmanager
def process(command: list[str], url: str) -> Iterator[int]:
    """Run a server until it has been measured; give its process id."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                try:
                    requests.get(url, timeout=30)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield server.pid
        finally:
            server.terminate()


def rss_mb(process_id: int) -> float:
    """Peak memory of a server, MB."""
    status = Path(f"/proc/{process_id}/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ours(archive: Path, port: int) -> list[str]:
    source = Path(__file__).parent.parent / "pge"
    begin = "import sys; sys.path.insert(0, sys.argv.pop(1)); from alos2.cli import main; main()"
    command = [sys.executable, "-c", begin, str(source)]
    return [*command, "serve", "--archive", str(archive), "--port", str(port)]


class Client:
    """One connection that stays open, with as little of Python as there can be."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def get(self, path: str) -> bytes:
        """Return what is answered."""
        self._link.request("GET", self._path + path)
        answer = self._link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body


def latencies(url: str, path: Callable[[random.Random], str], count: int) -> list[float]:
    """Seconds of each of `count` requests on one connection, sorted."""
    client, chance, taken = Client(url), random.Random(1), []
    for _ in range(count):
        address = path(chance)
        start = time.perf_counter()
        client.get(address)
        taken.append(time.perf_counter() - start)
    return sorted(taken)


def throughput(url: str, seconds: float, clients: int = CLIENTS) -> float:
    """Count the searches a second of some clients at once."""
    done = [0] * clients
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        client, chance = Client(url), random.Random(number)
        while time.monotonic() < end:
            client.get(path_of(chance))
            done[number] += 1

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(done) / seconds


def measure(archive: Path, size: int, peer_python: str | None, runs: int) -> Iterator[Row]:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    busy_s = BUSY_S if size > min(SIZES[True]) else 1.0
    with process(ours(archive, port), f"{base}/api/facets") as server:
        asked = {
            "search, box and year": (f"{base}/stac", path_of),
            "facets, all": (base, lambda _: "/api/facets"),
            "facets, one mode": (base, lambda c: f"/api/facets?mode={c.choice(('FBD', 'UBS'))}"),
            "rows, 10,000": (base, lambda _: "/api/rows?limit=10000"),
            "an item": (
                f"{base}/stac",
                lambda c: f"/search?ids={item_of(c.randrange(size))['id']}",
            ),
        }
        found = {
            name: latencies(url, path, runs * (SEARCHES if "search" in name else 20))
            for name, (url, path) in asked.items()
        }
        rate = throughput(f"{base}/stac", busy_s)
        memory_mb = rss_mb(server)
    peer_s, peer_rate = None, None
    if peer_python is not None:
        other = f"http://127.0.0.1:{(port := free_port())}"
        file = archive / ".alos2-catalogue" / "catalogue.sqlite"
        with process([peer_python, str(PEER), str(file), str(port)], f"{other}/search?limit=1"):
            peer_s = statistics.median(latencies(other, path_of, runs * SEARCHES))
            peer_rate = throughput(other, busy_s)
    for name, taken in found.items():
        is_search = name.startswith("search")
        middle = statistics.median(taken)
        theirs = peer_s if is_search else None
        yield Row(
            name, f"{size:,} items", middle, "stac-fastapi, SQLite" if theirs else None, theirs,
            theirs / middle if theirs else None, memory_mb, len(taken),
            {"p95_ms": round(taken[int(0.95 * len(taken))] * 1e3, 2)},
        )  # fmt: skip
    yield Row(
        f"a search of {CLIENTS} clients at once", f"{size:,} items", 1 / rate,
        "stac-fastapi, SQLite" if peer_rate else None, 1 / peer_rate if peer_rate else None,
        rate / peer_rate if peer_rate else None, memory_mb, 1,
        {
            "searches_per_s": round(rate, 1),
            "peer_searches_per_s": peer_rate and round(peer_rate, 1),
        },
    )  # fmt: skip


def load(archive: Path, size: int, readers: int, seconds: float) -> Row:
    """Many readers and one writer; any error is told and counted."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    faults: list[str] = []
    taken: list[float] = []
    end = [time.monotonic() + seconds]
    entered = 0

    def ask(number: int) -> None:
        client, chance = Client(base), random.Random(number)
        paths: list[Callable[[], str]] = [
            lambda: f"/stac{path_of(chance)}",
            lambda: "/api/facets?mode=FBD",
            lambda: "/stac/collections",
        ]
        while time.monotonic() < end[0]:
            start = time.perf_counter()
            try:
                client.get(paths[number % 3]())
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                faults.append(repr(error)[:200])
            taken.append(time.perf_counter() - start)
            number += 1

    with process(ours(archive, port), f"{base}/api/facets") as server:
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(readers)]
        end[0] = time.monotonic() + seconds
        for one in threads:
            one.start()
        with EmbeddedCatalogue.open(archive) as catalogue:
            while time.monotonic() < end[0]:
                item = item_of(10_000_000 + entered)
                catalogue.put(item, archive / item["id"])
                entered += 1
                time.sleep(0.02)
        for one in threads:
            one.join()
        memory_mb = rss_mb(server)
    for fault in faults[:5]:
        note(fault)
    taken.sort()
    return Row(
        f"{readers} readers and a writer, {seconds:g} s", f"{size:,} items",
        statistics.median(taken), None, None, None, memory_mb, len(taken),
        {
            "errors": len(faults),
            "entered": entered,
            "p99_s": round(taken[int(0.99 * len(taken))], 2),
        },
    )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object a row")
    arguments.add_argument("--quick", action="store_true", help="a smaller case, for a first look")
    arguments.add_argument("--runs", type=int, default=3, help="rounds of each question")
    arguments.add_argument("--peer-python", help="a Python that has stac-fastapi")
    arguments.add_argument("--archive", type=Path, help="an archive that is filled already")
    arguments.add_argument("--load", action="store_true", help="many readers and one writer")
    options = arguments.parse_args()
    rows: list[Row] = []
    for size in SIZES[options.quick]:
        with tempfile.TemporaryDirectory() as folder:
            archive = options.archive or Path(folder)
            if options.archive is None:
                note(f"entering {size:,} items")
                fresh(archive, size)
                put_all(archive, size)
            with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
                size = len(catalogue)  # noqa: PLW2901
            if options.load:
                quick = (READERS // 10, LOAD_S / 10)
                rows.append(load(archive, size, *(quick if options.quick else (READERS, LOAD_S))))
            else:
                rows.extend(measure(archive, size, options.peer_python, options.runs))
    show(rows, as_json=options.json)


if __name__ == "__main__":
    main()
