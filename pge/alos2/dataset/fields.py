"""The properties of a STAC item that its extensions define, from a Product.

What a delivery does not say is left out, never guessed. Sources: the STAC 1.1.0 specification and
its extensions sar, sat, view, projection, processing, product; JAXA, ALOS-2/PALSAR-2 format
descriptions, for what the product's letters mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from alos2.constants import SPEED_OF_LIGHT_M_S
from alos2.dataset.times import utc_text
from alos2.product.model import MapGrid, Product
from alos2.types import Json, LookSide, PassDirection

PASS_WORDS: Final[dict[PassDirection, str]] = {"A": "ascending", "D": "descending"}
LOOK_WORDS: Final[dict[LookSide, str]] = {"L": "left", "R": "right"}

_LAUNCH_DESIGNATOR: Final = "2014-029A"
"""International designator (COSPAR id) of ALOS-2."""
_EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the Earth (IUGG), m."""
_ORBIT_DECIMALS: Final = 9
_FREQUENCY_DECIMALS: Final = 9
_PRODUCT_TYPES: Final = {
    ("1.1", "_"): "SLC",
    ("1.5", "R"): "GRD",
    ("1.5", "G"): "GEC",
    ("2.1", "G"): "GTC",
    ("2.2", "G"): "NRB",
    ("3.1", "R"): "GRD",
    ("3.1", "G"): "GEC",
}
"""By level and option: single look complex; ground range detected; geocoded on the ellipsoid;
geocoded with terrain correction."""
_LINEAGE: Final = {
    "1.1": "Single look complex data in slant range, focused by JAXA.",
    "1.5": "Multi-look amplitude in ground range on the ellipsoid, projected by JAXA.",
    "2.1": "Level 1.1 orthorectified by JAXA with a digital elevation model.",
    "2.2": "Terrain-flattened gamma nought, orthorectified by JAXA with a digital elevation model.",
    "3.1": "Level 1.5 with noise reduction and dynamic range compression by JAXA.",
}


def sar_fields(product: Product) -> Json:
    """Return what the sar extension has a place for."""
    sensor = product.sensor
    beams = [str(beam) for beam in product.beams]
    if not beams and sensor.beam_number is not None:
        beams = [str(sensor.beam_number)]
    frequency_hz = sensor.center_frequency_hz
    if frequency_hz is None and sensor.wavelength_m:
        frequency_hz = SPEED_OF_LIGHT_M_S / sensor.wavelength_m
    return present(
        {
            "sar:instrument_mode": product.mode,
            "sar:frequency_band": "L",
            "sar:center_frequency": _ghz(frequency_hz),
            "sar:bandwidth": _ghz(sensor.range_bandwidth_hz),
            "sar:polarizations": list(product.polarizations) or None,
            "sar:observation_direction": LOOK_WORDS[product.look],
            "sar:beam_ids": beams or None,
            "sar:resolution_range": _range_resolution_m(product),
            "sar:resolution_azimuth": _azimuth_resolution_m(product),
            "sar:pixel_spacing_range": product.pixel_spacing_m,
            "sar:pixel_spacing_azimuth": product.line_spacing_m,
            "sar:looks_range": _whole(sensor.looks_range),
            "sar:looks_azimuth": _whole(sensor.looks_azimuth),
        }
    )


def sat_fields(product: Product) -> Json:
    """Return what the sat extension has a place for. The relative orbit is JAXA's path."""
    orbit = product.orbit
    vectors = None
    if orbit is not None:
        vectors = {
            utc_text(orbit.time(float(t))): [
                round(float(v), _ORBIT_DECIMALS) + 0.0 for v in (*position, *velocity)
            ]
            for t, position, velocity in zip(
                orbit.times_s, orbit.positions_m, orbit.velocities_m_s, strict=True
            )
        }
    return present(
        {
            "sat:platform_international_designator": _LAUNCH_DESIGNATOR,
            "sat:orbit_state": PASS_WORDS[product.pass_direction],
            "sat:absolute_orbit": int(product.scene.orbit) or None,
            "sat:relative_orbit": product.scene.path,
            "sat:orbit_state_vectors": vectors,
        }
    )


def view_fields(product: Product) -> Json:
    """Return what the view extension has a place for.

    ``view:azimuth`` is the direction from below the satellite to the scene: the heading and a
    right angle to the side that the antenna looks to.
    """
    sensor = product.sensor
    azimuth = None
    if sensor.heading_deg is not None:
        side = 90.0 if product.look == "R" else -90.0
        azimuth = round((sensor.heading_deg + side) % 360.0, 7)
    return present(
        {
            "view:off_nadir": sensor.off_nadir_deg,
            "view:incidence_angle": sensor.incidence_deg,
            "view:azimuth": azimuth,
        }
    )


