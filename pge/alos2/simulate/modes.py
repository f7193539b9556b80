"""What the observation modes of PALSAR-2 are like: radar parameters, spacings, beams.

Sampling rates, slant-range spacings and the pulse repetition frequencies of the five-beam ScanSAR
are those that public readers carry for real products (c / (2 x sampling rate); spotlight and
ultra-fine 1.43 m, high-sensitive 2.86 m, fine 4.29 m, ScanSAR 8.58 m). The fine mode is that of a
real leader (beam 7, 36.6 degrees). What only JAXA knows of the others (pulse length, beam number,
bandwidths) is typical, not exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alos2.constants import SPEED_OF_LIGHT_M_S
from alos2.types import Polarization

_FULL_RATE_HZ: Final = 104.7915957140240e6
"""Sampling rate of the widest band, Hz; the others are its half, third and sixth."""


@dataclass(frozen=True)
class ModeParameters:
    """Radar parameters of one mode."""

    code: str
    """Two digits in the leader's sensor field."""
    sampling_rate_hz: float
    range_bandwidth_hz: float
    """Processed; that of the chirp."""
    azimuth_bandwidth_hz: float
    """Processed."""
    prf_hz: tuple[float, ...]
    """One a beam."""
    pulse_length_s: float
    center_frequency_hz: float
    off_nadir_deg: float
    """Nominal, at the scene's centre."""
    beam_number: int
    looks: tuple[float, float]
    """Of levels 1.5 to 3.1: in azimuth and in range."""
    spacings_m: tuple[float, ...]
    """Pixel spacings that levels 1.5 to 3.1 are made with; the first is the usual one."""
    duration_s: float
    """Length of JAXA's scenes."""

    @property
    def range_spacing_m(self) -> float:
        """Slant-range spacing of the samples, m: c / (2 x sampling rate)."""
        return SPEED_OF_LIGHT_M_S / (2.0 * self.sampling_rate_hz)

    @property
    def wavelength_m(self) -> float:
        """Radar wavelength, m."""
        return SPEED_OF_LIGHT_M_S / self.center_frequency_hz

    @property
    def slant_resolution_m(self) -> float:
        """Half-power width of the response in slant range, m: 0.886 c / (2 x bandwidth)."""
        return 0.886 * SPEED_OF_LIGHT_M_S / (2.0 * self.range_bandwidth_hz)

    @property
    def chirp_rate_hz_s(self) -> float:
        """Frequency sweep of the pulse, Hz/s."""
        return self.range_bandwidth_hz / self.pulse_length_s


_FINE: Final = ModeParameters(
    code="03",
    sampling_rate_hz=_FULL_RATE_HZ / 3.0,
    range_bandwidth_hz=24.9e6,
    azimuth_bandwidth_hz=1355.932914,
    prf_hz=(2122.318448518,),
    pulse_length_s=30.842168e-6,
    center_frequency_hz=1236.4998e6,
    off_nadir_deg=36.6,
    beam_number=7,
    looks=(2.0, 1.0),
    spacings_m=(6.25, 12.5),
    duration_s=10.0,
)
_SPOTLIGHT: Final = ModeParameters(
    code="00",
    sampling_rate_hz=_FULL_RATE_HZ,
    range_bandwidth_hz=79.4e6,
    azimuth_bandwidth_hz=6200.0,
    prf_hz=(7368.0,),
    pulse_length_s=54.0e-6,
    center_frequency_hz=1257.5e6,
    off_nadir_deg=32.4,
    beam_number=9,
    looks=(1.0, 1.0),
    spacings_m=(0.625, 1.25, 2.5),
    duration_s=3.6,
)
_ULTRA_FINE: Final = ModeParameters(
    code="01",
    sampling_rate_hz=_FULL_RATE_HZ,
    range_bandwidth_hz=79.4e6,
    azimuth_bandwidth_hz=2500.0,
    prf_hz=(3766.5,),
    pulse_length_s=54.0e-6,
    center_frequency_hz=1257.5e6,
    off_nadir_deg=32.4,
    beam_number=9,
    looks=(1.0, 1.0),
    spacings_m=(2.5, 5.0, 10.0),
    duration_s=10.0,
)
_HIGH: Final = ModeParameters(
    code="02",
    sampling_rate_hz=_FULL_RATE_HZ / 2.0,
    range_bandwidth_hz=38.6e6,
    azimuth_bandwidth_hz=1515.0,
    prf_hz=(2246.2,),
    pulse_length_s=40.0e-6,
    center_frequency_hz=1257.5e6,
    off_nadir_deg=32.4,
    beam_number=6,
    looks=(2.0, 1.0),
    spacings_m=(3.125, 6.25, 12.5),
    duration_s=10.0,
)
_FIVE_BEAMS_HZ: Final = (2661.847, 3314.512, 2406.568, 2270.575, 2821.225)
_SEVEN_BEAMS_HZ: Final = (2392.0, 2360.0, 2330.0, 2300.0, 2275.0, 2250.0, 2230.0)
_SCANSAR: Final = ModeParameters(
    code="08",
    sampling_rate_hz=_FULL_RATE_HZ / 6.0,
    range_bandwidth_hz=12.9e6,
    azimuth_bandwidth_hz=320.0,
    prf_hz=_FIVE_BEAMS_HZ,
    pulse_length_s=40.0e-6,
    center_frequency_hz=1236.4998e6,
    off_nadir_deg=37.0,
    beam_number=2,
    looks=(1.5, 3.0),
    spacings_m=(25.0, 50.0, 100.0),
    duration_s=52.0,
)


def _replace(base: ModeParameters, **changes: object) -> ModeParameters:
    return ModeParameters(**{**base.__dict__, **changes})


_BY_BAND: Final = {
    "SB": _SPOTLIGHT,
    "UB": _ULTRA_FINE,
    "HB": _HIGH,
    "FB": _FINE,
    "WB": _SCANSAR,
    "WW": _replace(
        _SCANSAR, sampling_rate_hz=_FULL_RATE_HZ / 3.0, range_bandwidth_hz=24.9e6, looks=(1.5, 6.0)
    ),
    "VB": _replace(
        _SCANSAR, code="09", prf_hz=_SEVEN_BEAMS_HZ, off_nadir_deg=38.0, azimuth_bandwidth_hz=240.0
    ),
}
_QUAD: Final = {
    "HB": _replace(_HIGH, code="18", off_nadir_deg=28.2, beam_number=4),
    "FB": _replace(_FINE, code="19", off_nadir_deg=28.2, beam_number=4),
}

_POLARIZATIONS: Final[dict[str, tuple[Polarization, ...]]] = {
    "S": ("HH",),
    "D": ("HH", "HV"),
    "Q": ("HH", "HV", "VH", "VV"),
}

POLARIZATION_SETS: Final[dict[str, frozenset[tuple[Polarization, ...]]]] = {
    "S": frozenset({("HH",), ("HV",), ("VH",), ("VV",)}),
    "D": frozenset({("HH", "HV"), ("VH", "VV")}),
    "Q": frozenset({("HH", "HV", "VH", "VV")}),
}
"""What a single, dual and quad polarisation mode can hold."""


def parameters(mode: str) -> ModeParameters:
    """Radar parameters of a mode such as ``FBD``."""
    if mode[2] == "Q":
        return _QUAD[mode[:2]]
    return _BY_BAND[mode[:2]]


def usual_polarizations(mode: str) -> tuple[Polarization, ...]:
    """Give the polarisations of a mode: HH, HH + HV, or all four."""
    return _POLARIZATIONS[mode[2]]
