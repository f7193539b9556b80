"""From digital numbers to backscatter: calibration factors, LUTs, means of power."""

from alos2.radiometry.exceptions import (
    EXCEPTIONS,
    CalibrationException,
    published_exception,
)
from alos2.radiometry.factor import Factor, factor_for, sigma0, sigma0_db
from alos2.radiometry.lut import Lut, lut_bytes, lut_sigma0, read_lut
from alos2.radiometry.power import beta0, digital_power, from_db, gamma0, multilook, to_db

__all__ = [
    "EXCEPTIONS",
    "CalibrationException",
    "Factor",
    "Lut",
    "beta0",
    "digital_power",
    "factor_for",
    "from_db",
    "gamma0",
    "lut_bytes",
    "lut_sigma0",
    "multilook",
    "published_exception",
    "read_lut",
    "sigma0",
    "sigma0_db",
    "to_db",
]
