"""Which products lie at a place, and what is missing from them: by the names of files alone.

What :mod:`alos2.product.grouping` and :mod:`alos2.product.completeness` find when they may read
summaries and volume directories, found here without opening a file; the rules are theirs. A product
that is whole by its names may still turn out to lack something when it is described.

One rule is looser, as the job that describes has it: level 1.1 in CEOS format does without
summary.txt, since archives keep many scenes in one folder, hence one summary.txt or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from alos2.dataset.identity import dataset_kind
from alos2.errors import BadName, NotSupported
from alos2.naming import Beam, FileKind, FileName, ProductId, SceneId
from alos2.scan.listing import DIGEST_BYTES, Entry, File
from alos2.scan.units import Unit, code_of
from alos2.types import POLARIZATIONS, Level, Polarization, ProductFormat

_SUMMARY: Final = "summary.txt"
_SCENE_START: Final = "ALOS2"
_SCENE_LETTERS: Final = len("ALOS2000000000-150101")
_SOME_SCENE: Final = "ALOS2000000000-150101"
_POLARIZATION_COUNT: Final = {"S": 1, "D": 2, "Q": 4}
_PARTNERS: Final[dict[Polarization, Polarization]] = {
    "HH": "HV",
    "HV": "HH",
    "VV": "VH",
    "VH": "VV",
}
_FORMATS: Final[dict[FileKind, ProductFormat]] = {
    "VOL": "ceos", "LED": "ceos", "TRL": "ceos", "LUT": "geotiff",
}  # fmt: skip


class _Shape(NamedTuple):
    """What a file's name says apart from the scene."""

    kind: FileKind
    polarization: Polarization | None
    beam: Beam | None
    image_format: ProductFormat | None
    """None: it goes with both."""
    product: ProductId
    product_text: str
    code: str


class _Named(NamedTuple):
    """A product, as far as names tell."""

    scene: SceneId
    product: ProductId
    level: Level
    format: ProductFormat


class _Group(NamedTuple):
    named: _Named
    shapes: list[_Shape]
    entries: list[Entry]


def units_by_name(
    place: str, files: Iterable[Entry], *, archive: Entry | None = None
) -> list[Unit]:
    """Find the products among the files of a place.

    Parameters
    ----------
    place : str
        The folder or zip.
    files : iterable of Entry
        Its files, of any name.
    archive : Entry, optional
        The zip itself, whose times count for what is in it.

    Returns
    -------
    list of Unit
        By scene and product. Files of other satellites, of levels that are not handled, and stray
        ones are left out.
    """
    groups: dict[tuple[str, str, ProductFormat], _Group] = {}
    sides: list[tuple[str, _Shape, Entry]] = []
    summary: Entry | None = None
    for entry in files:
        if entry.name == _SUMMARY.encode():
            summary = entry
            continue
        scene_text, shape = _parse(entry.name)
        if shape is None:
            continue
        if shape.image_format is None:
            sides.append((scene_text, shape, entry))
            continue
        key = (scene_text, shape.product_text, shape.image_format)
        group = groups.get(key)
        if group is None:
            named = _named(scene_text, shape)
            if named is None:
                continue
            group = groups[key] = _Group(named, [], [])
        group.shapes.append(shape)
        group.entries.append(entry)
    for scene_text, shape, entry in sides:
        for image_format in ("ceos", "geotiff"):
            group = groups.get((scene_text, shape.product_text, image_format))
            if group is not None:
                group.shapes.append(shape)
                group.entries.append(entry)
    alone = len(groups) == 1
    return [
        _unit(place, scene_text, group, _summary_for(group.named, summary, alone=alone), archive)
        for (scene_text, _, _), group in sorted(groups.items())
        if _is_product(group, summary if alone else None)
    ]


def _parse(raw: bytes) -> tuple[str, _Shape | None]:
    """Split a name at its scene, which is all that differs between thousands of them."""
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError:
        return "", None  # not one of JAXA's
    start = name.find(_SCENE_START)
    if start < 0:
        return "", None
    end = start + _SCENE_LETTERS
    return name[start:end], _shape(name[:start], name[end:])


@lru_cache(maxsize=4096)
def _shape(before: str, behind: str) -> _Shape | None:
    try:
        found = FileName.parse(f"{before}{_SOME_SCENE}{behind}")
    except (BadName, NotSupported):
        return None
    if found.product is None:
        return None
    if found.kind == "IMG":
        image_format: ProductFormat | None = "geotiff" if found.extension else "ceos"
    else:
        image_format = _FORMATS.get(found.kind)
    product = str(found.product)
    code = code_of(str(found), _SOME_SCENE, product)
    return _Shape(
        found.kind, found.polarization, found.beam, image_format, found.product, product, code
    )


