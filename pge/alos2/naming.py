"""The grammar of ALOS-2 names: scenes, products, beams, files, deliveries. Parse and print.

Nobody else slices name strings. Every type here prints (``str``) exactly what it was parsed from.
Source: JAXA, ALOS-2/PALSAR-2 GeoTIFF product format description Rev. A (2014), scene and product
identifiers; names of files and deliveries as seen in real deliveries and public readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias, cast, get_args

from alos2.constants import ORBITS_PER_CYCLE
from alos2.errors import BadName, NotSupported
from alos2.types import Level, LookSide, PassDirection, Polarization

FileKind: TypeAlias = Literal[
    "VOL", "LED", "IMG", "TRL", "LUT", "BRS", "KML", "SUMMARY", "LIN", "MSK", "CARD4L"
]  # fmt: skip
"""The last three only in level 2.2 (:mod:`alos2.product.level22`)."""

Mode: TypeAlias = Literal[
    "SBS", "UBS", "UBD", "HBS", "HBD", "HBQ", "FBS", "FBD", "FBQ",
    "WBS", "WBD", "WWS", "WWD", "VBS", "VBD",
]  # fmt: skip
Option: TypeAlias = Literal["G", "R", "_"]
"""Geocoded, georeferenced, none."""
Projection: TypeAlias = Literal["U", "P", "M", "L", "_"]
"""UTM, polar stereographic, Mercator, Lambert conformal conic, none."""

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
ALL_LEVELS: Final[tuple[Level, ...]] = get_args(Level)
LEVELS: Final[tuple[Level, ...]] = tuple(level for level in ALL_LEVELS if level != "2.2")
"""Levels whose files follow the grammar of this module, and that become datasets."""
SCANSAR_BEAMS: Final = {"WB": 5, "WW": 5, "VB": 7}
"""Number of ScanSAR beams by the first two letters of the mode."""

_EXTENSIONS: Final[dict[FileKind, str]] = {"LUT": ".txt", "BRS": ".jpg"}
_WITH_POLARIZATION: Final = frozenset({"IMG", "LUT", "BRS"})

_SCENE = r"ALOS2(?P<orbit>\d{5})(?P<frame>\d{4})-(?P<date>\d{6})"
_PRODUCT = (
    r"(?P<mode>[A-Z]{3})(?P<look>[LR])(?P<level>\d\.\d)"
    r"(?P<option>[GR_])(?P<projection>[UPML_])(?P<direction>[AD])"
)
# ASCII throughout: without it \d takes the digits of every script.
_SCENE_RE = re.compile(_SCENE, re.ASCII)
_PRODUCT_RE = re.compile(_PRODUCT, re.ASCII)
_BEAM_RE = re.compile(r"(?P<method>[FB])(?P<number>[1-7])", re.ASCII)
_FILE_RE = re.compile(
    rf"(?P<kind>VOL|LED|TRL|IMG|LUT|BRS)(?:-(?P<pol>HH|HV|VH|VV))?"
    rf"-(?P<scene>{_SCENE})-(?P<product>{_PRODUCT})"
    rf"(?:-(?P<beam>[FB][1-7]))?(?P<ext>\.tif|\.txt|\.jpg)?",
    re.ASCII,
)
_KML_RE = re.compile(rf"(?P<scene>{_SCENE})_(?P<product>{_PRODUCT})\.kml", re.ASCII)
_REST = r"(?:[-_.][-_.A-Za-z0-9]*?)??"
_DELIVERY_RE = re.compile(
    rf"(?:(?P<order>\d{{10}})_(?P<item>\d{{6}}|\d{{10}})_)?(?P<scene>{_SCENE})(?P<rest>{_REST})"
    r"(?P<ext>\.[Zz][Ii][Pp])?",
    re.ASCII,
)
_REST_RE = re.compile(rf"(?:[-_](?P<product>{_PRODUCT}))?(?:[-_.].*)?", re.ASCII)
_ALOS4_RE = re.compile(r"(?:^|[-_])ALOS4\d{7,}", re.ASCII)


def check_satellite(name: str) -> None:
    """Refuse a name of ALOS-4/PALSAR-3.

    Raises
    ------
    NotSupported
        `name` follows ALOS-4's grammar (path, not orbit, after ``ALOS4``).
    """
    if _ALOS4_RE.search(name):
        raise NotSupported(
            f"{name!r} is a product of ALOS-4 (PALSAR-3); alos2-ingest reads ALOS-2 (PALSAR-2)"
        )


def _match(pattern: re.Pattern[str], name: str, what: str) -> re.Match[str]:
    found = pattern.fullmatch(name)
    if found is None:
        check_satellite(name)
        raise BadName(f"{name!r} is not {what}")
    return found


@dataclass(frozen=True, order=True)
class SceneId:
    """``ALOS2`` + orbit (5) + frame (4) + ``-`` + YYMMDD: of the scene's centre."""

    orbit: str
    """Absolute orbit, five digits, with its zeros."""
    frame: str
    """Centre frame, four digits, with its zeros; not always a multiple of 10."""
    date: date
    """UTC day of the scene's centre."""

    @classmethod
    def parse(cls, name: str) -> SceneId:
        """Parse e.g. ``ALOS2015976960-140909``.

        Raises
        ------
        BadName
            It is not a scene id.
        NotSupported
            It is one of ALOS-4.
        """
        found = _match(_SCENE_RE, name, "an ALOS-2 scene id (ALOS2oooooffff-YYMMDD)")
        try:
            # Not %y: ALOS-2 was launched in 2014, so all dates are of this century.
            day = datetime.strptime("20" + found["date"], "%Y%m%d").date()  # noqa: DTZ007
        except ValueError:
            raise BadName(f"{name!r} has no valid date after the hyphen (YYMMDD)") from None
        return cls(found["orbit"], found["frame"], day)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{5}", self.orbit) or not re.fullmatch(r"[0-9]{4}", self.frame):
            raise BadName(f"orbit {self.orbit!r} or frame {self.frame!r} is not 5 and 4 digits")
        if not 2000 <= self.date.year <= 2099:
            raise BadName(f"{self.date} cannot be written with a two-digit year of this century")

    def __str__(self) -> str:
        return f"ALOS2{self.orbit}{self.frame}-{self.date:%y%m%d}"

    @property
    def path(self) -> int:
        """JAXA's path (track), 1 to 207: (14 x orbit + 24) mod 207, where 0 means 207.

        Checked on scenes of 2014-09 to 2023; not shown for orbits before August 2014.
        """
        return (14 * int(self.orbit) + 24) % ORBITS_PER_CYCLE or ORBITS_PER_CYCLE


