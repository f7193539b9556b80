"""From heights above a geoid to heights above the ellipsoid.

Most DEMs give heights above a geoid (Copernicus: EGM2008, SRTM and AW3D30: EGM96), radar geometry
needs them above the ellipsoid: between the two lie -107 to 86 m, which move an image by up to the
same again. How the heights of a DEM are meant must be known and is never guessed.

Undulations come from a grid: PROJ's (``us_nga_egm96_15.tif`` and ``us_nga_egm08_25.tif`` of
PROJ-data, or the older ``.gtx``), where it is on the machine, or any raster of them.
"""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Final, NamedTuple

from pyproj import CRS, datadir
from pyproj.exceptions import DataDirError

from alos2.errors import UsageError

GRIDS: Final = {
    "egm96": ("us_nga_egm96_15.tif", "egm96_15.gtx"),
    "egm2008": ("us_nga_egm08_25.tif", "egm08_25.gtx"),
}
"""Names of PROJ's grids of undulation."""

_EPSG: Final = {5773: "egm96", 3855: "egm2008"}
_NAMES: Final = (("egm2008", "egm2008"), ("egm08", "egm2008"), ("egm96", "egm96"))
_SETTING: Final = "`heights` ([single_ARD.dem] of a stack)"
_SETTINGS: Final = "ellipsoid, egm96, egm2008, a file of undulations, or metres of undulation"


class Datum(NamedTuple):
    """What is added to a DEM's heights."""

    words: str
    """How they became heights above the ellipsoid, for metadata."""
    grid: Path | None = None
    """Raster of undulations."""
    constant_m: float = 0.0
    """One undulation for all."""


def datum_of(heights: str, crs: CRS, dem: Path) -> Datum:
    """Find out how the heights of a DEM become heights above the ellipsoid.

    Parameters
    ----------
    heights
        ``auto``: what its vertical reference system says; ``ellipsoid``; ``egm96``; ``egm2008``;
        path of a grid of undulations; or a number, metres of undulation.
    crs
        Of the DEM.
    dem
        Its path, for messages.

    Raises
    ------
    UsageError
        It cannot be told, the grid is not there, or the setting means nothing.
    """
    wanted = heights.strip()
    key = wanted.lower()
    if key == "auto":
        return _of_crs(crs, dem)
    if key == "ellipsoid":
        return Datum("heights above the ellipsoid, as given")
    if key in GRIDS:
        return _of_geoid(key, dem)
    try:
        constant = float(wanted)
    except ValueError:
        pass
    else:
        if not (math.isfinite(constant) and abs(constant) < 150.0):
            raise UsageError(f"an undulation of {wanted} m: -107 to 86 m exist on Earth")
        return Datum(f"geoid undulation of {constant:g} m added", constant_m=constant)
    path = Path(wanted)
    if not path.is_file():
        raise UsageError(
            f"heights {heights!r} of the DEM {dem}: neither a setting nor a file",
            hint=f"use {_SETTINGS}",
        )
    return Datum(f"geoid undulation of {path.name} added", grid=path)


def _of_crs(crs: CRS, dem: Path) -> Datum:
    """By the vertical part of a reference system."""
    vertical = next((part for part in crs.sub_crs_list if part.is_vertical), None)
    if vertical is None:
        if len(crs.axis_info) == 3 and not crs.is_geocentric:
            return Datum("heights above the ellipsoid, by the DEM's reference system")
        raise UsageError(
            f"the DEM {dem} does not say what its heights are above",
            hint=f"say it with {_SETTING}: {_SETTINGS}",
        )
    key = _EPSG.get(vertical.to_epsg() or 0)
    if key is None:
        name = vertical.name.lower().replace(" ", "")
        key = next((meant for word, meant in _NAMES if word in name), None)
        if key is None and "ellipsoid" in name:
            return Datum("heights above the ellipsoid, by the DEM's reference system")
    if key is None:
        raise UsageError(
            f"heights of the DEM {dem} are {vertical.name!r}, which is not known here",
            hint=f"give a file of undulations for it as {_SETTING}",
        )
    return _of_geoid(key, dem)


def _of_geoid(key: str, dem: Path) -> Datum:
    folders = [Path(p) for p in os.environ.get("PROJ_DATA", "").split(os.pathsep) if p]
    folders += [Path(p) for p in os.environ.get("PROJ_LIB", "").split(os.pathsep) if p]
    with contextlib.suppress(DataDirError):  # another folder may have the grid
        folders += [Path(p) for p in datadir.get_data_dir().split(os.pathsep)]
    folders.append(Path(datadir.get_user_data_dir()))  # type: ignore[attr-defined]
    for folder in folders:
        for name in GRIDS[key]:
            if (folder / name).is_file():
                return Datum(f"geoid undulation of {key.upper()} ({name}) added", folder / name)
    raise UsageError(
        f"the DEM {dem} has heights above {key.upper()}, and the geoid grid {GRIDS[key][0]} is "
        "not on this machine",
        hint=f"fetch it with `projsync --file {GRIDS[key][0]}`, or give as {_SETTING} "
        "a file of undulations, or metres of undulation",
    )
