"""The leader file: its records from the scene, in the values of the layout tables."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from alos2.ceos.facility import FACILITY_5
from alos2.ceos.layout import RecordLayout
from alos2.ceos.leader import FACILITY_CODES, LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.constants import CALIBRATION_FACTOR_DB
from alos2.geometry.polynomials import GeolocationPolynomials
from alos2.simulate.mapprojection import map_projection_values
from alos2.simulate.platform import attitude, calendar, platform
from alos2.simulate.scene import Scene
from alos2.simulate.summaryrecord import (
    azimuth_resolution_m,
    channel_count,
    data_set_summary_values,
)

FACILITY_BYTES: Final = (325_000, 511_000, 3072, 728_000)
"""Lengths of the facility related records 1 to 4, which are blank but for their numbers."""

FILE_LETTERS: Final = {"1.1": "B", "1.5": "C", "2.1": "C", "3.1": "D"}
"""Letter of the level in file ids; that of 2.1 is a guess."""

_ATTITUDES: Final = 22
_MOST_ATTITUDES: Final = 136
_FIT_NODES: Final = 13


def file_id(scene: Scene, kind: str) -> str:
    """Id of a file of the product: `kind` is SARL, IMOP or SART."""
    return f"AL2 SAR{FILE_LETTERS[scene.spec.level]}{kind}"


def leader_bytes(scene: Scene) -> bytes:
    """Make the whole leader file."""
    values: dict[str, dict[str, Any]] = {
        "data_set_summary": data_set_summary_values(scene),
        "platform_position": platform_position_values(scene),
        "attitude": attitude_values(scene),
        "radiometric": radiometric_values(),
        "data_quality": data_quality_values(scene),
    }
    if scene.grid is not None:
        values["map_projection"] = map_projection_values(scene, scene.grid)
    records = [
        (kind, LEADER_RECORDS[kind], values[kind]) for kind in LEADER_RECORDS if kind in values
    ]
    for number, length in enumerate(FACILITY_BYTES, 1):
        records.append((f"facility_{number}", _facility(number, length), {}))
    records.append(("facility_5", FACILITY_5, facility_5_values(scene)))
    counts: dict[str, Any] = {"file_id": file_id(scene, "SARL")}
    body = []
    for place, (kind, layout, content) in enumerate(records, 2):
        encoded = layout.encode(content, sequence=place)
        counts[f"{kind}_count"], counts[f"{kind}_length"] = 1, len(encoded)
        body.append(encoded)
    return LEADER_DESCRIPTOR.encode(counts, sequence=1) + b"".join(body)


def _facility(number: int, length: int) -> RecordLayout:
    """Layout of a facility record of which only the number is known."""
    first = FACILITY_5.field("facility_number")
    known = type(first)(first.name, first.offset, first.fmt, default=number)
    return RecordLayout(f"facility {number}", FACILITY_CODES, length, (known,))


def platform_position_values(scene: Scene) -> dict[str, Any]:
    """State vectors, to the last digit those of the truth."""
    orbit, epoch = scene.orbit, scene.orbit.epoch
    center = platform(orbit, scene.flight.center_s)
    names = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
    elements = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
    state = np.concatenate([center.position_m, center.velocity_m_s])
    vectors = np.concatenate([orbit.positions_m, orbit.velocities_m_s], axis=1)
    first = epoch.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "orbit_quality": "2",
        **{f"element_{n}": float(v) for n, v in zip(elements, state, strict=True)},
        "point_count": len(vectors),
        "first_year": epoch.year,
        "first_month": epoch.month,
        "first_day": epoch.day,
        "first_day_of_year": epoch.timetuple().tm_yday,
        "first_second_of_day": (epoch - first).total_seconds(),
        "interval_s": float(orbit.times_s[1] - orbit.times_s[0]),
        "position_error_m": [100.0] * 3,
        "velocity_error_m_s": [0.3] * 3,
        "points": [{n: float(v) for n, v in zip(names, vector, strict=True)} for vector in vectors],
    }


def attitude_values(scene: Scene) -> dict[str, Any]:
    """One attitude a second round the scene."""
    duration = scene.end_s - scene.start_s
    count = min(max(_ATTITUDES, math.ceil(duration) + 12), _MOST_ATTITUDES)
    first = round(scene.flight.center_s - 0.5 * (count - 1), 3)
    t = first + np.arange(count)
    when = calendar(scene.orbit, t)
    away = t - scene.flight.center_s
    argument, look = scene.flight.argument_of_latitude_deg, scene.spec.look
    angles = np.stack(attitude(argument, away, look))
    rates = np.stack(attitude(argument, away + 0.5, look)) - np.stack(
        attitude(argument, away - 0.5, look)
    )
    names = ("pitch", "roll", "yaw")
    return {
        "point_count": count,
        "points": [
            {
                "day_of_year": int(when.day_of_year[k]),
                "ms_of_day": int(when.us_of_day[k]) // 1000,
                **{f"{n}_deg": float(angles[i, k]) for i, n in enumerate(names)},
                **{f"{n}_rate_deg_s": float(rates[i, k]) for i, n in enumerate(names)},
            }
            for k in range(count)
        ],
    }


def radiometric_values() -> dict[str, Any]:
    """JAXA's calibration factor; no distortion."""
    identity = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return {
        "calibration_factor_db": CALIBRATION_FACTOR_DB,
        "transmit_distortion": identity,
        "receive_distortion": identity,
    }


