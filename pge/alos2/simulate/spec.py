"""What shall be simulated, checked; and what came out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812  `date` is the name of a parameter
from pathlib import Path
from typing import Final, Literal, get_args

from alos2.errors import UsageError
from alos2.naming import MODES, SCANSAR_BEAMS, Mode, ProductId, SceneId
from alos2.simulate.changes import Change
from alos2.simulate.modes import (
    POLARIZATION_SETS,
    ModeParameters,
    parameters,
    usual_polarizations,
)
from alos2.simulate.terrain import Terrain
from alos2.types import (
    POLARIZATIONS,
    Level,
    LookSide,
    PassDirection,
    Polarization,
    ProductFormat,
    RasterShape,
)

Compatibility = Literal["sarpy"]
"""Readers that insist on something that real products do not have.

``sarpy``: a Doppler rate across the track (data set summary, byte 1606) that is not zero.
"""

SMALLEST: Final = 32
"""Least lines and pixels: below, polynomials have nothing to stand on."""
LARGEST_PIXELS: Final = {
    "1.1": 124_931, "1.5": 499_903, "2.1": 499_903, "2.2": 20_000, "3.1": 499_903,
}  # fmt: skip
"""What the six digits of a CEOS record length hold; level 2.2: a little more than JAXA's."""
LARGEST_LINES: Final = 999_998
"""What the six digits of a CEOS record count hold."""
FIRST_DAY: Final = Date(2014, 8, 4)
"""Earlier, in commissioning, orbits did not follow the formula of paths."""
LAST_DAY: Final = Date(2032, 12, 31)
MOST_FRAMES: Final = 20
"""Frames of one pass on either side of the first."""
LEAP_DAYS: Final = (Date(2015, 6, 30), Date(2015, 7, 1), Date(2016, 12, 31), Date(2017, 1, 1))