def _named(scene_text: str, shape: _Shape) -> _Named | None:
    try:
        scene = SceneId.parse(scene_text)
    except (BadName, NotSupported):
        return None
    return _Named(scene, shape.product, shape.product.level, shape.image_format or "ceos")


def _is_product(group: _Group, summary: Entry | None) -> bool:
    """Whether it is more than a stray file."""
    kinds = {shape.kind for shape in group.shapes} - {"BRS"}
    return "IMG" in kinds or len(kinds) + (summary is not None) >= 2


def _needs_summary(named: _Named) -> bool:
    return named.level != "1.1" or named.format != "ceos"


def _summary_for(named: _Named, summary: Entry | None, *, alone: bool) -> Entry | None:
    """Return summary.txt where it is this product's, as far as that can be known.

    In a folder with several products it is given to those that cannot do without: it will turn out
    whose it is. To the others it is not, or each product that comes would change them all.
    """
    return summary if alone or _needs_summary(named) else None


def _unit(
    place: str, scene_text: str, group: _Group, summary: Entry | None, archive: Entry | None
) -> Unit:
    named, shapes, entries = group
    codes = {shape.code for shape in shapes}
    if summary is not None:
        codes.add(_SUMMARY)
        entries = [*entries, summary]
    dated = entries if archive is None else [archive]
    newest = max(entry.changed_ns for entry in dated)
    product_text = shapes[0].product_text
    return Unit(
        place,
        dataset_kind(named, metadata_only=True).id,
        scene_text,
        product_text,
        named.format,
        ",".join(sorted(codes)),
        sum(entry.size for entry in entries),
        newest,
        fingerprint(entries, archive),
        archive is not None,
        tuple(_missing(named, f"{scene_text}-{product_text}", shapes, summary)),
    )


def fingerprint(entries: Iterable[File], archive: Entry | None = None) -> bytes:
    """Return 16 bytes that differ when names, sizes or modification times do (BLAKE2b)."""
    lines = sorted([b"%b\0%d\0%d" % entry[:3] for entry in entries])
    if archive is not None:
        lines.append(b"%d\0%d" % (archive.size, archive.mtime_ns))
    return hashlib.blake2b(b"\0\0".join(lines), digest_size=DIGEST_BYTES).digest()


def _missing(
    named: _Named, name: str, shapes: Sequence[_Shape], summary: Entry | None
) -> list[str]:
    """Name what an ingest would refuse it for."""
    absent = []
    if named.format == "ceos":
        kinds = {shape.kind for shape in shapes}
        absent = [f"{kind}-{name}" for kind in ("LED", "VOL") if kind not in kinds]
    if summary is None and _needs_summary(named):
        absent.append(_SUMMARY)
    images = [shape for shape in shapes if shape.kind == "IMG"]
    there = {shape.polarization for shape in images if shape.polarization is not None}
    extension = ".tif" if named.format == "geotiff" else ""
    absent += _absent_polarizations(named, name + extension, there)
    beams = {shape.beam for shape in images}
    have = {(shape.polarization, shape.beam) for shape in images}
    absent += [
        f"IMG-{polarization}-{name}{f'-{beam}' if beam else ''}{extension}"
        for polarization in POLARIZATIONS
        if polarization in there and len(beams) > 1
        for beam in sorted(beams, key=str)
        if (polarization, beam) not in have
    ]
    if named.format == "geotiff" and (named.level == "1.1" or named.product.option != "G"):
        tables = {shape.polarization for shape in shapes if shape.kind == "LUT"}
        absent += [f"LUT-{pol}-{name}.txt" for pol in POLARIZATIONS if pol in there - tables]
    return absent


def _absent_polarizations(named: _Named, name: str, there: set[Polarization]) -> list[str]:
    wanted = _POLARIZATION_COUNT[named.product.mode[2]]
    if len(there) >= wanted:
        return []
    if not there:
        many = "the image" if wanted == 1 else f"all {wanted} polarisations"
        return [f"IMG-*-{name} ({many})"]
    if wanted == 2:  # one is there: a dual mode transmits one polarisation and receives both
        return [f"IMG-{_PARTNERS[next(iter(there))]}-{name}"]
    return [
        f"IMG-{polarization}-{name}" for polarization in POLARIZATIONS if polarization not in there
    ]