@dataclass(frozen=True, order=True)
class ProductId:
    """Mode, look side, level, option, projection, pass: e.g. ``FBDR1.5GUA``."""

    mode: Mode
    look: LookSide
    level: Level
    option: Option
    projection: Projection
    pass_direction: PassDirection

    @classmethod
    def parse(cls, name: str) -> ProductId:
        """Parse e.g. ``FBDR1.5GUA`` or ``UBSL1.1__D``.

        Raises
        ------
        BadName
            It is not a product id, or combines letters that do not go together.
        NotSupported
            The level exists and is not handled (1.0).
        """
        found = _match(_PRODUCT_RE, name, "an ALOS-2 product id (such as FBDR1.5GUA)")
        if found["level"] not in ALL_LEVELS:
            raise NotSupported(f"level {found['level']} of product id {name!r} is not handled")
        return cls(
            cast(Mode, found["mode"]),
            cast(LookSide, found["look"]),
            cast(Level, found["level"]),
            cast(Option, found["option"]),
            cast(Projection, found["projection"]),
            cast(PassDirection, found["direction"]),
        )

    @classmethod
    def parse_standard(cls, name: str) -> ProductId:
        """Parse as `parse` does, but refuse level 2.2 (NotSupported), whose layout is another."""
        found = cls.parse(name)
        if found.level not in LEVELS:
            raise NotSupported(f"level {found.level} of product id {name!r} is not handled here")
        return found

    def __post_init__(self) -> None:
        problem = ""
        if self.mode not in MODES:
            problem = f"{self.mode} is not an observation mode of PALSAR-2"
        elif self.look not in ("L", "R"):
            problem = f"look side {self.look!r} is neither L nor R"
        elif self.pass_direction not in ("A", "D"):
            problem = f"pass {self.pass_direction!r} is neither A nor D"
        elif self.level not in ALL_LEVELS:
            problem = f"level {self.level!r} is not one of {', '.join(ALL_LEVELS)}"
        elif self.level == "1.1":
            if (self.option, self.projection) != ("_", "_"):
                problem = "level 1.1 has no option and no projection (__)"
        elif self.projection not in ("U", "P", "M", "L"):
            problem = f"level {self.level} needs a projection (U, P, M or L)"
        elif self.option not in (("G",) if self.level in ("2.1", "2.2") else ("G", "R")):
            problem = f"level {self.level} cannot have option {self.option!r}"
        if problem:
            raise BadName(f"{str(self)!r} is not an ALOS-2 product id: {problem}")

    def __str__(self) -> str:
        return (
            f"{self.mode}{self.look}{self.level}{self.option}{self.projection}{self.pass_direction}"
        )

    @property
    def is_scansar(self) -> bool:
        """Whether the mode is a ScanSAR mode (WB, WW, VB)."""
        return self.mode[:2] in SCANSAR_BEAMS


