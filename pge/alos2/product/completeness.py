"""What is missing from a product, and what blocks its ingest.

``info`` lists every problem and never fails; ``ingest`` refuses a product that has a blocking
one. A problem blocks when the dataset would be wrong or could not be used as JAXA meant it:

=====================  ========  ============================================================
code                   blocks    why
=====================  ========  ============================================================
missing_leader         yes       orbit, calibration, projection: nothing works without
missing_volume         yes       sarpy, SNAP and GDAL open a CEOS product by it
missing_trailer        no        holds only a low-resolution picture and empty bookkeeping: no
                                 number or picture of the dataset comes from it, and ISCE2,
                                 GMTSAR, SNAP and sarpy do not read it
missing_image          yes       a file that summary.txt or VOL promises, or a ScanSAR beam
missing_polarization   yes       the mode promises one, two or four
missing_summary        yes       times and corners of the scene; JAXA always delivers it
missing_lut            some      level 1.1 and georeferenced products: their calibration is in it;
                                 not for geocoded ones, where all columns are JAXA's -83 dB
short_image            yes       lines are missing
empty_image            yes       no lines at all
bad_leader             yes       a damaged or missing record
bad_volume             yes       as missing_volume
bad_trailer            no        as missing_trailer
bad_image              mostly    unreadable header; not: surplus bytes behind the last line, late
                                 line headers, a TIFF directory out of reach in an archive
bad_summary            mostly    unreadable file or value; not: a line that is no key
bad_lut                some      as missing_lut
bad_kml                no        nothing is taken from it
contradiction          mostly    ids, levels, look side, pass, sizes, projections disagree; not:
                                 the KML (known to be wrong), PRF against line times, a summary
                                 of level 1.1 about its sizes (no real one was seen)
duplicate              yes       two products with one id
unexpected_file        no        a stray file that looks like JAXA's
=====================  ========  ============================================================

Of level 2.2 the images and summary.xml have to be there; a missing mask or raster of angles is a
``missing_image`` that does not block.

No BRS and no KML is no problem: deliveries without them exist, and nothing needs them.
"""

from __future__ import annotations

from typing import Final

from alos2.errors import NotSupported
from alos2.naming import FileKind, FileName, parse_file_name
from alos2.product.groups import Group
from alos2.product.level22 import LEVEL, missing_of_level22
from alos2.product.model import Problem, ProblemCode
from alos2.types import POLARIZATIONS, Polarization

_POLARIZATION_COUNT: Final = {"S": 1, "D": 2, "Q": 4}
_SINGLES: Final[dict[FileKind, tuple[ProblemCode, str, bool]]] = {
    "LED": ("missing_leader", "leader", True),
    "VOL": ("missing_volume", "volume directory", True),
    "TRL": ("missing_trailer", "trailer", False),
}


def lut_blocks(group: Group) -> bool:
    """Whether the calibration cannot be known without the LUT."""
    product = group.identity[1]
    return product.level == "1.1" or product.option != "G"


def listed_files(group: Group) -> tuple[FileName, ...]:
    """Files that summary.txt lists for this product (none where it is about another)."""
    found = group.summary
    if found is None or found.summary is None or not found.belongs_to(group.identity):
        return ()
    names = []
    for text in found.summary.file_names:
        try:
            name = parse_file_name(text)
        except NotSupported:
            continue  # the summary contradicts itself; its ids were compared elsewhere
        if name is not None and (name.scene, name.product) == group.identity[:2]:
            names.append(name)
    return tuple(names)


def missing_members(group: Group, images_by_volume: int | None) -> list[Problem]:
    """Name every member that should be there and is not.

    Parameters
    ----------
    group : Group
        The files that are there.
    images_by_volume : int or None
        Number of image files that VOL points to, where it could be read.
    """
    scene, product, image_format = group.identity
    if product.level == LEVEL:
        return missing_of_level22(group)
    problems = []
    if image_format == "ceos":
        for kind, (code, words, blocks) in _SINGLES.items():
            if not any(file.name.kind == kind for file in group.files):
                name = f"{kind}-{scene}-{product}"
                problems.append(_missing(code, name, words, group, blocks=blocks))
    if group.summary is None:
        problems.append(_missing("missing_summary", "summary.txt", "summary", group))
    images = [file.name for file in group.files if file.name.kind == "IMG"]
    absent = _absent_images(group, images)
    problems += absent
    if image_format == "ceos" and images_by_volume is not None and not absent:
        problems += _fewer_than_volume(group, len(images), images_by_volume)
    if image_format == "geotiff":
        problems += _missing_luts(group, images)
    return problems


