"""What a product is, whatever form it was delivered in: frozen, typed, with units in the names.

Times are timezone-aware UTC. Positions and velocities are ECEF (ITRF), in metres and metres per
second. Line and pixel numbers are 0-based and mean pixel centres. A value that a delivery does
not carry is ``None``; what should be there and is not is named in ``Product.problems``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from alos2.archive.members import Member
from alos2.geometry.orbit import Orbit
from alos2.geometry.polynomials import GeolocationPolynomials
from alos2.naming import Beam, FileKind, ProductId, SceneId
from alos2.types import (
    Level,
    LonLat,
    LookSide,
    PassDirection,
    Polarization,
    ProductFormat,
    RasterShape,
    Window,
)

ProblemCode: TypeAlias = Literal[
    "missing_leader",
    "missing_volume",
    "missing_trailer",
    "missing_image",
    "missing_polarization",
    "missing_summary",
    "missing_lut",
    "short_image",
    "empty_image",
    "bad_leader",
    "bad_volume",
    "bad_trailer",
    "bad_image",
    "bad_summary",
    "bad_lut",
    "bad_kml",
    "contradiction",
    "duplicate",
    "unexpected_file",
]
"""What can be wrong with a product; stable, documented."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a product."""

    code: ProblemCode
    message: str
    """A sentence that names the file, what was expected and what was found."""
    file: str | None = None
    """Base name of the file concerned."""
    blocks_ingest: bool = True
    """Whether ``ingest`` refuses the product because of it (``info`` never does)."""


@dataclass(frozen=True)
class ProductFile:
    """One file of the delivery that belongs to the product."""

    name: str
    """Base name."""
    kind: FileKind
    size_bytes: int
    member: Member
    """Where the bytes are: a file, or a member of a (nested) zip."""
    polarization: Polarization | None = None
    beam: Beam | None = None
    sha256: str | None = None
    """Hexadecimal; None until somebody has read the whole file."""

    @property
    def path(self) -> Path | None:
        """Path on disk, or None while the file is still inside an archive."""
        return self.member.local_path


@dataclass(frozen=True)
class SlantRangeTiming:
    """Where the samples of one image lie in azimuth time and slant range (zero Doppler)."""

    first_line_time: datetime
    """Zero-Doppler time of line 0; microseconds."""
    line_interval_s: float
    """Time between lines, 1/PRF."""
    near_range_m: float
    """Slant range of pixel 0. JAXA's line prefix rounds it to a whole metre."""
    range_spacing_m: float
    """Slant-range spacing of the pixels, c / (2 x sampling rate)."""


@dataclass(frozen=True)
class TiePoint:
    """An image position with its place on the ground, as GeoTIFF tie points or GCPs."""

    line: float
    pixel: float
    """0-based, 0.0 is the *centre* of the first line or pixel."""
    position: LonLat


@dataclass(frozen=True)
class MapGrid:
    """The map projection of a detected image.

    ``transform`` is the affine (a, b, c, d, e, f) of GDAL and rasterio's ``Affine``: the upper
    left *corner* of the first pixel is (c, f); x = a*pixel + b*line + c, y = d*pixel + e*line + f
    in ``crs`` units (m). Rotated (b, d not zero) for georeferenced products.
    """

    crs_wkt: str
    epsg: int | None
    """EPSG code of an equivalent CRS (WGS 84 for JAXA's ITRF97/GRS80), None if there is none."""
    transform: tuple[float, float, float, float, float, float]
    shape: RasterShape

    def part(self, window: Window) -> MapGrid:
        """Return the grid of a window, which may reach beyond this one."""
        a, b, c, d, e, f = self.transform
        x = c + a * window.pixel + b * window.line
        y = f + d * window.pixel + e * window.line
        shape = RasterShape(window.lines, window.pixels)
        return replace(self, transform=(a, b, x, d, e, y), shape=shape)


@dataclass(frozen=True)
class Image:
    """One IMG file: one polarisation, and for ScanSAR level 1.1 one beam."""

    file: ProductFile
    polarization: Polarization
    beam: Beam | None
    shape: RasterShape
    """As its own descriptor (CEOS) or header (GeoTIFF) says; from the summary if unreadable."""
    dtype: Literal["complex64", "complex_int16", "uint16"]
    prefix_bytes: int = 0
    """CEOS: bytes before the samples in each record (544 or 192)."""
    header_bytes: int = 0
    """CEOS: bytes before the first line record (720)."""
    record_bytes: int = 0
    """CEOS: length of a line record."""
    timing: SlantRangeTiming | None = None
    """Level 1.1 CEOS only."""
    tie_points: tuple[TiePoint, ...] = ()
    """Level 1.1 GeoTIFF: four corners."""
    grid: MapGrid | None = None
    """Levels 1.5, 2.1, 3.1."""
    prf_hz: float | None = None


