"""LED's facility related record 5: polynomials between image, map and ground.

Source: the real L1.5 leader. Order of terms (checked there: the corners of the map projection
record come out within 7 mm with pixels and lines counted from 0): coefficient k of a 25-term
polynomial multiplies L^(4 - k mod 5) P^(4 - k div 5), and of the inverse
dLon^(4 - k mod 5) dLat^(4 - k div 5), all taken from their origins.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.layout import Field, RecordLayout

FACILITY_5: Final = RecordLayout(
    "facility 5",
    (18, 200, 18, 70),
    5000,
    (
        Field("facility_number", 12, "I4", "", "which facility record this is", default=5),
        Field(
            "map_to_pixel",
            16,
            "E20.10",
            "px",
            "map coordinates to pixel: 1, E, N, EN, E2, N2, E2N, EN2, E3, N3 (as readers have it)",
            count=10,
        ),
        Field("map_to_line", 216, "E20.10", "px", "map coordinates to line", count=10),
        Field("calibration_flag", 416, "I4", "", "where calibration data lie", default=0),
        Field("calibration_start_first", 420, "I8", "", "first line, side of start", default=0),
        Field("calibration_start_last", 428, "I8", "", "last line, side of start", default=0),
        Field("calibration_end_first", 436, "I8", "", "first line, side of end", default=0),
        Field("calibration_end_last", 444, "I8", "", "last line, side of end", default=0),
        Field("prf_switch_flag", 452, "I4", "", "the PRF changes within the scene: 1", default=0),
        Field("prf_switch_line", 456, "I8", "", "line at which the PRF changes"),
        Field("lost_lines_level_10", 472, "I8", "", "lost lines, level 1.0", default=0),
        Field("lost_lines", 480, "I8", "", "lost lines, other levels", default=0),
        Field("pixel_line_to_lat", 1024, "E20.10", "deg", "image to latitude", count=25),
        Field("pixel_line_to_lon", 1524, "E20.10", "deg", "image to longitude", count=25),
        Field("origin_pixel", 2024, "E20.10", "px", "P0 of the two above"),
        Field("origin_line", 2044, "E20.10", "px", "L0 of the two above"),
        Field("lat_lon_to_pixel", 2064, "E20.10", "px", "ground to pixel", count=25),
        Field("lat_lon_to_line", 2564, "E20.10", "px", "ground to line", count=25),
        Field("origin_lat_deg", 3064, "E20.10", "deg", "latitude origin of the two above"),
        Field("origin_lon_deg", 3084, "E20.10", "deg", "longitude origin of the two above"),
    ),
)