@dataclass(frozen=True, order=True)
class Beam:
    """Suffix of a ScanSAR level 1.1 image: ``F3`` full aperture, ``B3`` burst (SPECAN)."""

    method: Literal["F", "B"]
    number: int
    """1 to 5 (WB, WW) or 7 (VB)."""

    @classmethod
    def parse(cls, name: str) -> Beam:
        """Parse ``F1`` to ``F7`` or ``B1`` to ``B7``.

        Raises
        ------
        BadName
            It is not a beam suffix.
        """
        found = _match(_BEAM_RE, name, "a ScanSAR beam suffix (F1..F7 or B1..B7)")
        return cls(cast(Literal["F", "B"], found["method"]), int(found["number"]))

    def __post_init__(self) -> None:
        if self.method not in ("F", "B") or not 1 <= self.number <= 7:
            raise BadName(f"{self.method}{self.number} is not a ScanSAR beam suffix")

    def __str__(self) -> str:
        return f"{self.method}{self.number}"


@dataclass(frozen=True)
class FileName:
    """Name of one file of a product; KML and summary.txt included."""

    kind: FileKind
    scene: SceneId | None
    """None for summary.txt only."""
    product: ProductId | None
    polarization: Polarization | None = None
    beam: Beam | None = None
    extension: str = ""
    """With its dot: ``.tif`` for GeoTIFF images, ``.txt`` LUT, ``.jpg`` BRS, else empty."""

    @classmethod
    def parse(cls, name: str) -> FileName:
        """Parse a base name.

        Raises
        ------
        BadName
            It is not a file of an ALOS-2 product.
        NotSupported
            It is one of ALOS-4, or of a level that is not handled.
        """
        if name == "summary.txt":
            return cls("SUMMARY", None, None)
        kml = _KML_RE.fullmatch(name)
        if kml:
            product = ProductId.parse_standard(kml["product"])
            return cls("KML", SceneId.parse(kml["scene"]), product)
        found = _match(_FILE_RE, name, "the name of a file of an ALOS-2 product")
        return cls(
            cast(FileKind, found["kind"]),
            SceneId.parse(found["scene"]),
            ProductId.parse_standard(found["product"]),
            cast("Polarization | None", found["pol"]),
            Beam.parse(found["beam"]) if found["beam"] else None,
            found["ext"] or "",
        )

    def __post_init__(self) -> None:
        problem = self._identity_problem() or self._form_problem() or self._beam_problem()
        if problem:
            raise BadName(f"{str(self)!r} is not a file of an ALOS-2 product: {problem}")

    def _identity_problem(self) -> str:
        identified = (self.scene is not None, self.product is not None)
        wanted = self.kind != "SUMMARY"
        return "" if identified == (wanted, wanted) else "only summary.txt has no scene and product"

    def _form_problem(self) -> str:
        problem = ""
        if self.kind in ("SUMMARY", "KML"):
            if self.polarization or self.beam or self.extension:
                problem = f"{self.kind} has no polarisation, beam or other extension"
        elif (self.polarization is not None) != (self.kind in _WITH_POLARIZATION):
            problem = f"{self.kind} {'needs a' if self.kind in _WITH_POLARIZATION else 'has no'} "
            problem += "polarisation"
        elif self.kind == "IMG":
            if self.extension not in ("", ".tif"):
                problem = f"an image cannot end in {self.extension}"
        elif self.extension != _EXTENSIONS.get(self.kind, ""):
            problem = f"{self.kind} cannot end in {self.extension or 'no extension'!r}"
        return problem

    def _beam_problem(self) -> str:
        if self.beam is None or self.product is None:
            return ""
        limit = SCANSAR_BEAMS.get(self.product.mode[:2], 0)
        if self.kind == "IMG" and self.product.level == "1.1" and self.beam.number <= limit:
            return ""
        return f"beam {self.beam} does not exist in {self.kind} of {self.product}"

    def __str__(self) -> str:
        if self.kind == "SUMMARY":
            return "summary.txt"
        if self.kind == "KML":
            return f"{self.scene}_{self.product}.kml"
        polarization = f"-{self.polarization}" if self.polarization else ""
        beam = f"-{self.beam}" if self.beam else ""
        return f"{self.kind}{polarization}-{self.scene}-{self.product}{beam}{self.extension}"


