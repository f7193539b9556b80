"""The step that mosaics dates: which of them it takes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pyproj import CRS

from alos2.errors import UsageError
from alos2.mosaic import MosaicOptions
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridFile
from alos2.raster.pictures import never, silent
from alos2.stack.config.options import mosaic_options
from alos2.stack.config.read import checked
from alos2.stack.running.plainvalues import plain_grid, plain_options
from alos2.stack.steps.mosaic import MosaicStep, _meaning
from alos2.timeseries.model import Encoding
from alos2.timeseries.options import SeriesOptions
from alos2.timeseries.series import Acquired, write_series
from alos2.types import RasterShape, Window

GRID = MapGrid(
    CRS.from_epsg(32654).to_wkt(),
    32654,
    (25.0, 0.0, 400_000.0, 0.0, -25.0, 4_000_000.0),
    RasterShape(40, 50),
)
FIRST = datetime(2020, 6, 15, 3, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    """Two tracks, of which one has a date that the other lacks."""
    folder = tmp_path_factory.mktemp("tracks")
    with GridFile(folder / "hh.tif", GRID, dtype="float32", nodata=np.nan) as file:
        file.write(Window(0, 0, *GRID.shape), np.full(GRID.shape, 0.1, np.float32))
    made = []
    for track, days in (("P126", (0, 14)), ("P127", (1,))):
        acquired = [Acquired(folder / "hh.tif", FIRST + timedelta(days=day)) for day in days]
        options = SeriesOptions(remove_mt_speckle=False)
        write_series(acquired, folder / track / "Timeseries", "HH", options)
        made.append((f"{track}/Timeseries", folder / track / "Timeseries"))
    return made


@pytest.mark.parametrize(
    ("incomplete", "names"),
    [
        (True, ["20200615-20200616.bs.HH.tif", "20200629.bs.HH.tif"]),
        (False, ["20200615-20200616.bs.HH.tif"]),
    ],
)
def test_dates_without_a_partner_are_left_out_if_wanted(
    tracks: list[tuple[str, Path]], tmp_path: Path, incomplete: bool, names: list[str]
) -> None:
    job: Any = SimpleNamespace(
        task=SimpleNamespace(
            parameters={
                "of": "Timeseries",
                "polarizations": ["HH"],
                "options": plain_options(MosaicOptions(harmonization=False)),
                "grid": plain_grid(GRID),
                "window_days": 7.0,
                "incomplete": incomplete,
            }
        ),
        needed=lambda what: tracks if what == "Timeseries" else [],
        keep_part=lambda key: False,
        parts={},
        out=tmp_path,
        threads=1,
        memory_mb=500,
        progress=silent,
        cancelled=never,
    )
    MosaicStep().run(job)
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_codes_say_what_they_mean() -> None:
    codes = Encoding("db", "uint8", -30.0, 5.0, 0)
    assert _meaning(codes, None) == {"minimum_db": "-30", "maximum_db": "5"}
    assert _meaning(codes, "avg") == {"metric": "avg", "code_minimum": "-30", "code_maximum": "5"}
    assert _meaning(Encoding("db", "float32"), None) == {}
    assert _meaning(None, "std") == {"metric": "std"}


def test_what_a_configuration_says_of_it() -> None:
    assert checked({}, "here").mosaic.incomplete
    config = checked({"mosaic": {"incomplete": False}}, "here")
    assert not config.mosaic.incomplete
    assert mosaic_options(config, None) == MosaicOptions()
    with pytest.raises(UsageError, match=r"limits of HH, 0 and -5 dB, have no width"):
        checked({"animation": {"limits_db": {"HH": [0, -5]}}}, "here")
    with pytest.raises(UsageError, match="XX"):
        checked({"animation": {"limits_db": {"XX": [-5, 0]}}}, "here")
