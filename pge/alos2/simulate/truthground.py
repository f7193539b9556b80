"""What is true of the ground of a product: its parcels, its relief, what happens to it.

On flat ground a parcel has a sigma nought, as every product then shows it. With a terrain it has a
gamma nought, terrain-flattened (gamma0_T of Small, 2011): power per area as seen from the
satellite, the same on all slopes; what a product shows depends on the slope.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np

from alos2.geometry.orbit import Floats
from alos2.geometry.polynomials import wrap_lon
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.simulate.changes import Change
from alos2.simulate.ground import Parcel
from alos2.simulate.scene import Scene
from alos2.types import Json

_SHRINK: Final = 0.9
"""The part of a parcel in which its backscatter is meant to be measured."""
_PROBES: Final = 41
"""Places along a side by which it is found out whether a change covers a parcel."""


def ground_truth(scene: Scene) -> Json:
    """Parcels of which something may be seen, and what has been done to the ground."""
    truth: Json = {"patches": _patches(scene)}
    heights = scene.ground.heights
    if scene.spec.terrain is not None and heights is not None:
        terrain: dict[str, Any] = asdict(scene.spec.terrain)
        terrain["path"] = None if terrain["path"] is None else str(terrain["path"])
        truth["terrain"] = terrain | {
            "lowest_m": heights.lowest_m,
            "highest_m": heights.highest_m,
            "dem": f"{scene.names_stem}-dem.tif" if scene.spec.dem else None,
        }
        truth["backscatter"] = "gamma0_T"
    if scene.spec.ground is not None:
        truth["ground_center"] = list(scene.spec.ground)
    if scene.spec.changes:
        day = scene.flight.scene.date
        truth["changes"] = [change_json(c) | {"seen": c.is_on(day)} for c in scene.spec.changes]
    return truth


def change_json(change: Change) -> Json:
    """Give a change as JSON."""
    values: Json = asdict(change)
    values["since"] = change.since.isoformat()
    values["until"] = None if change.until is None else change.until.isoformat()
    values["db"] = change.db if isinstance(change.db, (int, float)) else dict(change.db)
    return values


def _patches(scene: Scene) -> list[Json]:
    return [_patch(scene, parcel) for parcel in scene.ground.parcels_within(2.0 * scene.radius_m)]


def _patch(scene: Scene, parcel: Parcel) -> Json:
    """Its square on the ground, and the inner part of it in the first image."""
    west, south, side = parcel.west_m, parcel.south_m, parcel.side_m
    x, y = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    plane = scene.ground.plane
    lon, lat = plane.lonlat(west + side * x, south + side * y)
    inner_x, inner_y = (0.5 + _SHRINK * (v - 0.5) for v in (x, y))
    polarizations = scene.spec.all_polarizations
    backscatter = {p: parcel.sigma0_db[p] for p in polarizations}
    patch: Json = {
        "kind": parcel.kind,
        "sigma0_db" if scene.ground.heights is None else "gamma0_db": backscatter,
        "has_target": parcel.has_target,
        "polygon": [[float(a), float(b)] for a, b in zip(wrap_lon(lon), lat, strict=True)],
        "inner": [
            {"beam": beam, "polygon": [[float(a), float(b)] for a, b in zip(*at, strict=True)]}
            for beam, at in _image_positions(scene, west + side * inner_x, south + side * inner_y)
        ],
    }
    if scene.spec.changes:
        patch["now_db"] = now_db(scene, parcel, scene.changes)
    return patch


def now_db(scene: Scene, parcel: Parcel, changes: tuple[Change, ...]) -> Json | None:
    """Backscatter with some changes, dB by polarisation; None where only a part has changed."""
    polarizations = scene.spec.all_polarizations
    values: Json = {p: parcel.sigma0_db[p] for p in polarizations}
    part = 0.5 + _SHRINK * (np.linspace(0.0, 1.0, _PROBES) - 0.5)
    x, y = np.meshgrid(parcel.west_m + parcel.side_m * part, parcel.south_m + parcel.side_m * part)
    for change in changes:
        if change.kinds and parcel.kind not in change.kinds:
            continue
        inside = change.region(scene.ground.plane)(x.astype(np.float32), y.astype(np.float32))
        if inside.all():
            values = {p: round(values[p] + change.decibels(p), 6) for p in polarizations}
        elif inside.any():
            return None
    return values


def _image_positions(
    scene: Scene, x_m: Floats, y_m: Floats
) -> list[tuple[str | None, tuple[Floats, Floats]]]:
    """Beam, and lines and pixels of places on the ground's surface, in each image."""
    lon, lat = scene.ground.plane.lonlat(x_m, y_m)
    heights = scene.ground.heights
    height: Floats | float = scene.spec.height_m
    if heights is not None and scene.spec.level in ("1.1", "1.5", "3.1"):
        near = np.hypot(x_m, y_m) <= 1.5 * scene.radius_m
        height = np.where(near, 0.0, scene.spec.height_m)
        if near.any():
            height[near] = heights(x_m[near], y_m[near])
    if scene.grid is None:
        return [
            (str(swath.beam) if swath.beam else None, swath.line_pixel(lon, lat, height))
            for swath in scene.swaths
        ]
    if scene.spec.level != "2.1" and np.any(height != 0.0):
        t, r = geo2rdr(scene.orbit, lon, lat, height)
        lon, lat = rdr2geo(scene.orbit, t, r, look=scene.spec.look)
    return [(None, scene.grid.line_pixel(lon, lat))]
