"""What is true of a simulated product, as JSON: for tests of readers, ours and others'."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from alos2.constants import CALIBRATION_FACTOR_DB, SLC_CALIBRATION_OFFSET_DB
from alos2.geometry.rangedoppler import geo2rdr
from alos2.simulate.pixels import GEOTIFF_SLC_SCALE, LARGEST_NUMBER, ColumnScale
from alos2.simulate.platform import utc
from alos2.simulate.scene import Scene, Swath
from alos2.simulate.spec import SimulationSpec
from alos2.simulate.targets import (
    SeenTarget,
    detected_peak_sigma0,
    see_mapped,
    see_slant,
    slant_peak_sigma0,
)
from alos2.simulate.texts import Corners, frame_corners, image_corners
from alos2.simulate.truthground import ground_truth
from alos2.types import Json

_ADDED = (
    "terrain", "dem", "dem_spacing_m", "ground", "targets", "changes", "speckle_by_date",
    "frame_step", "orbit_offset_m",
)  # fmt: skip
"""Of the spec: named only where they are not the usual ones."""


def truth_json(scene: Scene, files: list[str]) -> Json:
    """Everything that the pixels and records were made from.

    Parameters
    ----------
    scene : Scene
        As planned.
    files : list of str
        Names of the product's files.
    """
    spec = scene.spec
    orbit = scene.orbit
    return {
        "scene": str(scene.flight.scene),
        "product": str(spec.product_id),
        "spec": spec_json(spec),
        "seed": spec.seed,
        "files": files,
        "center": {
            "time": _time(scene.flight.center_time),
            "lon_deg": scene.center_lonlat[0],
            "lat_deg": scene.center_lonlat[1],
            "slant_range_m": scene.center_range_m,
            "incidence_deg": scene.incidence_deg,
            "off_nadir_deg": spec.off_nadir,
        },
        "data": {
            "start": _time(utc(orbit, scene.start_s)),
            "end": _time(utc(orbit, scene.end_s)),
            "near_range_m": scene.near_range_m,
            "far_range_m": scene.far_range_m,
            "corners": {
                name: {"lon_deg": lon, "lat_deg": lat}
                for name, (lon, lat) in scene.data_corners.items()
            },
            "map_corners": _corners(image_corners(scene)),
        },
        "raster_corners": _corners(frame_corners(scene)),
        "ground_height_m": spec.height_m,
        "calibration": _calibration(scene),
        "images": _images(scene),
        "point_targets": _targets(scene),
        **ground_truth(scene),
        "orbit": {
            "epoch": _time(orbit.epoch),
            "frame": "ECEF (ITRF)",
            "times_s": orbit.times_s.tolist(),
            "positions_m": orbit.positions_m.tolist(),
            "velocities_m_s": orbit.velocities_m_s.tolist(),
        },
    }


def spec_json(spec: SimulationSpec) -> Json:
    """Give a spec as JSON."""
    usual = {f.name: f.default for f in fields(spec)}
    values = asdict(spec)
    for name in _ADDED:
        if values[name] == usual[name]:
            del values[name]
    plain: Json = _plain(values)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"


def _corners(corners: Corners | None) -> Json | None:
    if corners is None:
        return None
    return {
        name: {"lon_deg": lon, "lat_deg": lat} for name, (lon, lat) in corners._asdict().items()
    }


def _calibration(scene: Scene) -> Json:
    """How digital numbers become sigma nought in this product."""
    if scene.spec.level == "2.2":
        return {"factor_db": CALIBRATION_FACTOR_DB, "quantity": "gamma0_T"}
    if scene.grid is None and scene.spec.format == "ceos":
        return {"factor_db": CALIBRATION_FACTOR_DB + SLC_CALIBRATION_OFFSET_DB}
    if scene.spec.format == "ceos":
        return {"factor_db": CALIBRATION_FACTOR_DB}
    return {"lut": True}


def _images(scene: Scene) -> list[Json]:
    """Exact geometry of each image (of each beam)."""
    if scene.grid is None:
        return [_slant_image(scene, swath) for swath in scene.swaths]
    grid = scene.grid
    return [
        {
            "beam": None,
            "lines": grid.shape.lines,
            "pixels": grid.shape.pixels,
            "transform": list(grid.transform),
            "crs_wkt": grid.frame.wkt,
            "corners": _image_corners(grid.corners, grid),
        }
    ]


def _slant_image(scene: Scene, swath: Swath) -> Json:
    return {
        "beam": str(swath.beam) if swath.beam else None,
        "lines": swath.shape.lines,
        "pixels": swath.shape.pixels,
        "first_line_time": _time(utc(scene.orbit, swath.first_line_s)),
        "line_interval_s": swath.line_interval_s,
        "prf_hz": swath.prf_hz,
        "near_range_m": swath.near_range_m,
        "range_spacing_m": swath.range_spacing_m,
        "corners": _image_corners(swath.corners, swath),
    }


def _image_corners(corners: tuple[tuple[float, float], ...], image: Any) -> list[Json]:
    rows, columns = np.array(corners).T
    lon, lat = image.lonlat(rows, columns)
    return [
        {"line": float(r), "pixel": float(c), "lon_deg": float(x), "lat_deg": float(y)}
        for r, c, x, y in zip(rows, columns, lon, lat, strict=True)
    ]


def _targets(scene: Scene) -> list[Json]:
    """Targets that are in an image, once for each beam that sees them."""
    if scene.grid is not None:
        return [_target(scene, seen, None) for seen in see_mapped(scene)]
    return [
        _target(scene, seen, swath) for swath in scene.swaths for seen in see_slant(scene, swath)
    ]


def _target(scene: Scene, seen: SeenTarget, swath: Swath | None) -> Json:
    target = seen.target
    polarizations = scene.spec.all_polarizations
    t, r = geo2rdr(scene.orbit, target.lon_deg, target.lat_deg, target.height_m)
    values: Json = {
        "name": target.name,
        "lon_deg": target.lon_deg,
        "lat_deg": target.lat_deg,
        "height_m": target.height_m,
        "beam": str(swath.beam) if swath is not None and swath.beam else None,
        "line": seen.line,
        "pixel": seen.pixel,
        "time": _time(utc(scene.orbit, float(t))),
        "slant_range_m": float(r),
        "rcs_dbsm": {p: target.rcs_dbsm[p] for p in polarizations},
    }
    peaks = {
        p: detected_peak_sigma0(scene, seen, p)
        if swath is None
        else slant_peak_sigma0(scene, swath, seen, p)
        for p in polarizations
    }
    values["peak_sigma0_db"] = {p: 10.0 * math.log10(peak) for p, peak in peaks.items()}
    values["saturated"] = {p: _is_saturated(scene, seen, peak) for p, peak in peaks.items()}
    return values


def _is_saturated(scene: Scene, seen: SeenTarget, peak: float) -> bool:
    """Whether the response is cut off at the largest number of the samples."""
    if scene.grid is not None:
        gain = ColumnScale.of(scene).values[round(seen.pixel)]
        return bool(peak * gain > LARGEST_NUMBER**2)
    return scene.spec.format == "geotiff" and peak * GEOTIFF_SLC_SCALE**2 > 32767**2
