"""LED's map projection record: levels 1.5, 2.1 and 3.1 only.

Source: the real L1.5 leader (geocoded, UTM) for offsets and formats; the blocks of the other
projections, blank there, as public readers have them.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.layout import Field, RecordLayout

_GENERAL: Final = (
    Field("kind", 28, "A32", "", "GEOCODED, or text of a georeferenced product"),
    Field("pixel_count", 60, "I16", "", "pixels a line"),
    Field("line_count", 76, "I16", "", "lines"),
    Field("line_spacing_m", 92, "F16.7", "m", "from line to line"),
    Field("pixel_spacing_m", 108, "F16.7", "m", "from pixel to pixel"),
    Field(
        "angle_to_north_deg",
        124,
        "F16.7",
        "deg",
        "of the projection's axis from true north at the centre; NAN in the real file",
    ),
    Field("inclination_deg", 140, "F16.7", "deg", "of the orbit (zero in the real file)"),
    Field("ascending_node_deg", 156, "F16.7", "deg", "of the orbit (zero in the real file)"),
    Field("geocentre_distance_m", 172, "F16.7", "m", "of the platform at the centre time"),
    Field("platform_altitude_m", 188, "F16.7", "m", "of the platform above the ellipsoid"),
    Field("ground_speed_m_s", 204, "F16.7", "m/s", "of the nadir at the centre time"),
    Field("platform_heading_deg", 220, "F16.7", "deg", "heading of the platform"),
    Field("ellipsoid", 236, "A32", "", "name of the ellipsoid", default="GRS80"),
    Field("semi_major_m", 268, "F16.7", "m", "semi-major axis (metres here)"),
    Field("semi_minor_m", 284, "F16.7", "m", "semi-minor axis (metres here)"),
    Field("datum_shift_m", 300, "F16.7", "m", "datum shift dx, dy, dz (zero)", count=3),
    Field("datum_rotation_deg", 348, "F16.7", "deg", "datum rotation angles (zero)", count=3),
    Field("datum_scale", 396, "F16.7", "", "datum scale factor (zero)"),
)

_PROJECTIONS: Final = (
    Field("projection", 412, "A32", "", "UTM-, UPS-, MER- or LCC-PROJECTION: which block applies"),
    Field("utm_name", 444, "A32", "", "UNIVERSAL TRANSVERSE MERCATOR"),
    Field("utm_zone", 476, "I4", "", "1 to 60; hemisphere by the false northing"),
    Field("utm_false_easting_m", 480, "F16.5", "m", "500000"),
    Field("utm_false_northing_m", 496, "F16.5", "m", "10000000 in the south, 0 in the north"),
    Field("utm_center_lon_deg", 512, "F16.7", "deg", "of the scene, not of the zone"),
    Field("utm_center_lat_deg", 528, "F16.7", "deg", "of the scene"),
    Field("utm_scale", 576, "F16.7", "", "scale on the central meridian: 0.9996"),
    Field("ups_name", 592, "A32", "", "polar stereographic", "readers"),
    Field("ups_center_lon_deg", 624, "F16.7", "deg", "centre of projection", "readers"),
    Field("ups_center_lat_deg", 640, "F16.7", "deg", "centre of projection", "readers"),
    Field("ups_scale", 656, "F16.7", "", "scale factor", "readers"),
    Field("national_name", 672, "A32", "", "Mercator or Lambert conformal conic", "readers"),
    Field("national_false_easting_m", 704, "F16.5", "m", "false easting", "readers"),
    Field("national_false_northing_m", 720, "F16.5", "m", "false northing", "readers"),
    Field("national_center_lon_deg", 736, "F16.7", "deg", "centre of projection", "readers"),
    Field("national_center_lat_deg", 752, "F16.7", "deg", "centre of projection", "readers"),
    Field("standard_parallel_deg", 768, "F16.7", "deg", "standard parallels", "readers", count=4),
    Field("central_meridian_deg", 832, "F16.7", "deg", "central meridian", "readers", count=3),
)

_CORNER_NAMES: Final = ("top_left", "top_right", "bottom_right", "bottom_left")


def _corners() -> tuple[Field, ...]:
    fields = []
    for number, corner in enumerate(_CORNER_NAMES):
        words = corner.replace("_", " ")
        map_offset, geo_offset = 944 + 32 * number, 1072 + 32 * number
        fields += [
            Field(f"{corner}_northing_km", map_offset, "F16.7", "km", f"{words} pixel centre"),
            Field(f"{corner}_easting_km", map_offset + 16, "F16.7", "km", f"{words} pixel centre"),
            Field(f"{corner}_lat_deg", geo_offset, "F16.7", "deg", f"{words} pixel centre"),
            Field(f"{corner}_lon_deg", geo_offset + 16, "F16.7", "deg", f"{words} pixel centre"),
        ]
    return tuple(fields)


_COEFFICIENTS: Final = (
    Field(
        "corner_heights_m", 1200, "F16.7", "m", "terrain above the ellipsoid", "readers", count=4
    ),
    Field(
        "row_column_to_map",
        1264,
        "E20.10",
        "deg",
        "A11..A14, A21..A24: x = A11 + A12 R + A13 C + A14 R C, y by A2n; x is longitude and y "
        "latitude in the real geocoded file, though readers call them easting and northing",
        count=8,
    ),
    Field(
        "map_to_row_column",
        1424,
        "E20.10",
        "",
        "B11..B14, B21..B24: the inverse, R and C counted from 1",
        count=8,
    ),
)

MAP_PROJECTION: Final = RecordLayout(
    "map projection",
    (18, 20, 18, 20),
    1620,
    (*_GENERAL, *_PROJECTIONS, *_corners(), *_COEFFICIENTS),
)