def projection_fields(product: Product) -> Json:
    """Return what the projection extension has a place for: rows before columns.

    ``proj:code`` is null where there is no EPSG code, and then ``proj:wkt2`` says what it is.
    """
    grid = product.grid
    if grid is None:
        shapes = {image.shape for image in product.images}
        fields: Json = {"proj:code": None}
        if len(shapes) == 1:
            fields["proj:shape"] = list(shapes.pop())
        return fields
    fields = {"proj:code": None if grid.epsg is None else f"EPSG:{grid.epsg}"}
    if grid.epsg is None:
        fields["proj:wkt2"] = _wkt2(grid.crs_wkt)
    return fields | {
        "proj:shape": list(grid.shape),
        "proj:transform": [float(value) for value in grid.transform],
        "proj:bbox": grid_bbox(grid),
    }


def processing_fields(product: Product, our_version: str) -> Json:
    """Return what the processing extension has a place for."""
    software = {"alos2-ingest": our_version}
    if product.software_version:
        software[product.facility or "JAXA"] = product.software_version
    return present(
        {
            "processing:level": f"L{product.level}",
            "processing:facility": product.facility,
            "processing:software": dict(sorted(software.items())),
            "processing:lineage": _LINEAGE[product.level],
        }
    )


def product_fields(product: Product) -> Json:
    """Return what the product extension has a place for."""
    kind = _PRODUCT_TYPES[product.level, product.product.option]
    return {"product:type": kind, "product:acquisition_type": "nominal"}


def gsd_m(product: Product) -> float | None:
    """Return the ground distance between samples, m: the larger of line and pixel spacing."""
    pixel, line = product.pixel_spacing_m, product.line_spacing_m
    if pixel is None or line is None:
        return None
    if product.level == "1.1":
        if not product.sensor.incidence_deg:
            return None
        pixel = pixel / math.sin(math.radians(product.sensor.incidence_deg))
    return round(max(pixel, line), 3)


def grid_bbox(grid: MapGrid) -> list[float]:
    """Return west, south, east, north of the raster's edge, in units of its CRS."""
    a, b, c, d, e, f = grid.transform
    lines, pixels = grid.shape
    corners = [(0, 0), (pixels, 0), (0, lines), (pixels, lines)]
    xs = [a * x + b * y + c for x, y in corners]
    ys = [d * x + e * y + f for x, y in corners]
    return [float(v) for v in (min(xs), min(ys), max(xs), max(ys))]


def present(fields: dict[str, Any]) -> Json:
    """Return `fields` without those that are None or not finite."""
    return {key: value for key, value in fields.items() if _is_known(value)}


def _is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _ghz(frequency_hz: float | None) -> float | None:
    return round(frequency_hz / 1e9, _FREQUENCY_DECIMALS) if frequency_hz else None


def _whole(looks: float | None) -> int | None:
    return int(looks) if looks is not None and looks == int(looks) and looks > 0 else None


def _range_resolution_m(product: Product) -> float | None:
    """Range resolution: c / (2 B), in slant range for level 1.1, else on the ground."""
    bandwidth_hz, incidence_deg = product.sensor.range_bandwidth_hz, product.sensor.incidence_deg
    if not bandwidth_hz:
        return None
    slant_m = SPEED_OF_LIGHT_M_S / (2.0 * bandwidth_hz)
    if product.level == "1.1":
        return round(slant_m, 3)
    if not incidence_deg:
        return None
    looks = product.sensor.looks_range or 1.0
    return round(slant_m * looks / math.sin(math.radians(incidence_deg)), 3)


def _azimuth_resolution_m(product: Product) -> float | None:
    """Speed of the beam on the ground over the azimuth bandwidth; needs an orbit."""
    orbit, bandwidth_hz = product.orbit, product.sensor.azimuth_bandwidth_hz
    if orbit is None or not bandwidth_hz:
        return None
    # Over the minute between two vectors the speed changes by less than 0.1 %.
    middle = len(orbit.times_s) // 2
    if product.center_time is not None:
        at_s = orbit.seconds(product.center_time)
        middle = min(range(len(orbit.times_s)), key=lambda i: abs(float(orbit.times_s[i]) - at_s))
    radius_m = _norm(orbit.positions_m[middle])
    ground_m_s = _norm(orbit.velocities_m_s[middle]) * _EARTH_RADIUS_M / radius_m
    looks = product.sensor.looks_azimuth or 1.0
    return round(ground_m_s / bandwidth_hz * looks, 3)


def _norm(vector: Iterator[float]) -> float:
    return math.sqrt(sum(float(v) ** 2 for v in vector))


def _wkt2(wkt: str) -> str:
    """Return a CRS as WKT 2; GeoTIFF readers give WKT 1."""
    from pyproj import CRS  # noqa: PLC0415  only products without an EPSG code need it

    return str(CRS.from_wkt(wkt).to_wkt("WKT2_2019"))
