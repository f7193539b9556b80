"""Reads the files of one group, one by one; what is wrong with each is noted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from alos2.ceos.reader import Volume, read_trailer, read_volume
from alos2.errors import BadProduct
from alos2.naming import FileKind, FileName
from alos2.product.card4l import Card4l, compare_card4l, read_card4l
from alos2.product.ceos import LeaderParts, read_leader_parts
from alos2.product.ceos_grid import (
    CORNERS_TOLERANCE_M,
    grid_from_map_projection,
    misplaced_corners_m,
)
from alos2.product.ceos_images import read_ceos_image
from alos2.product.completeness import lut_blocks
from alos2.product.contradictions import (
    compare_grid,
    compare_kml,
    compare_leader,
    compare_summary,
    compare_volume,
)
from alos2.product.geotiff import read_geotiff_image
from alos2.product.groups import Group, NamedMember
from alos2.product.kml import SceneKml, read_kml
from alos2.product.model import (
    Image,
    MapGrid,
    Problem,
    ProblemCode,
    ProductFile,
)
from alos2.product.safexml import MAX_XML_BYTES
from alos2.product.summary import Summary
from alos2.types import POLARIZATIONS, RasterShape

_TRAILER_HEAD_BYTES: Final = 720
_LUT_LINE_BYTES: Final = 23
"""One blank, 21 characters, line feed: every line of a real one."""


@dataclass
class Draft:
    """What is known of a product while its files are read one by one."""

    group: Group
    files: list[tuple[FileName, ProductFile]]
    problems: list[Problem] = field(default_factory=list)
    summary: Summary | None = None
    parts: LeaderParts | None = None
    volume: Volume | None = None
    kml: SceneKml | None = None
    card4l: Card4l | None = None
    images: list[Image] = field(default_factory=list)
    grid: MapGrid | None = None

    def of_kind(self, kind: FileKind) -> list[tuple[FileName, ProductFile]]:
        """Files of one kind with their names."""
        return [pair for pair in self.files if pair[0].kind == kind]

    def problem(
        self, code: ProblemCode, error: BadProduct, file: str, *, blocks: bool = True
    ) -> None:
        """Note what was wrong with a file."""
        self.problems.append(Problem(code, error.message, file, blocks))


def read_files(group: Group) -> Draft:
    """Read summary, leader, volume directory, headers of images and KML of a group."""
    draft = Draft(group, [(file.name, _product_file(file)) for file in group.files])
    _read_summary(draft)
    if group.identity[2] == "ceos":
        _read_ceos(draft)
    else:
        _read_geotiff(draft)
    _read_card4l(draft)
    _read_kml(draft)
    return draft


def _product_file(file: NamedMember) -> ProductFile:
    name, member = file.name, file.member
    return ProductFile(member.name, name.kind, member.size, member, name.polarization, name.beam)


def _read_summary(draft: Draft) -> None:
    found = draft.group.summary
    if found is None:
        return
    if found.error is not None:
        draft.problem("bad_summary", found.error, found.member.name)
    if found.summary is not None:
        draft.summary = found.summary
        draft.problems += found.summary.problems
        draft.problems += compare_summary(found.summary, *draft.group.identity)


def _fallback_shape(draft: Draft, name: FileName) -> RasterShape | None:
    shapes = draft.summary.shapes if draft.summary else {}
    return shapes.get(name.beam.number if name.beam else 0)


def _image_order(pair: tuple[FileName, ProductFile]) -> tuple[int, str]:
    name = pair[0]
    return (POLARIZATIONS.index(name.polarization) if name.polarization else 0, str(name.beam))


def _read_ceos(draft: Draft) -> None:
    scene, product, _ = draft.group.identity
    for _, file in draft.of_kind("LED"):
        try:
            draft.parts = read_leader_parts(file, product.level)
            draft.problems += draft.parts.problems
            draft.problems += compare_leader(draft.parts.leader, scene, product, draft.summary)
        except BadProduct as error:
            draft.problem("bad_leader", error, file.name)
    for _, file in draft.of_kind("VOL"):
        try:
            with file.member.open() as opened:
                draft.volume = read_volume(opened, name=file.name)
            draft.problems += compare_volume(draft.volume, scene, product)
        except BadProduct as error:
            draft.problem("bad_volume", error, file.name)
    for _, file in draft.of_kind("TRL"):
        try:
            _check_trailer(file)
        except BadProduct as error:
            draft.problem("bad_trailer", error, file.name, blocks=False)
    leader = draft.parts.leader if draft.parts else None
    for name, file in sorted(draft.of_kind("IMG"), key=_image_order):
        image, problems = read_ceos_image(file, name, leader, _fallback_shape(draft, name))
        draft.problems += problems
        if image is not None:
            draft.images.append(image)
    if product.level != "1.1" and draft.parts is not None:
        _read_ceos_grid(draft, draft.parts)


def _check_trailer(file: ProductFile) -> None:
    """Compare the trailer's size with its descriptor, without its picture."""
    trailer = read_trailer(file.member.read_head(_TRAILER_HEAD_BYTES), name=file.name)
    pictures = sum(size["record_bytes"] or 0 for size in trailer.descriptor["low_resolution"])
    expected = _TRAILER_HEAD_BYTES + pictures
    if file.size_bytes < expected:
        raise BadProduct(f"{file.name} has {file.size_bytes} of {expected} bytes")