def _missing(
    code: ProblemCode, name: str, words: str, group: Group, *, blocks: bool = True
) -> Problem:
    return Problem(code, f"{name} ({words}) is missing from {group.place}", name, blocks)


def _absent_images(group: Group, images: list[FileName]) -> list[Problem]:
    """Polarisations that the mode promises, images that the summary lists, beams of the others."""
    listed = [name for name in listed_files(group) if name.kind == "IMG"]
    there = {image.polarization for image in images}
    promised: set[Polarization] = {n.polarization for n in listed if n.polarization}
    problems = []
    for polarization in POLARIZATIONS:
        if polarization in promised and polarization not in there:
            names = [str(name) for name in listed if name.polarization == polarization]
            message = (
                f"polarisation {polarization} is missing: no {', '.join(names)} in {group.place}"
            )
            problems.append(Problem("missing_polarization", message, names[0]))
    wanted = _POLARIZATION_COUNT[group.identity[1].mode[2]]
    if len(there | promised) < wanted:
        problems.append(_too_few(group, sorted(filter(None, there)), wanted))
    # Beams: what one polarisation has, and what the summary lists, the others need too.
    beams = {image.beam for image in images} | {name.beam for name in listed}
    for polarization in [p for p in POLARIZATIONS if p in there]:
        have = {image.beam for image in images if image.polarization == polarization}
        for beam in sorted(beams - have, key=str):
            scene, product, image_format = group.identity
            extension = ".tif" if image_format == "geotiff" else ""
            name = f"IMG-{polarization}-{scene}-{product}{f'-{beam}' if beam else ''}{extension}"
            problems.append(_missing("missing_image", name, "image", group))
    return problems


def _too_few(group: Group, there: list[Polarization], wanted: int) -> Problem:
    mode = group.identity[1].mode
    if not there:
        message = f"no image at all in {group.place}: mode {mode} has {wanted} polarisation(s)"
        return Problem("missing_image", message)
    pairs = {"HH": "HV", "HV": "HH", "VV": "VH", "VH": "VV"}
    absent = (
        [pairs[there[0]]] if wanted == 2 else [p for p in POLARIZATIONS if p not in there]
    )  # a dual mode has one transmit polarisation and both receive polarisations
    scene, product, image_format = group.identity
    extension = ".tif" if image_format == "geotiff" else ""
    names = [f"IMG-{p}-{scene}-{product}{extension}" for p in absent]
    message = (
        f"polarisation {', '.join(absent)} is missing: mode {mode} has {wanted}, and only "
        f"{', '.join(there)} is in {group.place}"
    )
    return Problem("missing_polarization", message, names[0])


def _fewer_than_volume(group: Group, found: int, expected: int) -> list[Problem]:
    if found >= expected:
        return []
    message = f"VOL points to {expected} image files, {found} are in {group.place}"
    return [Problem("missing_image", message)]


def _missing_luts(group: Group, images: list[FileName]) -> list[Problem]:
    listed = [name for name in listed_files(group) if name.kind in ("IMG", "LUT")]
    wanted = {name.polarization for name in (*images, *listed)}
    there = {file.name.polarization for file in group.files if file.name.kind == "LUT"}
    scene, product, _ = group.identity
    return [
        _missing(
            "missing_lut",
            f"LUT-{polarization}-{scene}-{product}.txt",
            "calibration table",
            group,
            blocks=lut_blocks(group),
        )
        for polarization in POLARIZATIONS
        if polarization in wanted - there
    ]


def other_files(group: Group) -> list[Problem]:
    """Twins of the product, and strays beside it."""
    problems = [
        Problem(
            "duplicate",
            f"{group.identity[0]}-{group.identity[1]} is there twice: in {group.place} "
            f"and in {twin.place}",
        )
        for twin in group.twins
    ]
    for member in group.unexpected:
        message = f"{member.path} looks like a file of JAXA's and belongs to no product here"
        problems.append(Problem("unexpected_file", message, member.name, blocks_ingest=False))
    return problems
