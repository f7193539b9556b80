"""Map tiles, zoom 0 to 14, of one detected scene: ours beside gdal2tiles and ``gdal raster tile``.

Each starts from the same uint16 GeoTIFF. The peers turn it into 8 bits first (``gdal_translate
-scale``) and average those; ours calibrates, resamples and averages power, and stretches dB.

Rows ``in-process`` (kernels loaded, by a small scene drawn before), ``cold`` (a command in a new
process, with numba's cache filled) and ``first`` (the same with an empty cache, as on a new
machine); ``linear`` compares other sizes of scene with what the first size would cost per pixel.
``peak_rss_mb`` is RssAnon + RssShmem of a process of its own: mapped files are the page cache's.

Folders are deleted at the end only: ext4 is several times slower in making files while it avoids
inodes that were freed a moment ago. ``gdal raster tile`` comes from the newest rasterio wheel, for
which a Python of 3.12 or newer is needed: ``python3.13`` or ``python3.12`` on the path, or what
``$ALOS2_BENCH_PYTHON`` names.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, note, run_once, show
from _scene import make_scene, scene_product
from alos2.raster.layers import Channel, Layer, draw_layers
from alos2.raster.pictures import StretchLimits
from alos2.raster.places import Places
from alos2.raster.sinks import FolderSink
from alos2.raster.source import open_source

HERE = Path(__file__).resolve().parent
ZOOM = 14
WARM_UP = 700
SCALE = ("-q", "-ot", "Byte", "-scale", "0", "7500", "-a_nodata", "0")
NEED_PYTHON = (3, 12)


def draw(scene: Path, size: int, out: Path) -> None:
    """Draw the tiles: what is measured."""
    product = scene_product(scene, size)
    image = product.images[0]
    assert image.grid is not None
    sink = FolderSink(out, tms=True, deepest=ZOOM)
    layer = Layer("HH", (Channel(0),), (StretchLimits(-25.0, 0.0, "fixed"),), 0, ZOOM, sink)
    with open_source(product, image) as source:
        (report,) = draw_layers([source], Places(image.grid), [layer], threads=2)
    assert report.tiles


def warm_up(scene: Path, _size: int, out: Path) -> None:
    """Load the kernels, outside of the clock."""
    draw(scene.with_name(f"scene{WARM_UP}.tif"), WARM_UP, out.with_name(f"{out.name}-warm"))


def command(scene: Path, size: int, out: Path) -> list[str]:
    return [
        sys.executable,
        str(Path(__file__).resolve()),
        "--draw",
        str(scene),
        str(size),
        str(out),
    ]


def timed(work: Callable[[], object]) -> float:
    if hasattr(os, "sync"):
        os.sync()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(arguments: list[str], **more: str) -> None:
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **more})


def peak_memory_mb(arguments: list[str]) -> float:
    """Return the most RssAnon + RssShmem of a process, MB (10^6 bytes); 0 where it is not told."""
    process = subprocess.Popen(arguments)
    status = Path(f"/proc/{process.pid}/status")
    most = 0.0
    while process.poll() is None:
        try:
            said = dict(line.split(":", 1) for line in status.read_text().splitlines())
            now = sum(int(said[key].split()[0]) for key in ("RssAnon", "RssShmem")) * 1024 / 1e6
        except (OSError, KeyError):
            break  # it has just ended, or the system has no such file
        most = max(now, most)
        time.sleep(0.005)
    if process.wait():
        raise RuntimeError("drawing failed")
    return most


def gdal2tiles(processes: int) -> Callable[[Path, Path], None] | None:
    tiles, translate = shutil.which("gdal2tiles.py"), shutil.which("gdal_translate")
    if tiles is None or translate is None:
        return None

    def work(scene: Path, out: Path) -> None:
        scaled = out.with_suffix(".tif")
        run([translate, *SCALE, str(scene), str(scaled)])
        more = [f"--processes={processes}"] if processes > 1 else []
        run([tiles, "-q", "-x", "-w", "none", "-z", f"0-{ZOOM}", *more, str(scaled), str(out)])

    return work


def modern_python() -> str | None:
    for name in (os.environ.get("ALOS2_BENCH_PYTHON"), "python3.14", "python3.13", "python3.12"):
        found = shutil.which(name) if name else None
        if found is None:
            continue
        said = subprocess.run(
            [found, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if said.returncode == 0 and tuple(map(int, said.stdout.split())) >= NEED_PYTHON:
            return found
    return None


def gdal_raster_tile(work_dir: Path) -> Callable[[Path, Path], None] | None:
    """Return the peer; None, after a line that says why, where it cannot be had."""
    python = modern_python()
    if python is None:
        note("no row for gdal raster tile: it needs a Python 3.12, see ALOS2_BENCH_PYTHON")
        return None
    home = work_dir / "rasterio"
    inside = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    try:
        run([python, "-m", "venv", str(home)])
        run([str(inside), "-m", "pip", "-q", "--disable-pip-version-check", "install", "rasterio"])
    except subprocess.CalledProcessError as error:
        note(f"no row for gdal raster tile: {error}")
        return None

    def work(scene: Path, out: Path) -> None:
        run([str(inside), str(HERE / "_gdaltile.py"), str(scene), str(out)])

    return work


@dataclass
class Bench:
    """One work folder, with fresh names for what is drawn."""

    folder: Path
    runs: int

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    def out(self) -> Path:
        """Name a folder that nothing has been drawn into."""
        return self.folder / f"out{next(self._numbers)}"

    def scene(self, size: int) -> Path:
        """Return the scene of a size, made if need be."""
        path = self.folder / f"scene{size}.tif"
        if not path.exists():
            make_scene(path, size)
        return path

    def in_process(self, size: int) -> float:
        """Draw with the kernels loaded; seconds."""
        if hasattr(os, "sync"):
            os.sync()
        return run_once(Case(draw, (self.scene(size), size, self.out()), warm_up)).seconds

    def cold(self, size: int, **environment: str) -> float:
        """Draw as a command; seconds."""
        arguments = command(self.scene(size), size, self.out())
        return timed(lambda: run(arguments, **environment))

    def first(self, size: int) -> float:
        """Draw as a command that has to compile the kernels; seconds."""
        with tempfile.TemporaryDirectory(dir=self.folder) as empty:
            return self.cold(size, NUMBA_CACHE_DIR=empty)

    def memory(self, size: int) -> float:
        """Draw as a command; most RssAnon + RssShmem, MB."""
        return peak_memory_mb(command(self.scene(size), size, self.out()))


def row(
    name: str, size: int, ours: list[float], peer: str, theirs: list[float], *, memory: float
) -> Row:
    ours_s, peer_s = statistics.median(ours), statistics.median(theirs)
    return Row(
        name, str(size), round(ours_s, 4), peer, round(peer_s, 4), round(peer_s / ours_s, 2),
        round(memory, 1), len(ours), {"peer_runs": len(theirs)},
    )  # fmt: skip


def beside_the_peers(bench: Bench, size: int, slow_runs: int) -> Iterator[Row]:
    scene = bench.scene(size)
    fast = gdal_raster_tile(bench.folder)
    works = {
        "gdal2tiles -j2": (gdal2tiles(2), slow_runs),
        "gdal2tiles -j1": (gdal2tiles(1), slow_runs),
        "gdal raster tile -j2": (fast, bench.runs),
    }
    peers = {name: (work, runs) for name, (work, runs) in works.items() if work is not None}
    if len(peers) < 2:
        note("no rows for gdal2tiles: it is not installed (Debian: gdal-bin, python3-gdal)")
    bench.cold(size)  # fills numba's cache, and the page cache
    ours: dict[str, list[float]] = {"in-process": [], "cold": [], "first": []}
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(bench.runs):
        ours["in-process"].append(bench.in_process(size))
        ours["cold"].append(bench.cold(size))
        for name, (work, runs) in peers.items():
            if turn < runs:
                out = bench.out()
                theirs[name].append(timed(lambda work=work, out=out: work(scene, out)))
    ours["first"].append(bench.first(size))
    memory = bench.memory(size)
    for name, seconds in ours.items():
        for peer, taken in theirs.items():
            yield row(name, size, seconds, peer, taken, memory=memory)


def linear(bench: Bench, sizes: list[int]) -> Iterator[Row]:
    """Compare each size with the middle one's cost per pixel."""
    taken = {size: [bench.in_process(size) for _ in range(bench.runs)] for size in sizes}
    base = sizes[len(sizes) // 2]
    for size in sizes:
        due = [seconds * (size / base) ** 2 for seconds in taken[base]]
        peer = f"the pixels at the rate of {base}"
        yield row("linear", size, taken[size], peer, due, memory=bench.memory(size))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--quick", action="store_true", help="smaller scenes, for a first look")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (median is taken)")
    parser.add_argument("--slow-runs", type=int, default=3, help="runs of gdal2tiles")
    parser.add_argument("--no-peers", action="store_true", help="ours only: the linear rows")
    parser.add_argument("--work", type=Path, help="folder on the disk to measure")
    parser.add_argument("--draw", nargs=3, metavar=("SCENE", "SIZE", "OUT"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.draw:
        scene, size, out = arguments.draw
        draw(Path(scene), int(size), Path(out))
        return
    size = 3000 if arguments.quick else 12_000
    with tempfile.TemporaryDirectory(prefix="alos2-tiles-", dir=arguments.work) as folder:
        bench = Bench(Path(folder), arguments.runs)
        if arguments.quick:
            bench = replace(bench, runs=min(arguments.runs, 3))
        bench.scene(WARM_UP)
        if not arguments.no_peers:
            slow_runs = 1 if arguments.quick else arguments.slow_runs
            show(beside_the_peers(bench, size, slow_runs), as_json=arguments.json)
        show(linear(bench, [size // 2, size, 2 * size]), as_json=arguments.json)


if __name__ == "__main__":
    main()
