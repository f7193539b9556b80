"""Constants of nature, of the ellipsoids and of the satellite, each with its unit."""

from typing import Final

SPEED_OF_LIGHT_M_S: Final = 299_792_458.0
"""Speed of light in vacuum, m/s (exact)."""

WGS84_SEMI_MAJOR_M: Final = 6_378_137.0
"""Semi-major axis of WGS 84, and of GRS 80, m."""

WGS84_FLATTENING: Final = 1.0 / 298.257223563
"""Flattening of WGS 84, dimensionless."""

GRS80_FLATTENING: Final = 1.0 / 298.257222101
"""Flattening of GRS 80 (JAXA's ellipsoid; 0.1 mm from WGS 84 at the pole), dimensionless."""

ORBITS_PER_CYCLE: Final = 207
"""Orbits in ALOS-2's 14-day repeat cycle, and so the number of its paths."""

CALIBRATION_FACTOR_DB: Final = -83.0
"""JAXA's calibration factor of PALSAR-2 (2014-11-20), dB; a product's leader overrides it."""

SLC_CALIBRATION_OFFSET_DB: Final = -32.0
"""What level 1.1 CEOS adds to the calibration factor, dB (JAXA's calibration page)."""