def _read_ceos_grid(draft: Draft, parts: LeaderParts) -> None:
    record, name = parts.leader.map_projection, parts.leader.name
    if record is None:
        error = BadProduct(f"{name} has no map projection record")
        draft.problem("bad_leader", error, name)
        return
    said = RasterShape(record["line_count"] or 0, record["pixel_count"] or 0)
    shape = draft.images[0].shape if draft.images else said
    if min(said) > 0 and said != shape:
        message = (
            f"size: {draft.images[0].file.name} has {shape.lines} lines x {shape.pixels} pixels, "
            f"{name} says {said.lines} x {said.pixels}"
        )
        draft.problems.append(Problem("contradiction", message, name))
        shape = said
    if min(shape) < 1:
        return
    try:
        draft.grid = grid_from_map_projection(record, shape, draft.summary, name=name)
    except BadProduct as error:
        draft.problem("bad_leader", error, name)
        return
    misplaced = misplaced_corners_m(draft.grid, record)
    if misplaced is not None and misplaced > CORNERS_TOLERANCE_M:
        message = (
            f"{name}: its map corners lie {misplaced:.1f} m from its geographic ones "
            f"({record['projection']})"
        )
        draft.problems.append(Problem("contradiction", message, name))
    draft.images = [
        replace(image, grid=draft.grid) if image.shape == shape else image for image in draft.images
    ]
    if draft.summary is not None:
        draft.problems += compare_grid(draft.grid, draft.summary, name)


def _read_geotiff(draft: Draft) -> None:
    for name, file in sorted(draft.of_kind("IMG"), key=_image_order):
        image, problems = read_geotiff_image(file, name, _fallback_shape(draft, name))
        draft.problems += problems
        if image is not None:
            draft.images.append(image)
    draft.grid = next((image.grid for image in draft.images if image.grid is not None), None)
    if draft.grid is not None and draft.summary is not None:
        first = next(image.file.name for image in draft.images if image.grid is not None)
        draft.problems += compare_grid(draft.grid, draft.summary, first)
    widths = {image.polarization: image.shape.pixels for image in draft.images}
    for name, file in draft.of_kind("LUT"):
        width = widths.get(name.polarization) if name.polarization else None
        needed = _LUT_LINE_BYTES * (width + 1) - 1 if width else 1  # the last line feed may lack
        if file.size_bytes < needed:
            error = BadProduct(f"{file.name} has {file.size_bytes} of at least {needed} bytes")
            draft.problem("bad_lut", error, file.name, blocks=lut_blocks(draft.group))


def _read_card4l(draft: Draft) -> None:
    scene, product, _ = draft.group.identity
    for _, file in draft.of_kind("CARD4L"):
        try:
            data = file.member.read_head(MAX_XML_BYTES + 1)
            draft.card4l = read_card4l(data, file.name)
            draft.problems += compare_card4l(draft.card4l, scene, product)
        except BadProduct as error:
            draft.problem("bad_summary", error, file.name)


def _read_kml(draft: Draft) -> None:
    scene, product, _ = draft.group.identity
    for _, file in draft.of_kind("KML"):
        try:
            draft.kml = read_kml(file.member.read_head(MAX_XML_BYTES + 1), file.name)
            draft.problems += compare_kml(draft.kml, file.name, scene, product)
        except BadProduct as error:
            draft.problem("bad_kml", error, file.name, blocks=False)