@dataclass(frozen=True)
class SimulationSpec:
    """One product to be made.

    Raises
    ------
    UsageError
        If something in it cannot be, or does not go together.
    """

    level: Level = "1.1"
    format: ProductFormat = "ceos"
    mode: Mode = "FBD"
    look: LookSide = "R"
    pass_direction: PassDirection = "A"  # noqa: S105  an orbit's pass, no password
    pixels: int = 512
    """Pixels a line (of every beam)."""
    lines: int = 512
    """Lines (of the first beam; the others have theirs by their pulse repetition frequency)."""
    seed: int = 0
    """Whatever is random follows from it; not negative."""
    lat_deg: float = 35.2
    """Of the scene's centre, degrees north."""
    lon_deg: float = 138.6
    """Of the scene's centre, degrees east, -180 to 180."""
    date: Date = Date(2020, 6, 15)
    """UTC day of the scene's centre; the time of day follows from the sun-synchronous orbit."""
    option: Literal["G", "R"] = "G"
    """Geocoded or georeferenced (levels 1.5 and 3.1)."""
    projection: Literal["U", "P", "M", "L"] = "U"
    """UTM, polar stereographic, Mercator, Lambert conformal conic (all levels but 1.1)."""
    spacing_m: float | None = None
    """Of the pixels of levels 1.5 to 3.1; None: the mode's usual one."""
    off_nadir_deg: float | None = None
    """At the scene's centre; None: the mode's usual one."""
    height_m: float = 0.0
    """Of the flat ground above the ellipsoid; point targets stand on it, or above it."""
    polarizations: tuple[Polarization, ...] | None = None
    """None: HH, HH + HV or all four, by the mode."""
    zip: Literal["auig2"] | None = None
    """Pack the product as AUIG2 delivers it: a zip within a zip."""
    compat: frozenset[Compatibility] = field(default_factory=frozenset)
    """Readers to please against the facts."""
    terrain: Terrain | None = None
    """What stands on the flat ground; parcels then have a gamma nought (terrain-flattened)."""
    dem: bool = False
    """Write the true surface as a GeoTIFF beside the truth (not of a terrain from a file)."""
    dem_spacing_m: float | None = None
    """Of its pixels; None: half the product's ground spacing, at least 4 m."""
    ground: tuple[float, float] | None = None
    """Longitude and latitude of the ground's centre, degrees; None: the scene's."""
    targets: bool = True
    """Whether point targets stand on the ground."""
    changes: tuple[Change, ...] = ()
    """What happens to the ground on certain days."""
    speckle_by_date: bool = False
    """Other speckle on another date, for stacks; else it follows from the seed alone."""
    frame_step: int = 0
    """The scene's place in a row of overlapping scenes of one pass; 0 is that of `lat_deg`."""
    orbit_offset_m: tuple[float, float] = (0.0, 0.0)
    """How far the orbit lies to the right of the flight and upwards at the scene, m."""

    def __post_init__(self) -> None:
        self._check_product()
        self._check_numbers()
        self._check_stack()
        self._check_date()

    def _check_product(self) -> None:
        _one_of("level", self.level, LARGEST_PIXELS)
        _one_of("format", self.format, ("ceos", "geotiff"))
        _one_of("mode", self.mode, MODES)
        _one_of("look side", self.look, ("L", "R"))
        _one_of("pass", self.pass_direction, ("A", "D"))
        _one_of("option", self.option, ("G", "R"))
        _one_of("projection", self.projection, ("U", "P", "M", "L"))
        _one_of("kind of zip", self.zip, (None, "auig2"))
        for switch in self.compat:
            _one_of("compatibility switch", switch, get_args(Compatibility))
        if self.level in ("2.1", "2.2") and self.option != "G":
            raise UsageError(f"level {self.level} is always geocoded (option G)")
        if self.level == "2.2":
            self._check_level22()
        if self.format == "geotiff" and self.level == "1.1" and self.is_scansar:
            raise UsageError("JAXA makes no GeoTIFF of ScanSAR level 1.1", hint="use --format ceos")
        for name in self.all_polarizations:
            _one_of("polarisation", name, POLARIZATIONS)
        if self.all_polarizations not in POLARIZATION_SETS[self.mode[2]]:
            given = "+".join(self.all_polarizations)
            raise UsageError(f"mode {self.mode} does not give the polarisations {given}")

    def _check_level22(self) -> None:
        if self.format != "geotiff" or not self.is_scansar or self.projection != "U":
            raise UsageError(
                "level 2.2 is made of ScanSAR modes, as GeoTIFF in UTM",
                hint="use --format geotiff --mode WBD",
            )
        if self.zip is not None or self.targets:
            raise UsageError(
                "level 2.2 is made without a zip and without point targets",
                hint="use --no-targets",
            )

    def _check_numbers(self) -> None:
        for name, value, highest in (
            ("pixels", self.pixels, LARGEST_PIXELS[self.level]),
            ("lines", self.lines, LARGEST_LINES),
        ):
            if not SMALLEST <= value <= highest:
                raise UsageError(f"{value} {name}: {SMALLEST} to {highest} are possible")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}: it cannot be negative")
        _between("latitude", self.lat_deg, -90.0, 90.0)
        _between("longitude", self.lon_deg, -180.0, 180.0)
        _between("height of the ground", self.height_m, -500.0, 9000.0)
        _between("off-nadir angle", self.off_nadir, 7.0, 60.0)
        if self.level != "1.1":
            _between("pixel spacing", self.spacing, 0.1, 1000.0)

    def _check_stack(self) -> None:
        if self.dem and (self.terrain is None or self.terrain.kind == "file"):
            raise UsageError("a DEM is written of a ridge, a roof or hills", hint="give a terrain")
        if self.dem_spacing_m is not None:
            _between("DEM spacing", self.dem_spacing_m, 0.1, 1000.0)
        if self.ground is not None:
            _between("longitude of the ground", self.ground[0], -180.0, 180.0)
            _between("latitude of the ground", self.ground[1], -90.0, 90.0)
        if abs(self.frame_step) > MOST_FRAMES:
            raise UsageError(f"frame {self.frame_step}: at most {MOST_FRAMES} either way")
        for offset in self.orbit_offset_m:
            _between("offset of the orbit", offset, -10_000.0, 10_000.0)

    def _check_date(self) -> None:
        if not FIRST_DAY <= self.date <= LAST_DAY:
            raise UsageError(f"{self.date} is not between {FIRST_DAY} and {LAST_DAY}")
        if self.date in LEAP_DAYS:
            raise UsageError(
                f"{self.date} borders a leap second, which is not simulated",
                hint="take another day",
            )

    @property
    def parameters(self) -> ModeParameters:
        """Radar parameters of the mode."""
        return parameters(self.mode)

    @property
    def is_scansar(self) -> bool:
        """Whether the mode scans several beams."""
        return self.mode[:2] in SCANSAR_BEAMS

    @property
    def off_nadir(self) -> float:
        """Off-nadir angle at the centre, degrees."""
        return self.parameters.off_nadir_deg if self.off_nadir_deg is None else self.off_nadir_deg

    @property
    def spacing(self) -> float:
        """Pixel and line spacing of levels 1.5 to 3.1, m."""
        return self.parameters.spacings_m[0] if self.spacing_m is None else self.spacing_m

    @property
    def image_height_m(self) -> float:
        """Height of the surface that image positions refer to: the ground's for level 2.1."""
        return self.height_m if self.level == "2.1" else 0.0

    @property
    def all_polarizations(self) -> tuple[Polarization, ...]:
        """The product's polarisations, in JAXA's order."""
        return usual_polarizations(self.mode) if self.polarizations is None else self.polarizations

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels as asked for."""
        return RasterShape(self.lines, self.pixels)

    @property
    def product_id(self) -> ProductId:
        """E.g. ``FBDR1.1__A``."""
        slant = self.level == "1.1"
        return ProductId(
            self.mode,
            self.look,
            self.level,
            "_" if slant else self.option,
            "_" if slant else self.projection,
            self.pass_direction,
        )


@dataclass(frozen=True)
class SimulationResult:
    """What was made, and where it lies."""

    product_dir: Path
    """The product's files."""
    archive: Path | None
    """The delivery zip, if one was asked for."""
    truth_path: Path
    """JSON of what is true of the product; never part of the delivery."""
    scene: SceneId
    product: ProductId
    dem_path: Path | None = None
    """The true surface, if it was asked for (or the file that the terrain came from)."""


def _one_of(what: str, value: object, allowed: object) -> None:
    if value not in allowed:  # type: ignore[operator]
        listed = ", ".join(str(v) for v in allowed if v is not None)  # type: ignore[attr-defined]
        raise UsageError(f"{what} {value!r} is not one of {listed}")


def _between(what: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{what} {value:g} is not between {low:g} and {high:g}")
