"""What a killed process leaves is removed by the next one that makes the same file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alos2.raster.leftovers import hidden_stem, remove_leftovers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is removed there")

SCRIPT = """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    from alos2.product.model import MapGrid
    from alos2.raster.gridfile import GridFile
    from alos2.raster.lean import rasterio
    from alos2.types import RasterShape, Window

    wkt = rasterio.crs.CRS.from_epsg(32654).to_wkt()
    grid = MapGrid(wkt, 32654, (25.0, 0.0, 4e5, 0.0, -25.0, 4e6), RasterShape(600, 600))
    with GridFile(Path(sys.argv[1]), grid, dtype="uint8", nodata=0) as file:
        file.write(Window(0, 0, 600, 600), np.ones((600, 600), np.uint8))
        if len(sys.argv) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def make(path: Path, *more: str) -> int:
    script = textwrap.dedent(SCRIPT)
    return subprocess.run([sys.executable, "-c", script, str(path), *more], check=False).returncode


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    assert make(path, "kill") == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".x.tif.")
    assert make(path) == 0
    assert [found.name for found in tmp_path.iterdir()] == ["x.tif"]


def test_what_somebody_may_still_want_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = hidden_stem(path)
    machine = mine.removeprefix(".x.tif.").partition("-")[0]
    elsewhere = "00000000" if machine != "00000000" else "11111111"
    kept = [
        f"{mine}.part",  # alive
        f".x.tif.{elsewhere}-{gone.pid}.part",  # of another machine
        f".x.tif.{machine}-{os.getppid()}.scratch.tif",
        f".y.tif.{machine}-{gone.pid}.part",  # of another file
        f".x.tif.{gone.pid}.part",
        ".x.tif.part",
        "x.tif",
    ]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / f".x.tif.{machine}-{gone.pid}.scratch.tif").touch()
    folder = tmp_path / f".x.tif.{machine}-{gone.pid}"
    folder.mkdir()
    (folder / "inside").touch()
    remove_leftovers(path)
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted(kept)
    remove_leftovers(tmp_path / "absent" / "x.tif")