@dataclass(frozen=True)
class Calibration:
    """How digital numbers become sigma nought (see ``alos2.radiometry``)."""

    factor_db: float | None
    """sigma0 [dB] = 10 log10(<DN^2>) + factor_db (level 1.1: already with JAXA's -32 dB)."""
    source: str
    """``leader``, ``lut``, ``summary`` (level 2.2: gamma nought, not sigma nought), or ``default``
    where the delivery does not say."""
    luts: Mapping[Polarization, ProductFile] = field(default_factory=dict)
    """GeoTIFF deliveries: the LUT of each polarisation."""


@dataclass(frozen=True)
class Sensor:
    """Radar and viewing parameters; None where the delivery does not say."""

    off_nadir_deg: float | None = None
    incidence_deg: float | None = None
    """At the scene centre."""
    wavelength_m: float | None = None
    center_frequency_hz: float | None = None
    prf_hz: float | None = None
    sampling_rate_hz: float | None = None
    range_bandwidth_hz: float | None = None
    azimuth_bandwidth_hz: float | None = None
    pulse_length_s: float | None = None
    looks_azimuth: float | None = None
    looks_range: float | None = None
    beam_number: int | None = None
    doppler_hz: float | None = None
    """Constant term of the Doppler centroid."""
    doppler_hz_per_km: float | None = None
    """Linear term over slant range."""
    heading_deg: float | None = None
    """Scene heading, clockwise from north."""
    incidence_polynomial: tuple[float, ...] | None = None
    """a0..a5: incidence in radians over slant range in km."""


@dataclass(frozen=True)
class SummaryCorners:
    """Image corners as summary.txt gives them (3 decimals, about 55 m)."""

    left_top: LonLat
    right_top: LonLat
    right_bottom: LonLat
    left_bottom: LonLat
    center: LonLat | None = None


@dataclass(frozen=True)
class Product:
    """One ALOS-2 scene in one processing, as it was delivered."""

    scene: SceneId
    product: ProductId
    level: Level
    format: ProductFormat
    files: tuple[ProductFile, ...]
    """Everything that belongs to it, by name."""
    images: tuple[Image, ...]
    """By polarisation (HH, HV, VH, VV), then beam."""
    problems: tuple[Problem, ...] = ()
    center_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    processed_time: datetime | None = None
    sensor: Sensor = field(default_factory=Sensor)
    calibration: Calibration | None = None
    orbit: Orbit | None = None
    """From the leader; None for GeoTIFF deliveries."""
    orbit_precision: str | None = None
    """``Precision``, ``Onboard`` or ``RARR_Predict``."""
    polynomials: GeolocationPolynomials | None = None
    """Facility 5 of the leader."""
    grid: MapGrid | None = None
    """Of the detected images (all share it)."""
    pixel_spacing_m: float | None = None
    line_spacing_m: float | None = None
    image_corners: SummaryCorners | None = None
    """The data quadrilateral, from summary.txt."""
    frame_corners: SummaryCorners | None = None
    """The raster's corners, from summary.txt."""
    kml_corners: SummaryCorners | None = None
    """The scene rectangle of JAXA's KML: for comparison, a KML is not to be trusted."""
    facility: str | None = None
    """Processing facility, e.g. EICS."""
    software_version: str | None = None
    resampling: str | None = None
    dem: str | None = None
    geoid: str | None = None
    scene_shift: int | None = None
    summary: Mapping[str, str] = field(default_factory=dict)
    """All keys of summary.txt as they stand; of repeated keys the last."""
    leader_from: str | None = None
    """Base name of a leader of the same scene given from outside (``--leader``)."""

    @property
    def look(self) -> LookSide:
        """Side the antenna looks to."""
        return self.product.look

    @property
    def pass_direction(self) -> PassDirection:
        """Ascending or descending."""
        return self.product.pass_direction

    @property
    def mode(self) -> str:
        """Observation mode, e.g. ``FBD``."""
        return self.product.mode

    @property
    def polarizations(self) -> tuple[Polarization, ...]:
        """The polarisations that have an image."""
        return tuple(dict.fromkeys(image.polarization for image in self.images))

    @property
    def beams(self) -> tuple[Beam, ...]:
        """ScanSAR beams of level 1.1, in order; empty otherwise."""
        return tuple(dict.fromkeys(i.beam for i in self.images if i.beam is not None))

    @property
    def problems_for_ingest(self) -> tuple[Problem, ...]:
        """Those that make ``ingest`` refuse the product."""
        return tuple(p for p in self.problems if p.blocks_ingest)