@dataclass(frozen=True)
class DeliveryName:
    """Name of a delivered zip or folder.

    AUIG2: order (10) ``_`` item (6, or 10 in some) ``_`` scene, perhaps more. Others (ASF) leave
    order and item out and put the product behind the scene.
    """

    scene: SceneId
    order: str | None = None
    """Ten digits, with their zeros."""
    item: str | None = None
    """Six or ten digits, with their zeros."""
    rest: str = ""
    """Whatever stands behind the scene, e.g. ``-L1.1CEOS`` or ``-WBDR1.1__D``."""
    extension: str = ".zip"
    """``.zip`` in any case, or empty (a folder)."""

    @classmethod
    def parse(cls, name: str) -> DeliveryName:
        """Parse e.g. ``0000022708_001001_ALOS2015976960-140909.zip``.

        Raises
        ------
        BadName
            It is not the name of a delivery (a delivery may have any name: this is no fault).
        NotSupported
            It is one of ALOS-4.
        """
        found = _match(_DELIVERY_RE, name, "the name of an ALOS-2 delivery")
        return cls(
            SceneId.parse(found["scene"]),
            found["order"],
            found["item"],
            found["rest"],
            found["ext"] or "",
        )

    def __post_init__(self) -> None:
        # What prints to a name that parses to something else is no name.
        found = _DELIVERY_RE.fullmatch(str(self))
        parts = found and (found["order"], found["item"], found["rest"], found["ext"] or "")
        if parts != (self.order, self.item, self.rest, self.extension):
            raise BadName(f"{str(self)!r} is not the name of an ALOS-2 delivery")

    def __str__(self) -> str:
        order = f"{self.order}_{self.item}_" if self.order or self.item else ""
        return f"{order}{self.scene}{self.rest}{self.extension}"

    @property
    def product(self) -> ProductId | None:
        """The product that the name tells, if it does.

        Raises
        ------
        BadName, NotSupported
            It tells one that does not exist or is not handled.
        """
        found = _REST_RE.fullmatch(self.rest)
        return ProductId.parse_standard(found["product"]) if found and found["product"] else None


def parse_file_name(name: str) -> FileName | None:
    """Parse a base name, or return None where it is not a file of any ALOS product.

    Raises
    ------
    NotSupported
        It is one of ALOS-4, or of a level that is not handled.
    """
    try:
        return FileName.parse(name)
    except BadName:
        return None
