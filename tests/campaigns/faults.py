"""The fault campaign: transfers through everything that can go wrong, drawn at random.

    python tests/campaigns/faults.py --transfers 2000 --seed 7

Each transfer has a server object of its own (validators honest, weak, lying or none; ranges kept
to or ignored; lengths told or not; one to three versions, some of them twins that differ in a few
bytes), a few faults, and perhaps an end before its time: SIGKILL, SIGTERM or SIGINT at a random
byte or moment, after which it is run again in the same folder. The outcome must be the bytes of
one version or a named error. The last line is ``transfers=N right=… refused=… corrupt=…``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.range_server import LOGIN_PAGE, Fault, Object, RangeServer

CHILD = Path(__file__).with_name("transferring.py")
STALL_S = 0.25
OPTIONS = {
    "connect_s": 5.0,
    "stall_s": STALL_S,
    "retries": 4,
    "backoff_s": 0.01,
    "backoff_max_s": 0.05,
    "renew_bytes": 20_000,
    "chunk_bytes": 16_384,
    "checkpoint_bytes": 65_536,
    "overlap_bytes": 32_768,
    "margin_bytes": 0,
}
_EARLY_ENDS = 3
_RUNS_AFTER = 2
"""How often the same command is given again after an error that says so."""


@dataclass
class Plan:
    """One transfer, all of it drawn from its own seed."""

    number: int
    versions: list[bytes]
    served: Object
    faults: list[Fault]
    ends: list[dict[str, Any]]


@dataclass
class Tally:
    """What came of all of them."""

    right: int = 0
    refused: int = 0
    corrupt: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    ended_early: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)
    """What must not be: one sentence each."""

    @property
    def transfers(self) -> int:
        return self.right + self.refused + self.corrupt

    def line(self) -> str:
        return (
            f"transfers={self.transfers} right={self.right} refused={self.refused} "
            f"corrupt={self.corrupt}"
        )


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _versions(draw: random.Random) -> list[bytes]:
    size = int(100_000 * 30 ** draw.random())
    members = [
        (f"IMG-{n}", draw.randbytes(size // count))
        for count in [draw.randint(1, 4)]
        for n in range(count)
    ]
    versions = [_zip(members)]
    while draw.random() < 0.4 and len(versions) < 3:
        if draw.random() < 0.5:  # a twin: as long, a few bytes differ, somewhere
            which = draw.randrange(len(members))
            data = bytearray(members[which][1])
            data[draw.randrange(len(data))] ^= 1
            members = [*members[:which], (members[which][0], bytes(data)), *members[which + 1 :]]
        else:
            members = [(name, draw.randbytes(len(data))) for name, data in members]
            if draw.random() < 0.5:
                members = members[: draw.randint(1, len(members))]
        versions.append(_zip(members))
    return versions


def _fault(draw: random.Random, size: int) -> tuple[str, Fault]:
    at = int(size * draw.random() ** draw.choice((0.5, 1, 2)))
    soon = formatdate(time.time() - 5, usegmt=True)
    kinds = {
        "cut": Fault(cut_at=at),
        "reset": Fault(cut_at=at, reset=True),
        "stall": Fault(cut_at=at, stall_s=3 * STALL_S),
        "longer": Fault(length_lie=draw.choice((1, 1000, 10**6))),
        "shorter": Fault(length_lie=-draw.choice((1, 1000, size // 2))),
        "changed": Fault(cut_at=at, change=True),
        "no range": Fault(ignore_range=True, cut_at=draw.choice((None, at))),
        "wrong range": Fault(range_shift=draw.choice((-1000, -1, 1, 1000))),
        "lying range": Fault(silent_shift=draw.choice((1, 64, 5000))),
        "wrong total": Fault(total_lie=draw.choice((-1, 1, 1000))),
        "no content-range": Fault(no_content_range=True),
        "416": Fault(say_416=True),
        "503": Fault(status=503, retry_after=draw.choice((None, "0", "0", soon, "later"))),
        "429": Fault(status=429, retry_after=draw.choice(("0", "0", "0", "1"))),
        "html tail": Fault(html_tail=True, cut_at=None),
        "page": Fault(page=LOGIN_PAGE),
        "gzip": Fault(gzip=True, cut_at=draw.choice((None, at))),
        "dropped": Fault(cut_at=0, reset=True),
    }
    weights = {"cut": 5, "reset": 4, "changed": 5, "page": 0.3, "html tail": 0.7, "shorter": 0.7}
    names = list(kinds)
    (name,) = draw.choices(names, [weights.get(n, 1.5) for n in names])
    return name, kinds[name]


def _end(draw: random.Random, size: int) -> dict[str, Any]:
    number = draw.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    if draw.random() < 0.5:
        return {"signal": int(number), "at_bytes": draw.randrange(1, size)}
    return {"signal": int(number), "after_s": 0.08 * draw.random() ** 2}


def plan(seed: int, number: int, tally: Tally | None = None) -> Plan:
    """Draw one transfer; the same seed and number give the same."""
    draw = random.Random(f"{seed}/{number}")
    versions = _versions(draw)
    served = Object(
        versions,
        etag=draw.choice(
            ("strong", "strong", "strong", "weak", "none", "none", "changing", "same")
        ),
        modified=draw.choice(("none", "old", "young", "same")),
        ranges=draw.random() < 0.85,
        if_range=draw.random() < 0.8,
        length=draw.choice(("true", "true", "true", "true", "none", "chunked")),
        disposition=draw.choice((None, None, 'attachment; filename="0000022708_001.zip"')),
    )
    faults = []
    for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4, 6))):
        name, fault = _fault(draw, len(versions[0]))
        faults.append(fault)
        if tally is not None:
            tally.faults[name] += 1
    ends = []
    while draw.random() < 0.35 and len(ends) < _EARLY_ENDS:
        ends.append(_end(draw, len(versions[0])))
    return Plan(number, versions, served, faults, ends)


class Worker:
    """The warm process, on loopback and without an account or a cache of the user's."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ,
            "NETRC": str(folder / "no-netrc"),
            "ALOS2_CACHE": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def run(self, order: dict[str, Any]) -> int:
        """Transfer in a child; return its exit code, or minus its signal."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()


def transfer(mine: Plan, server: RangeServer, worker: Worker, folder: Path, tally: Tally) -> None:
    """Run one plan to its end and judge it."""
    path = f"/{mine.number}/x.zip"
    url = server.put(path, mine.served, *mine.faults)
    work, result = folder / f"{mine.number}", folder / f"{mine.number}.json"
    outcome: dict[str, Any] = {}
    ends: list[dict[str, Any] | None] = [*mine.ends, *[None] * (1 + _RUNS_AFTER)]
    for end in ends:
        result.unlink(missing_ok=True)
        order = {"url": url, "work": str(work), "result": str(result)}
        code = worker.run({**order, "options": OPTIONS, "end": end})
        if not result.exists():
            tally.ended_early += 1
            if end is None:
                tally.wrong.append(f"#{mine.number}: the process ended by itself ({code})")
            outcome = {"crash": f"ended with {code}"}
            continue
        outcome = json.loads(result.read_text())
        if outcome.get("code") in (130, 143):
            tally.ended_early += 1
        elif outcome.get("code") not in (4, 5, 6):
            break
    tally.resumed += sum(seen.status == 206 for seen in server.asked(path))
    server.remove(path)
    _judge(mine, outcome, work, tally)
    result.unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)


def _judge(mine: Plan, outcome: dict[str, Any], work: Path, tally: Tally) -> None:
    there = {p.name for p in work.iterdir()} if work.is_dir() else set()
    if "path" in outcome:
        body = Path(outcome["path"]).read_bytes()
        if body in mine.versions and outcome["sha256"] == hashlib.sha256(body).hexdigest():
            tally.right += 1
            name = Path(outcome["path"]).name
            litter = there - {name, f".{name}.receipt.json"}
        else:
            tally.corrupt += 1
            litter = set()
            tally.wrong.append(f"#{mine.number}: {len(body)} bytes that nobody served")
    else:
        tally.refused += 1
        tally.errors[outcome.get("error", "crash")] += 1
        litter = {n for n in there if not n.endswith((".part", ".part.json"))}
        if "crash" in outcome:
            tally.wrong.append(f"#{mine.number}: {outcome['crash']}")
    if litter:
        tally.wrong.append(f"#{mine.number}: left {sorted(litter)}")


def campaign(count: int, seed: int, *, workers: int = 2, first: int = 0) -> Tally:
    """Run `count` transfers, several at a time."""
    tally = Tally()
    numbers = iter(range(first, first + count))
    lock = threading.Lock()
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory(prefix="alos2-faults-") as name, RangeServer() as server:
        folder = Path(name)

        def work() -> None:
            worker = Worker(folder)
            try:
                while not failures:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    mine = Tally()
                    transfer(plan(seed, number, mine), server, worker, folder, mine)
                    with lock:
                        _add(tally, mine)
            except BaseException as error:  # noqa: BLE001  raised below, in the main thread
                failures.append(error)
            finally:
                worker.close()

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return tally


def _add(tally: Tally, mine: Tally) -> None:
    for name in ("right", "refused", "corrupt", "ended_early", "resumed"):
        setattr(tally, name, getattr(tally, name) + getattr(mine, name))
    tally.faults.update(mine.faults)
    tally.errors.update(mine.errors)
    tally.wrong.extend(mine.wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--transfers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument("--only", type=int, default=None, help="number of the one to repeat")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"seed={seed}", flush=True)
    began = time.monotonic()
    if chosen.only is not None:
        tally = campaign(1, seed, workers=1, first=chosen.only)
    else:
        tally = campaign(chosen.transfers, seed, workers=chosen.workers)
    for title, counted in (("faults", tally.faults), ("refused with", tally.errors)):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in sorted(counted.items())))
    print(
        f"ended early: {tally.ended_early}; answers that continued: {tally.resumed}; "
        f"{time.monotonic() - began:.0f} s"
    )
    for sentence in tally.wrong:
        print(sentence)
    print(tally.line())
    return 1 if tally.wrong or tally.corrupt else 0


if __name__ == "__main__":
    sys.exit(main())
