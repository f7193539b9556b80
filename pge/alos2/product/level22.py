"""Level 2.2: JAXA's analysis-ready ScanSAR scenes, which have names and a summary of their own.

A scene is ``<scene>_<product>_<pol>_SLP.tif`` for each polarisation (terrain-flattened gamma
nought, 10 log10(DN^2) - 83.0 dB), ``_LIN.tif`` (local incidence, hundredths of a degree),
``_MSK.tif`` (codes), ``_summary.xml`` (CARD4L) and a KML whose name joins scene and product by a
hyphen or an underscore. All rasters are cloud optimised and in WGS 84 / UTM of 25 m.

Source: the summary.xml and the item of the real scene ALOS2437590500-220630_WWDR2.2GUA in public
test data; CARD4L NRB 5.5. No raster of this level was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from alos2.errors import BadName, NotSupported
from alos2.naming import FileKind, FileName, ProductId, SceneId
from alos2.product.groups import Group
from alos2.product.model import Problem
from alos2.types import POLARIZATIONS, Polarization

LEVEL: Final = "2.2"

MASK_CODES: Final = {
    "no data": 0,
    "valid": 1,
    "layover": 2,
    "shadow": 3,
    "ocean": 4,
    "invalid": 5,
}
"""Of the ``MSK`` raster, as the summary lists them."""
ANGLE_STEP_DEG: Final = 0.01
"""Of the ``LIN`` raster; 0 is no angle."""

_NAME_RE: Final = re.compile(
    r"(?P<scene>ALOS2\d{9}-\d{6})(?P<joint>[-_])(?P<product>[A-Z]{3}[LR]2\.2[A-Z]{3})"
    r"(?:_(?P<pol>HH|HV|VH|VV)_SLP\.tif|_(?P<layer>LIN|MSK)\.tif|(?P<xml>_summary\.xml)"
    r"|(?P<kml>\.kml))",
    re.ASCII,
)
_WANTED: Final = {"S": 1, "D": 2, "Q": 4}


@dataclass(frozen=True)
class Level22Name(FileName):
    """Name of one file of level 2.2."""

    joint: str = "_"
    """Between scene and product."""

    def __post_init__(self) -> None:
        """Nothing is left to check: the pattern allows no other."""

    def __str__(self) -> str:
        stem = f"{self.scene}{self.joint}{self.product}"
        if self.kind == "IMG":
            return f"{stem}_{self.polarization}_SLP.tif"
        return stem + {"KML": ".kml", "CARD4L": "_summary.xml"}.get(self.kind, f"_{self.kind}.tif")


def parse_level22_name(name: str) -> Level22Name | None:
    """Parse a base name, or return None where it is not a file of level 2.2."""
    found = _NAME_RE.fullmatch(name)
    if found is None or (found["joint"] == "-" and not found["kml"]):
        return None
    try:
        scene, product = SceneId.parse(found["scene"]), ProductId.parse(found["product"])
    except (BadName, NotSupported):
        return None
    kind = "IMG" if found["pol"] else found["layer"] or ("CARD4L" if found["xml"] else "KML")
    return Level22Name(
        cast(FileKind, kind),
        scene,
        product,
        cast("Polarization | None", found["pol"]),
        extension=name[name.rindex(".") :],
        joint=found["joint"],
    )


def missing_of_level22(group: Group) -> list[Problem]:
    """Name every member that should be there and is not.

    Images and the summary, which alone tells the time, have to be there; angles and mask are
    missed by who needs them.
    """
    scene, product, _ = group.identity
    there = {file.name.polarization for file in group.files if file.name.kind == "IMG"}
    kinds = {file.name.kind for file in group.files}
    problems = []
    absent = _absent(there, _WANTED[product.mode[2]])
    if absent:
        name = str(Level22Name("IMG", scene, product, absent[0]))
        message = (
            f"polarisation {', '.join(absent)} is missing: mode {product.mode} has "
            f"{_WANTED[product.mode[2]]}, no {name} in {group.place}"
        )
        code = "missing_polarization" if there else "missing_image"
        problems.append(Problem(code, message, name))  # type: ignore[arg-type]
    others: Sequence[tuple[FileKind, str]] = (
        ("CARD4L", "summary"), ("MSK", "mask"), ("LIN", "local incidence"),
    )  # fmt: skip
    for kind, words in others:
        if kind not in kinds:
            name = str(Level22Name(kind, scene, product))
            message = f"{name} ({words}) is missing from {group.place}"
            needed = kind == "CARD4L"
            code = "missing_summary" if needed else "missing_image"
            problems.append(Problem(code, message, name, needed))  # type: ignore[arg-type]
    return problems


def _absent(there: set[Polarization | None], wanted: int) -> list[Polarization]:
    """Polarisations that a mode promises besides those that are there."""
    if len(there) >= wanted:
        return []
    first = next((p for p in POLARIZATIONS if p in there), "HH")
    same = [p for p in POLARIZATIONS if p[0] == first[0]] if wanted == 2 else list(POLARIZATIONS)
    return [p for p in same if p not in there][: wanted - len(there)]