def data_quality_values(scene: Scene) -> dict[str, Any]:
    """Of an ideal point response; ambiguities and noise as in the real leader."""
    mode = scene.spec.parameters
    # Blank in the real leader of level 1.5; in level 1.1 sarpy wants numbers.
    value = 0.0 if scene.grid is None else None
    none = {"error_db": value, "error_deg": value}
    shift = {"along_m": value, "across_m": value}
    channels = channel_count(scene)
    return {
        "channel_count": channels,
        "islr_db": -10.16,
        "pslr_db": -13.26,
        "azimuth_ambiguity_db": 24.4,
        "range_ambiguity_db": 32.7,
        "snr_db": -32.1,
        "resolution_range_m": mode.slant_resolution_m,
        "resolution_azimuth_m": azimuth_resolution_m(scene),
        "relative_errors": [none] * channels,
        "misregistrations": [shift] * channels,
    }


def polynomials(scene: Scene) -> GeolocationPolynomials:
    """Image to ground at height 0 and back, fitted to the exact geometry.

    Of ScanSAR's beams, those of the first: the record has room for one image only.
    """
    shape = scene.shape
    rows = np.linspace(0.0, shape.lines - 1.0, _FIT_NODES)
    columns = np.linspace(0.0, shape.pixels - 1.0, _FIT_NODES)
    line, pixel = np.meshgrid(rows, columns, indexing="ij")
    image = scene.swaths[0] if scene.grid is None else scene.grid
    lon, lat = image.lonlat(line, pixel)
    return GeolocationPolynomials.fit(
        line,
        pixel,
        lon,
        lat,
        origin_line=float(shape.lines // 2),
        origin_pixel=float(shape.pixels // 2),
    )


def facility_5_values(scene: Scene) -> dict[str, Any]:
    """Give the polynomials as the record has them."""
    fitted = polynomials(scene)
    arrays = (
        "map_to_pixel", "map_to_line", "pixel_line_to_lat", "pixel_line_to_lon",
        "lat_lon_to_pixel", "lat_lon_to_line",
    )  # fmt: skip
    return {
        **{name: [float(v) for v in getattr(fitted, name)] for name in arrays},
        "origin_pixel": fitted.origin_pixel,
        "origin_line": fitted.origin_line,
        "origin_lat_deg": fitted.origin_lat_deg,
        "origin_lon_deg": fitted.origin_lon_deg,
        "prf_switch_line": 1,
    }
