"""Metadata of a delivery zip: ours in place, beside unzip and xarray-ceos-alos2's open.

The deliveries are as AUIG2 hands them out: a zip of deflated files, stored in a zip. Ours reads
names, records and the footprint without unpacking; the peer has to unpack, and then reads the
prefix of every line too, but knows no footprint. ``read_mb`` is what ours asked the system to read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, alone, compare, note, parse_arguments, run_once, show
from alos2.archive.members import FileMember
from alos2.footprint import FootprintOptions
from alos2.footprint.geometry import geometry_footprint
from alos2.footprint.provider import Question
from alos2.jobs.info import describe
from alos2.product.recognise import products_from
from alos2.types import Level

MB = 1_000_000
ROOT = Path(__file__).resolve().parent.parent / "pge"
QUICK = ((500, 1_000),)
WHOLE = ((3_000, 2_100), (6_000, 4_200), (15_000, 8_400))
"""Lines and pixels of two polarisations: the last is about a whole FBD scene, two GB."""
PEER = "xarray-ceos-alos2"
OPEN = "from ceos_alos2.xarray import open_alos2; import sys; open_alos2(sys.argv[1], chunks={})"


@dataclass(frozen=True)
class Delivery:
    """One simulated product, as a folder and as AUIG2 packs it."""

    folder: Path
    archive: Path

    @property
    def size(self) -> str:
        """Of the zip."""
        return f"{self.archive.stat().st_size / MB:.0f} MB"

    @property
    def geometry_files(self) -> tuple[Path, ...]:
        """Leader and images: what a footprint needs."""
        return tuple(p for p in sorted(self.folder.iterdir()) if p.name[:3] in ("LED", "IMG"))


def make_delivery(where: Path, lines: int, pixels: int, *, level: Level = "1.1") -> Delivery:
    from alos2.simulate import SimulationSpec, simulate  # noqa: PLC0415 - not what is measured

    spec = SimulationSpec(level=level, mode="FBD", pixels=pixels, lines=lines, seed=1)
    folder = simulate(spec, where).product_dir
    inner, outer = where / "0000000001_001001_ALOS2.zip", where / "0000000001.zip"
    pack(sorted(folder.iterdir()), inner, zipfile.ZIP_DEFLATED)
    pack([inner], outer, zipfile.ZIP_STORED)
    return Delivery(folder, outer)


def pack(files: Sequence[Path], archive: Path, method: int) -> None:
    with zipfile.ZipFile(archive, "w", method, compresslevel=1) as target:
        for path in files:
            target.write(path, path.name)


def packed_twice(delivery: Delivery) -> Path:
    """Deflate the inner zip once more: what hides its directory from everybody."""
    outer = delivery.archive.with_name("deflated.zip")
    inner = delivery.archive.with_name("0000000001_001001_ALOS2.zip")
    pack([inner], outer, zipfile.ZIP_DEFLATED)
    return outer


# What is measured in a process that has imported and done it before, with a tiny product: each
# takes what to look at, the same in tiny, and a folder to unpack into.


def warm_ours(_path: Path, tiny: Path, _work: Path) -> None:
    describe(tiny)


def with_ours(path: Path, _tiny: Path, _work: Path) -> None:
    describe(path)


def warm_peer(_path: Path, tiny: Path, work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    with_peer(tiny, tiny, work)
    shutil.rmtree(work, ignore_errors=True)


def with_peer(path: Path, _tiny: Path, work: Path) -> None:
    from ceos_alos2.xarray import open_alos2  # noqa: PLC0415 - optional

    open_alos2(str(path if path.is_dir() else unzipped(path, work)), chunks={})


def unzipped(archive: Path, work: Path) -> Path:
    """Unpack a nested delivery by ``unzip``; return the product's folder."""
    outer, inner = work / "outer", work / "inner"
    work.mkdir()
    subprocess.run(["unzip", "-q", str(archive), "-d", str(outer)], check=True)
    found = next(outer.glob("*.zip"))
    subprocess.run(["unzip", "-q", str(found), "-d", str(inner)], check=True)
    return inner


def warm_footprint(_files: Sequence[Path], tiny: Sequence[Path]) -> None:
    footprint_of(tiny, tiny)


def footprint_of(files: Sequence[Path], _tiny: Sequence[Path]) -> None:
    """From leader and images' headers to the footprint."""
    (product,) = products_from([FileMember.of(path) for path in files])
    geometry_footprint(Question(product, FootprintOptions(sarcat=False)))


def warm_leader(_files: Sequence[Path], tiny: Sequence[Path]) -> None:
    peer_leader(tiny, tiny)


def peer_leader(files: Sequence[Path], _tiny: Sequence[Path]) -> None:
    import fsspec  # noqa: PLC0415 - comes with the peer
    from ceos_alos2.sar_leader import open_sar_leader  # noqa: PLC0415 - optional

    leader = next(path for path in files if path.name.startswith("LED"))
    open_sar_leader(fsspec.get_mapper(str(leader.parent)), leader.name)


# What is measured as a command, from nothing.


def info_command(path: Path) -> list[str]:
    return [sys.executable, "-m", "alos2", "info", str(path), "--json"]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "ALOS2_SARCAT": "off"}


def ours_command(path: Path, _work: Path) -> None:
    subprocess.run(info_command(path), check=True, stdout=subprocess.DEVNULL, env=environment())


