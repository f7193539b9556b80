"""What is true of a simulated product, as JSON: for tests of readers, ours and others'."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from alos2.constants import CALIBRATION_FACTOR_DB, SLC_CALIBRATION_OFFSET_DB
from alos2.geometry.orbit import Floats
from alos2.geometry.polynomials import wrap_lon
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.simulate.ground import Parcel
from alos2.simulate.pixels import GEOTIFF_SLC_SCALE, LARGEST_NUMBER, ColumnScale
from alos2.simulate.platform import utc
from alos2.simulate.scene import Scene, Swath
from alos2.simulate.targets import (
    SeenTarget,
    detected_peak_sigma0,
    see_mapped,
    see_slant,
    slant_peak_sigma0,
)
from alos2.simulate.texts import Corners, frame_corners, image_corners
from alos2.types import Json

_SHRINK = 0.9
"""The part of a parcel in which its sigma nought is meant to be measured."""


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
        "spec": _plain(asdict(spec)),
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
        "patches": _patches(scene),
        "orbit": {
            "epoch": _time(orbit.epoch),
            "frame": "ECEF (ITRF)",
            "times_s": orbit.times_s.tolist(),
            "positions_m": orbit.positions_m.tolist(),
            "velocities_m_s": orbit.velocities_m_s.tolist(),
        },
    }


def _plain(values: dict[str, Any]) -> Json:
    plain = {}
    for key, value in values.items():
        if isinstance(value, (frozenset, tuple)):
            plain[key] = sorted(value) if isinstance(value, frozenset) else list(value)
        else:
            plain[key] = value.isoformat() if hasattr(value, "isoformat") else value
    return plain


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


def _patches(scene: Scene) -> list[Json]:
    """Parcels of which something may be seen."""
    return [_patch(scene, parcel) for parcel in scene.ground.parcels_within(2.0 * scene.radius_m)]


def _patch(scene: Scene, parcel: Parcel) -> Json:
    """Its square on the ground, and the inner part of it in the first image."""
    west, south, side = parcel.west_m, parcel.south_m, parcel.side_m
    x, y = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    plane = scene.ground.plane
    lon, lat = plane.lonlat(west + side * x, south + side * y)
    inner_x, inner_y = (0.5 + _SHRINK * (v - 0.5) for v in (x, y))
    inner = plane.lonlat(west + side * inner_x, south + side * inner_y)
    return {
        "kind": parcel.kind,
        "sigma0_db": {p: parcel.sigma0_db[p] for p in scene.spec.all_polarizations},
        "has_target": parcel.has_target,
        "polygon": [[float(a), float(b)] for a, b in zip(wrap_lon(lon), lat, strict=True)],
        "inner": [
            {"beam": beam, "polygon": [[float(a), float(b)] for a, b in zip(*at, strict=True)]}
            for beam, at in _image_positions(scene, *inner)
        ],
    }


def _image_positions(
    scene: Scene, lon: Floats, lat: Floats
) -> list[tuple[str | None, tuple[Floats, Floats]]]:
    """Beam, and lines and pixels of places on the ground's surface, in each image."""
    height = scene.spec.height_m
    if scene.grid is None:
        return [
            (str(swath.beam) if swath.beam else None, swath.line_pixel(lon, lat, height))
            for swath in scene.swaths
        ]
    if scene.spec.level != "2.1" and height != 0.0:
        t, r = geo2rdr(scene.orbit, lon, lat, height)
        lon, lat = rdr2geo(scene.orbit, t, r, look=scene.spec.look)
    return [(None, scene.grid.line_pixel(lon, lat))]
