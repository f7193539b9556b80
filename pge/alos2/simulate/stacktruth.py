"""What is true of a simulated stack: its scenes, and the ground on each date."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from alos2.geometry.polynomials import wrap_lon
from alos2.simulate.ground import Parcel
from alos2.simulate.scene import Scene
from alos2.simulate.truth import spec_json
from alos2.simulate.truthground import change_json, now_db
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.simulate.stack import StackScene, StackSpec

_SIDES: Final = (np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0]))


def stack_truth(
    stack: StackSpec, members: Sequence[StackScene], planned: Sequence[Scene], dem: str | None
) -> Json:
    """Everything that the stack was made from.

    Parameters
    ----------
    stack
        As asked for.
    members, planned
        Its scenes, in one order.
    dem
        Name of the DEM's file.
    """
    spec, first = stack.scene, planned[0]
    mode = spec.parameters
    changes = sorted({day for c in spec.changes for day in (c.since, c.until) if day is not None})
    days = sorted({scene.flight.scene.date for scene in planned})
    return {
        "backscatter": "sigma0" if first.ground.heights is None else "gamma0_T",
        "seed": spec.seed,
        "spec": spec_json(spec),
        "ground_center": [first.ground.plane.lon_deg, first.ground.plane.lat_deg],
        "dem": dem,
        "looks": 1.0 if spec.level == "1.1" else mode.looks[0] * mode.looks[1],
        "days_of_change": [day.isoformat() for day in changes],
        "changes": [change_json(change) for change in spec.changes],
        "scenes": [
            _scene_json(member, scene) for member, scene in zip(members, planned, strict=True)
        ],
        "dates": [day.isoformat() for day in days],
        "parcels": [_parcel_json(parcel, planned) for parcel in _parcels(planned)],
    }


def _scene_json(member: StackScene, scene: Scene) -> Json:
    identity = scene.flight.scene
    return {
        "scene": str(identity),
        "product": str(scene.spec.product_id),
        "folder": scene.names_stem,
        "date": identity.date.isoformat(),
        "time": f"{scene.flight.center_time:%Y-%m-%dT%H:%M:%S.%f}Z",
        "path": identity.path,
        "frame": identity.frame,
        "track_number": member.track,
        "date_number": member.date_number,
        "frame_number": member.frame,
        "orbit_offset_m": list(scene.spec.orbit_offset_m),
        "perpendicular_baseline_m": round(_baseline_m(scene), 4),
        "incidence_deg": scene.incidence_deg,
    }


def _baseline_m(scene: Scene) -> float:
    """Offset of the orbit across the line of sight at the centre: positive upwards."""
    right, up = scene.spec.orbit_offset_m
    angle = math.radians(scene.spec.off_nadir)
    side = 1.0 if scene.spec.look == "R" else -1.0
    return side * right * math.cos(angle) + up * math.sin(angle)


def _parcels(planned: Sequence[Scene]) -> Sequence[Parcel]:
    """Parcels of which a scene may show something."""
    radius = max(scene.radius_m for scene in planned)
    return planned[0].ground.parcels_within(2.0 * radius)


def _parcel_json(parcel: Parcel, planned: Sequence[Scene]) -> Json:
    first = planned[0]
    x, y = (low + parcel.side_m * part for low, part in zip(
        (parcel.west_m, parcel.south_m), _SIDES, strict=True
    ))  # fmt: skip
    lon, lat = first.ground.plane.lonlat(x, y)
    by_date = {}
    for scene in planned:
        day = scene.flight.scene.date.isoformat()
        if day not in by_date:
            by_date[day] = now_db(scene, parcel, scene.changes)
    return {
        "kind": parcel.kind,
        "has_target": parcel.has_target,
        "polygon": [[float(a), float(b)] for a, b in zip(wrap_lon(lon), lat, strict=True)],
        "box_m": [
            parcel.west_m,
            parcel.south_m,
            parcel.west_m + parcel.side_m,
            parcel.south_m + parcel.side_m,
        ],
        "by_date": by_date,
    }
