"""The quicklook's pass over a level 1.1 image, beside what only reads it.

* cold: the page cache is emptied of the file before each run; the peer is ``cat file > /dev/null``.
* warm: the file is in the page cache; the peers add up |z|^2 over the same file, mapped, block by
  block, with numba (bytes swapped, no prefix skipped twice, nothing kept), in one thread and in as
  many as ours.

Ours is all of `quicklook`: geometry, reading, multilooking, calibration, no data, and keeping the
cells. In a fresh process each time, imports and compiled code loaded before the clock starts.
``peak_rss_mb`` is the peak of anonymous and shared memory (RssAnon + RssShmem).
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Row, note, parse_arguments, show
from alos2.archive.members import FileMember
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, SIGNAL_PREFIX
from alos2.naming import ProductId, SceneId
from alos2.product.model import Calibration, Image, Product, ProductFile, SlantRangeTiming
from alos2.raster import jit  # noqa: F401  before numba: says where compiled code is kept
from alos2.raster.quicklook import QuicklookOptions, quicklook
from alos2.raster.samplekernels import one_part, other_part
from alos2.simulate.scene import plan
from alos2.simulate.spec import SimulationSpec
from alos2.types import RasterShape

PIXELS = 10_170
"""Of a line: the fine mode's."""
THREADS = 2
_BLOCK = 4 << 20
_DROP = Path("/proc/sys/vm/drop_caches")


def line_bytes() -> int:
    return (SIGNAL_PREFIX.length or 544) + 8 * PIXELS


def write_image(path: Path, lines: int) -> None:
    """Write a CEOS image of speckle: the same two hundred lines again and again."""
    record = line_bytes()
    rng = np.random.default_rng(1)
    batch = np.zeros((200, record), np.uint8)
    values = rng.normal(0.0, 300.0, (200, 2 * PIXELS)).astype(">f4")
    batch[:, -8 * PIXELS :] = values.view(np.uint8)
    prefix = SIGNAL_PREFIX.encode({"line_number": 1}, sequence=2, length=record)
    batch[:, : record - 8 * PIXELS] = np.frombuffer(prefix[: record - 8 * PIXELS], np.uint8)
    said = {
        "record_count": lines,
        "data_record_length": record,
        "bytes_per_group": 8,
        "lines": lines,
        "pixels": PIXELS,
        "prefix_bytes": record - 8 * PIXELS,
        "data_bytes": 8 * PIXELS,
    }
    with path.open("wb") as file:
        file.write(IMAGE_DESCRIPTOR.encode(said, sequence=1))
        for first in range(0, lines, 200):
            file.write(batch[: min(200, lines - first)])
        file.flush()
        os.fsync(file.fileno())


@functools.cache
def product_of(path: Path, lines: int) -> Product:
    """Describe the image with the orbit and timing of a simulated one."""
    scene = plan(SimulationSpec(level="1.1", pixels=PIXELS, lines=lines))
    swath = scene.swaths[0]
    start = scene.orbit.epoch + timedelta(seconds=swath.first_line_s)
    timing = SlantRangeTiming(
        start, swath.line_interval_s, swath.near_range_m, swath.range_spacing_m
    )
    size = path.stat().st_size
    file = ProductFile(path.name, "IMG", size, FileMember(path, size), "HH")
    image = Image(file, "HH", None, RasterShape(lines, PIXELS), "complex64", timing=timing)
    return Product(
        scene=SceneId.parse(str(scene.flight.scene)),
        product=ProductId.parse("FBDR1.1__A"),
        level="1.1",
        format="ceos",
        files=(file,),
        images=(image,),
        calibration=Calibration(-115.0, "leader"),
        orbit=scene.orbit,
    )


def ours(path: Path, lines: int) -> None:
    options = QuicklookOptions(threads=THREADS)
    with quicklook(product_of(path, lines), "HH", path.parent, options=options):
        pass


def cat(path: Path, _: int) -> None:
    subprocess.run(["cat", str(path)], stdout=subprocess.DEVNULL, check=True)


@numba.njit(nogil=True, fastmath=True)  # not kept: this module runs under several names
def _power_sum(samples: Any, first: int, stride: int, lines: int, pixels: int) -> float:
    total = 0.0
    for line in range(lines):
        these = samples[first + line * stride : first + line * stride + pixels]
        here = np.float32(0)
        for pixel in range(pixels):
            i, q = one_part(these[pixel]), other_part(these[pixel])
            here += i * i + q * q
        total += here
    return total


