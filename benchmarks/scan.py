"""The archive scan: a first scan and one with nothing new, beside ``find`` and a plain os.walk.

The archive is 20,000 folders of ten small files each, ``P###/F####/<date>``, all with names of a
product's files, so that each is asked for its size and time at each scan, as ``find`` does it.
Ours enters or compares all of them in the state database; no job is submitted, since level 3.1 is
asked for and level 1.1 is there. "command" is ``alos2 scan`` from nothing, Python's start included;
"in process" is the same without start and imports. The state lies on the same disk, and is synced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, alone, compare, note, parse_arguments, show
from alos2.scan.entering import Clock, Entering
from alos2.scan.options import STATE_FOLDER, ScanOptions
from alos2.scan.report import ScanReport
from alos2.scan.run import scan
from alos2.scan.state import writing
from alos2.scan.units import Unit, Wanted
from alos2.scan.walk import Found

ROOT = Path(__file__).resolve().parent.parent / "pge"
MB = 1_000_000
PRODUCT = "HBQR1.1__A"
NO_STATE, KEPT_STATE = "out", "kept"
FIND = ("-type", "f", "-printf", "%s %T@ %p\\n")
STATUS_ROWS = 1_000_000


def names_of(scene: str) -> list[str]:
    """Return the names of the ten files of a scene."""
    name = f"{scene}-{PRODUCT}"
    images = [f"IMG-{polarization}-{name}" for polarization in ("HH", "HV", "VH", "VV")]
    others = [f"LED-{name}", f"TRL-{name}", f"VOL-{name}", f"BRS-HH-{name}.jpg"]
    return [*images, *others, f"{scene}_{PRODUCT}.kml", "summary.txt"]


def scene_of(number: int) -> str:
    date = f"{15 + number // 10_000_000:02d}{1 + number % 12:02d}{1 + number % 28:02d}"
    return f"ALOS2{number % 100_000:05d}{number % 1000 * 10 % 10_000:04d}-{date}"


def make_archive(root: Path, folders: int) -> None:
    for number in range(folders):
        folder = root / f"P{number // 100 % 207:03d}" / f"F{number % 100:02d}00" / f"{number:06d}"
        folder.mkdir(parents=True)
        for name in names_of(scene_of(number)):
            (folder / name).write_bytes(b"x" * (20 + number % 50))


# Ours.


def options(root: Path, out: Path) -> ScanOptions:
    return ScanOptions((root,), out, wanted=Wanted(("3.1",)), settle_s=0.0)


def in_process(root: Path, out: Path) -> ScanReport:
    return scan(options(root, out), lambda _: None)


def command_line(root: Path, out: Path) -> list[str]:
    words = ["-q", "scan", str(root), "--out", str(out), "--levels", "3.1", "--settle", "0"]
    return [sys.executable, "-m", "alos2", *words]


def run_command(words: list[str]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)


def command(root: Path, out: Path) -> None:
    run_command(command_line(root, out))


def without_state(_root: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()


# The peers.


def with_find(root: Path, _out: Path) -> None:
    with subprocess.Popen(["find", str(root), *FIND], stdout=subprocess.PIPE) as process:
        while process.stdout and process.stdout.read(MB):
            pass


IMAGE = re.compile(r"IMG-[HV]{2}-ALOS2(\d{5})(\d{4})-(\d{6})-.{3}[LR]1\.1__[AD]")


def with_os_walk(root: Path, _out: Path) -> None:
    """Restate the reference's way, os.walk and a regex on each name, and gather the same facts.

    The reference asks for no sizes and times and keeps no state. Here both are gathered, and
    grouped by scene, in memory only.
    """
    scenes: dict[tuple[str, ...], list[tuple[str, int, int]]] = {}
    for folder, _, files in os.walk(root):
        facts = []
        for name in files:
            status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - as it is done
            facts.append((name, status.st_size, status.st_mtime_ns))
        for name in files:
            found = IMAGE.match(name)
            if found:
                scene = (folder, *found.groups())
                scenes[scene] = facts


# What else is measured.


def tree_peak_mb(words: list[str]) -> float:
    """Return the peaks of a command and of the processes it starts, summed (Linux)."""
    peaks: dict[str, float] = {}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment) as process:
        while process.poll() is None:
            for pid in (str(process.pid), *children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0.0), memory_mb(pid))
            time.sleep(0.005)
    return sum(peaks.values())


def children(pid: int) -> list[str]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return listed.read_text().split() if listed.exists() else []


def memory_mb(pid: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("VmHWM:"))


def check_rewritten(root: Path, out: Path) -> None:
    """Check that a file rewritten in place is noticed: same size, same time of the folder."""
    image = next(root.rglob("IMG-HH-*"))
    folder = image.parent.stat().st_mtime_ns
    image.write_bytes(image.read_bytes())
    report = in_process(root, out)
    if image.parent.stat().st_mtime_ns != folder or report.found != 1:
        raise RuntimeError(f"{image} was rewritten, and {report.found} scenes have changed")


def make_state(out: Path, rows: int) -> None:
    """Make a state of so many scenes, entered as the scan does it."""
    with writing(out / STATE_FOLDER) as state:
        entering = Entering(state, Clock(time.time_ns(), 0))
        for start in range(0, rows, 1000):
            entering.enter([_place(number) for number in range(start, start + 1000)])


def _place(number: int) -> Found:
    scene, path = scene_of(number), f"/archive/P{number % 207:03d}/{number:07d}"
    mark = number.to_bytes(16, "big")
    codes = "IMG-HH-*,IMG-HV-*,LED-*,TRL-*,VOL-*"
    unit = Unit(
        path, f"{scene}-{PRODUCT}-{number}-md", scene, PRODUCT, "ceos", codes, 10**9, 1, mark,
        in_zip=False, missing=(),
    )  # fmt: skip
    return Found(path, 0, mark, (unit,), "")


def status(out: Path) -> None:
    run_command([sys.executable, "-m", "alos2", "scan", "--status", "--out", str(out)])


def rows(folder: Path, *, quick: bool, runs: int) -> Iterator[Row]:
    peers: dict[str, Callable[[Path, Path], object]] = {"os.walk, regex, stat": with_os_walk}
    if shutil.which("find"):
        peers = {"find -printf": with_find, **peers}
    else:
        note("find is not installed: its rows are left out")
    folders = 1_000 if quick else 20_000
    half, root = folder / "half", folder / "archive"
    make_archive(half, folders // 2)
    make_archive(root, folders)
    kept, out = folder / KEPT_STATE, folder / NO_STATE
    for made in (kept, out):
        made.mkdir()
    in_process(root, kept)
    size = f"{folders * 10}"
    for name, prepare, state in (("first", without_state, out), ("again", None, kept)):
        if prepare:
            prepare(root, state)
        peak = round(tree_peak_mb(command_line(root, state)), 1)
        for how, run in (("command", command), ("in process", in_process)):
            found = compare(
                f"{name}, {how}",
                size,
                Case(run, (root, state), prepare),
                {peer: Case(other, (root, state)) for peer, other in peers.items()},
                runs=runs,
            )
            yield from (replace(row, peak_rss_mb=peak) for row in found)
    check_rewritten(root, kept)
    yield half_row(half, folders // 2, out)
    known = folder / "known"
    number = 50_000 if quick else STATUS_ROWS
    make_state(known, number)
    row = alone("status", f"{number} rows", Case(status, (known,)), runs=runs)
    words = [sys.executable, "-m", "alos2", "scan", "--status", "--out", str(known)]
    yield replace(row, peak_rss_mb=round(tree_peak_mb(words), 1))


def half_row(half: Path, folders: int, out: Path) -> Row:
    """Scan half as many files: the memory for them beside that for all tells whether it grows."""
    without_state(half, out)
    peak = round(tree_peak_mb(command_line(half, out)), 1)
    row = alone("first, half", f"{folders * 10}", Case(command, (half, out), without_state), runs=1)
    return replace(row, peak_rss_mb=peak)


def main() -> None:
    arguments = parse_arguments((__doc__ or "").splitlines()[0])
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder), quick=arguments.quick, runs=arguments.runs or 5)
        show(found, as_json=arguments.json)


if __name__ == "__main__":
    main()
