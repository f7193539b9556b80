"""No more files are open than the system allows, and all are read."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from alos2.product.model import MapGrid
from alos2.raster import manyfiles, rawtiles
from alos2.raster.gridfile import GridFile
from alos2.raster.manyfiles import ManyFiles
from alos2.raster.openfiles import Pool
from alos2.raster.rawtiles import open_raw_tiles
from alos2.types import RasterShape, Window

GRID = MapGrid(
    rasterio.crs.CRS.from_epsg(32654).to_wkt(),
    32654,
    (25.0, 0.0, 400_000.0, 0.0, -25.0, 4_000_000.0),
    RasterShape(64, 128),
)


def layers(folder: Path, count: int) -> list[tuple[Path, int]]:
    """Files whose number is their value."""
    for number in range(count):
        with GridFile(
            folder / f"{number}.tif", GRID, dtype="float32", nodata=np.nan, layout="tiled",
            compress=None, block=64,
        ) as file:  # fmt: skip
            file.write(Window(0, 0, 64, 128), np.full((64, 128), number, np.float32))
    return [(folder / f"{number}.tif", 1) for number in range(count)]


class Thing:
    """Something that can be open."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_open = False

    def open(self) -> Thing:
        assert not self.is_open
        self.opened += 1
        self.is_open = True
        return self

    def close(self, it: Thing) -> None:
        assert it is self
        self.is_open = False


def test_what_was_not_used_for_longest_is_closed() -> None:
    pool = Pool(2)
    things = [Thing() for _ in range(4)]
    files = [pool.file(thing.open, thing.close) for thing in things]
    for number in (0, 1, 0, 2):
        with files[number].use() as thing:
            assert thing is things[number]
    assert [thing.is_open for thing in things] == [True, False, True, False]
    with files[0].use(), files[2].use(), files[3].use():
        assert pool.count == 3  # what is in use stays
    with files[1].use():
        assert pool.count == 2
    for file in files:
        file.close()
    assert not any(thing.is_open for thing in things)
    assert [thing.opened for thing in things] == [1, 2, 1, 1]


def test_a_file_that_cannot_be_opened_may_be_tried_again() -> None:
    pool = Pool(1)
    thing = Thing()
    absent = threading.Event()

    def opener() -> Thing:
        if not absent.is_set():
            raise FileNotFoundError
        return thing.open()

    file = pool.file(opener, thing.close)
    with pytest.raises(FileNotFoundError), file.use():
        pass
    assert pool.count == 0
    absent.set()
    with file.use() as found:
        assert found is thing


def test_files_are_read_by_many_threads_with_few_of_them_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(5)
    for module in (manyfiles, rawtiles):
        monkeypatch.setattr(module, "the_pool", lambda: pool)
    names = layers(tmp_path, 23)
    expected = np.arange(23)
    with ManyFiles(names, threads=3) as files, open_raw_tiles(names) as tiles:
        assert tiles is not None

        def read(line: int) -> bool:
            values = files.read(Window(line, 3, 2, 5))
            raw = np.empty((23, 64 * 64), np.float32)
            tiles.read(range(1), range(1), raw)
            same = (values == expected[:, None, None]).all() and (raw == expected[:, None]).all()
            return bool(same) and pool.count <= 5 + 8

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(read, range(0, 60, 3)))
        assert pool.count <= 13
    assert pool.count == 0


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_more_dates_than_the_system_lets_be_open(tmp_path: Path) -> None:
    layers(tmp_path, 90)
    script = """
        import resource, sys
        from datetime import datetime, timedelta, timezone
        from pathlib import Path
        import numpy as np
        from alos2.raster.gridfile import read_grid
        from alos2.raster.lean import rasterio
        from alos2.timeseries.options import SeriesOptions
        from alos2.timeseries.series import Acquired, write_series
        from alos2.timeseries.timescan import timescan
        from alos2.timeseries.timescanoptions import TimescanOptions

        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        folder = Path(sys.argv[1])
        first = datetime(2016, 1, 1, tzinfo=timezone.utc)
        acquired = [
            Acquired(folder / f"{n}.tif", first + timedelta(days=n), folder / f"{n}.tif")
            for n in range(1, 90)
        ]
        options = SeriesOptions(to_db=False, apply_ls_mask=True, layout="tiled", compress=None)
        series = write_series(acquired, folder / "series", "HH", options)
        made = timescan(
            series, folder / "scan",
            TimescanOptions(metrics=("avg", "count"), to_db=False, remove_outliers=False),
        )
        for metric in ("avg", "count"):
            with rasterio.open(made.paths[metric]) as file:
                print(float(np.nanmean(file.read(1))))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    # The files are their own masks: 2, 3 and 4 are layover and shadow.
    kept = [number for number in range(1, 90) if number not in {2, 3, 4}]
    mean, count = (float(line) for line in done.stdout.split())
    assert mean == pytest.approx(np.mean(kept), rel=1e-4)
    assert count == len(kept)