def mapped_sum(path: Path, lines: int, threads: int) -> float:
    record = line_bytes()
    step = max(1, _BLOCK // record)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, "MADV_SEQUENTIAL"):
        mapped.madvise(mmap.MADV_SEQUENTIAL)
    samples = np.frombuffer(mapped, np.uint64, mapped.size() // 8)
    start = (720 + record - 8 * PIXELS) // 8

    def block(line: int) -> float:
        count = min(step, lines - line)
        return _power_sum(samples, start + line * (record // 8), record // 8, count, PIXELS)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(block, range(0, lines, step)))


def sum_in_one(path: Path, lines: int) -> None:
    mapped_sum(path, lines, 1)


def sum_in_all(path: Path, lines: int) -> None:
    mapped_sum(path, lines, THREADS)


def warm_up(path: Path, run: Callable[..., object]) -> None:
    """Load compiled code, by a small image."""
    if run is cat:
        return
    small = path.with_name("small")
    run(small, 200)


def forget(path: Path) -> str:
    """Take a file out of the page cache; says how."""
    try:
        _DROP.write_text("1")
    except OSError:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return "posix_fadvise(DONTNEED)"
    return "drop_caches"


def remember(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        room = bytearray(4 << 20)
        while file.readinto(room):
            pass


def memory_mb() -> float:
    """Anonymous and shared memory of this process, MB."""
    found = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            found += int(line.split()[1])
    return found * 1024 / 1e6


@contextlib.contextmanager
def watched(peak: list[float]) -> Iterator[None]:
    """Keep the peak of `memory_mb` while the context is open."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], memory_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _child(
    run: Callable[..., object], path: Path, lines: int, cold: bool, pipe: Connection
) -> None:
    warm_up(path, run)
    if run is ours:
        product_of(path, lines)
    if cold:
        forget(path)
    peak = [memory_mb()]
    with watched(peak):
        start = time.perf_counter()
        run(path, lines)
        seconds = time.perf_counter() - start
    pipe.send((seconds, peak[0]))


def measure(
    run: Callable[..., object], path: Path, lines: int, *, cold: bool
) -> tuple[float, float]:
    """Seconds and MB of one run in a fresh process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(run, path, lines, cold, there))
    process.start()
    there.close()
    try:
        return here.recv()  # type: ignore[no-any-return]
    except EOFError:
        raise RuntimeError(f"{run.__name__} failed") from None
    finally:
        process.join()


def rows(
    name: str,
    path: Path,
    lines: int,
    peers: dict[str, Callable[..., object]],
    runs: int,
    *,
    cold: bool,
) -> list[Row]:
    taken: dict[str, list[tuple[float, float]]] = {key: [] for key in ("", *peers)}
    if not cold:
        remember(path)
    for _ in range(runs):
        for key, run in (("", ours), *peers.items()):
            taken[key].append(measure(run, path, lines, cold=cold))
    size = path.stat().st_size / 1e9
    medians = {key: statistics.median(s for s, _ in samples) for key, samples in taken.items()}
    peak = max(mb for _, mb in taken[""])
    for key, median in medians.items():
        every = ", ".join(f"{size / seconds:.2f}" for seconds, _ in taken[key])
        note(f"{name} {key or 'ours'}: {size / median:.2f} GB/s (of {every})")
    return [
        Row(
            name, f"{size:.1f} GB", round(medians[""], 4), peer, round(medians[peer], 4),
            round(medians[peer] / medians[""], 2), round(peak, 1), runs,
        )
        for peer in peers
    ]  # fmt: skip


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    runs = arguments.runs or (3 if arguments.quick else 5)
    sizes = (0.5e9,) if arguments.quick else (1e9, 4e9)
    made: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="quicklook-") as folder:
        write_image(Path(folder) / "small", 200)
        for size in sizes:
            path, lines = Path(folder) / "image", int(size / line_bytes())
            write_image(path, lines)
            note(f"caches are emptied by {forget(path)}; {os.getloadavg()[0]:.1f} load")
            made += rows("quicklook cold", path, lines, {"cat": cat}, runs, cold=True)
            sums = {
                "numba sum |z|^2, mapped, 1 thread": sum_in_one,
                f"numba sum |z|^2, mapped, {THREADS} thr.": sum_in_all,
            }
            made += rows("quicklook warm", path, lines, sums, runs, cold=False)
            path.unlink()
    show(made, as_json=arguments.json)


if __name__ == "__main__":
    main()