def clear(_path: Path, work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)


def peer_command(path: Path, work: Path) -> None:
    subprocess.run([sys.executable, "-c", OPEN, str(unzipped(path, work))], check=True)


def command_peak_mb(command: Sequence[str]) -> float:
    """Peak memory of a command, looked at until it ends (Linux; else not a number)."""
    peak = float("nan")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment()) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            lines = status.read_text().splitlines() if status.exists() else []
            for line in lines:
                if line.startswith("VmHWM:"):
                    peak = int(line.split()[1]) * 1024 / MB
            time.sleep(0.003)
    return peak


def read_mb(path: Path, tiny: Path, work: Path) -> float | None:
    """Count what ours asks the system to read, in a process of its own (Linux; else None)."""
    if not Path("/proc/self/io").exists():
        return None
    report = work.with_name("read.json")
    run_once(Case(_counted, (path, tiny, report)))
    return float(json.loads(report.read_text()))


def _counted(path: Path, tiny: Path, report: Path) -> None:
    describe(tiny)
    before = _read_bytes()
    describe(path)
    report.write_text(json.dumps(round((_read_bytes() - before) / MB, 3)))


def _read_bytes() -> int:
    return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])


def has_peer() -> bool:
    if importlib.util.find_spec("ceos_alos2") is None:
        note(f"{PEER} is not installed (the extra 'readers'): its rows have no peer")
        return False
    if shutil.which("unzip") is None:
        note("unzip is not installed (Debian package unzip): rows have no peer")
        return False
    return True


def beside(
    name: str, size: str, ours: Case, peers: dict[str, Case], runs: int, **more: float | None
) -> Iterator[Row]:
    if not peers:
        yield alone(name, size, ours, runs=runs, more=more)
    for row in compare(name, size, ours, peers, runs=runs) if peers else ():
        yield replace(row, more=more)


def rows(folder: Path, *, quick: bool, runs: int | None) -> Iterator[Row]:
    peered = has_peer()
    tiny = make_delivery(folder / "tiny", 64, 64)
    work = folder / "work"
    for number, (lines, pixels) in enumerate(QUICK if quick else WHOLE):
        delivery = make_delivery(folder / str(lines), lines, pixels)
        times = runs or (5 if number == 0 and not quick else 3)
        if number == 0:
            yield from footprint_rows(folder, delivery, tiny, runs or 9, peered=peered)
        yield from delivery_rows(delivery, tiny, work, times, peered=peered)
        if number == 0:
            yield from deflated_rows(delivery, tiny, work, times, peered=peered)
        shutil.rmtree(folder / str(lines))


def footprint_rows(
    folder: Path, slc: Delivery, tiny: Delivery, runs: int, *, peered: bool
) -> Iterator[Row]:
    detected = make_delivery(folder / "detected", 512, 512, level="1.5")
    for level, delivery in (("1.1", slc), ("1.5", detected)):
        files = (delivery.geometry_files, tiny.geometry_files)
        size = f"{sum(p.stat().st_size for p in files[0] if p.name[:3] == 'LED') / MB:.1f} MB"
        peer = Case(peer_leader, files, warm_leader)
        yield from beside(
            f"LED to footprint, L{level}",
            size,
            Case(footprint_of, files, warm_footprint),
            {f"{PEER}, leader without footprint": peer} if peered else {},
            runs,
        )


def delivery_rows(
    delivery: Delivery, tiny: Delivery, work: Path, runs: int, *, peered: bool
) -> Iterator[Row]:
    zips, folders = (delivery.archive, tiny.archive, work), (delivery.folder, tiny.folder, work)
    yield from beside(
        "unpacked, in process",
        delivery.size,
        Case(with_ours, folders, warm_ours),
        {f"{PEER} open": Case(with_peer, folders, warm_peer)} if peered else {},
        runs,
        read_mb=read_mb(*folders),
    )
    yield from beside(
        "nested zip, in process",
        delivery.size,
        Case(with_ours, zips, warm_ours),
        {f"unzip + {PEER} open": Case(with_peer, zips, warm_peer)} if peered else {},
        runs,
        read_mb=read_mb(*zips),
    )
    peak = round(command_peak_mb(info_command(delivery.archive)), 1)
    for row in beside(
        "nested zip, command",
        delivery.size,
        Case(ours_command, (delivery.archive, work), clear),
        {f"unzip + {PEER} open": Case(peer_command, zips[::2], clear)} if peered else {},
        runs,
        read_mb=None,
    ):
        yield replace(row, peak_rss_mb=peak, more={})
    clear(work, work)


def deflated_rows(
    delivery: Delivery, tiny: Delivery, work: Path, runs: int, *, peered: bool
) -> Iterator[Row]:
    """Measure an inner zip that has to be inflated once to get at its directory."""
    zips = (packed_twice(delivery), tiny.archive, work)
    yield from beside(
        "deflated inner zip",
        delivery.size,
        Case(with_ours, zips, warm_ours),
        {f"unzip + {PEER} open": Case(with_peer, zips, warm_peer)} if peered else {},
        runs,
        read_mb=read_mb(*zips),
    )
    clear(work, work)


def main() -> None:
    arguments = parse_arguments((__doc__ or "").splitlines()[0])
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder), quick=arguments.quick, runs=arguments.runs)
        show(found, as_json=arguments.json)


if __name__ == "__main__":
    main()
