"""Which files of a delivery belong together: names and folders only, summaries apart.

A delivery may be one folder, zips inside zips, folders named by order numbers, several scenes in
one folder, or the files of one scene spread over a folder and the one below it. So files are
grouped by what their names say (scene, product, CEOS or GeoTIFF), and folders only decide where a
name alone cannot: which of several copies, and whose summary.txt.

* Files of one scene and product in several folders are one product as long as no file name comes
  twice; else they are two products with one id.
* A copy inside a zip that lies beside the same files unpacked is not a second product.
* summary.txt goes by the ids that it holds, then by nearness; one that names no product that is
  there goes to the only product of its folder (and contradicts it).
* A group needs an image, or two other kinds of file; less is a stray file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alos2.archive.members import Member
from alos2.errors import BadSummary, NotSupported
from alos2.naming import FileName, check_satellite, parse_file_name
from alos2.product.groups import UNRELATED, FoundSummary, Group, Identity, NamedMember
from alos2.product.level22 import parse_level22_name
from alos2.product.summary import MAX_SUMMARY_BYTES, read_summary
from alos2.types import ProductFormat

_JAXA_LIKE_RE: Final = re.compile(r"(?:VOL|LED|TRL|IMG|LUT|BRS)-.*ALOS2|ALOS2\d{9}-\d{6}_.*\.kml")


@dataclass(frozen=True)
class Grouping:
    """What a delivery holds."""

    groups: tuple[Group, ...]
    stray: tuple[Member, ...]
    """Files that belong to no product."""
    refused: tuple[str, ...]
    """A sentence for each product of another satellite or level."""


def group_members(members: Iterable[Member]) -> Grouping:
    """Sort the files of a delivery into products.

    Parameters
    ----------
    members : iterable of Member
        All files, of any name. Only summaries are opened.
    """
    named: list[NamedMember] = []
    summaries: list[FoundSummary] = []
    strays: list[Member] = []
    refused: list[str] = []
    # Files on disk first, so that a copy inside a zip is seen to be one.
    for member in sorted(members, key=lambda m: (m.local_path is None, m.path)):
        try:
            name = parse_level22_name(member.name) or parse_file_name(member.name)
            if name is None:
                check_satellite(member.name)
                strays.append(member)
            elif name.kind == "SUMMARY":
                summaries.append(_read_summary(member))
            else:
                named.append(NamedMember(name, member))
        except NotSupported as error:
            refused.append(error.message)
    groups = _data_groups(named)
    refused += _attach_summaries(groups, summaries)
    _attach_side_files(groups, named, strays)
    kept = [group for group in groups if _is_product(group, groups)]
    for group in groups:
        if group not in kept:
            strays += [file.member for file in group.files]
    strays += [found.member for found in summaries if all(g.summary is not found for g in kept)]
    _mark_twins(kept)
    _mark_unexpected(kept, strays)
    kept.sort(key=lambda group: (*map(str, group.identity), group.place))
    return Grouping(tuple(kept), tuple(strays), tuple(dict.fromkeys(refused)))


def _read_summary(member: Member) -> FoundSummary:
    try:
        data = member.read_head(MAX_SUMMARY_BYTES + 1)
        return FoundSummary(member, read_summary(data, member.name))
    except BadSummary as error:
        return FoundSummary(member, None, error)


def _format_of(name: FileName) -> ProductFormat | None:
    """CEOS or GeoTIFF by a file's name; None where it goes with both."""
    if name.kind == "IMG":
        return "geotiff" if name.extension else "ceos"
    if name.kind in ("VOL", "LED", "TRL"):
        return "ceos"
    return "geotiff" if name.kind in ("LUT", "LIN", "MSK", "CARD4L") else None


def _identity_of(name: FileName, image_format: ProductFormat) -> Identity | None:
    if name.scene is None or name.product is None:
        return None
    return name.scene, name.product, image_format


def _data_groups(named: Sequence[NamedMember]) -> list[Group]:
    """One group for each identity, or several where a file name comes twice."""
    by_place: dict[tuple[Identity, str], list[NamedMember]] = {}
    for file in named:
        image_format = _format_of(file.name)
        identity = _identity_of(file.name, image_format) if image_format else None
        if identity is not None:
            by_place.setdefault((identity, file.member.folder), []).append(file)
    groups: list[Group] = []
    for (identity, folder), files in by_place.items():
        names = {file.member.name for file in files}
        same = [group for group in groups if group.identity == identity]
        if any(_is_copy(files, group.files) for group in same):
            continue
        fitting = [group for group in same if not group.file_names & names]
        if fitting:
            min(fitting, key=lambda group: group.distance(folder)).files += files
        else:
            groups.append(Group(identity, list(files)))
    return groups


def _is_copy(files: Sequence[NamedMember], others: Sequence[NamedMember]) -> bool:
    """Whether `files`, inside a zip, are also there unpacked, with the same sizes."""
    sizes = {other.member.name: other.member.size for other in others if other.member.local_path}
    return all(
        file.member.local_path is None and sizes.get(file.member.name) == file.member.size
        for file in files
    )


def _attach_side_files(
    groups: list[Group], named: Sequence[NamedMember], strays: list[Member]
) -> None:
    """Browse images and KML go to the nearest group of their scene and product."""
    for file in named:
        if _format_of(file.name) is not None:
            continue
        fitting = [g for g in groups if g.identity[:2] == (file.name.scene, file.name.product)]
        if not fitting:
            strays.append(file.member)
            continue
        nearest = min(group.distance(file.member.folder) for group in fitting)
        for group in fitting:
            if (
                group.distance(file.member.folder) == nearest
                and file.member.name not in group.file_names
            ):
                group.files.append(file)


def _attach_summaries(groups: list[Group], summaries: Sequence[FoundSummary]) -> list[str]:
    """Give each group its summary; a summary alone makes a group. Returns what is refused."""
    refused = []
    homeless = [found for found in summaries if not _attach_by_ids(groups, found)]
    for found in homeless:
        try:
            identity = found.identity()
        except NotSupported as error:
            refused.append(error.message)
            continue
        if _attach_by_place(groups, found, anywhere=identity is None) or identity is None:
            continue
        groups.append(Group(identity, [], found))
    return refused


def _attach_by_ids(groups: Sequence[Group], found: FoundSummary) -> bool:
    folder = found.member.folder
    fitting = [group for group in groups if found.belongs_to(group.identity)]
    nearest = min((group.distance(folder) for group in fitting), default=0)
    for group in fitting:
        old = group.summary
        if group.distance(folder) == nearest and (
            old is None or nearest < group.distance(old.member.folder)
        ):
            group.summary = found
    return bool(fitting)


def _attach_by_place(groups: Sequence[Group], found: FoundSummary, *, anywhere: bool) -> bool:
    """Give a summary that names no product here to the one beside it that has none."""
    lacking = [(g.distance(found.member.folder), g) for g in groups if g.summary is None]
    near = [group for distance, group in lacking if distance == 0]
    if not near and anywhere:
        near = [group for distance, group in lacking if distance < UNRELATED]
    if len(near) != 1 and found.summary is not None:
        return False
    for group in near:
        group.summary = found
    return bool(near)


def _is_product(group: Group, groups: Sequence[Group]) -> bool:
    kinds = {file.name.kind for file in group.files} - {"BRS"}
    if "IMG" in kinds:
        return True
    others = any(file.name.kind == "IMG" for other in groups for file in other.files)
    if not kinds - {"KML"} and others:
        return False  # a folder from which the data were taken away, beside a real product
    return len(kinds) + (group.summary is not None) >= 2 or (
        group.summary is not None and not others
    )


def _mark_twins(groups: Sequence[Group]) -> None:
    for group in groups:
        group.twins = [g for g in groups if g is not group and g.identity == group.identity]


def _mark_unexpected(groups: Sequence[Group], strays: Sequence[Member]) -> None:
    """Files that JAXA might have named, beside a product: something was renamed or mixed up."""
    for member in strays:
        if not _JAXA_LIKE_RE.match(member.name):
            continue
        for group in groups:
            if group.distance(member.folder) == 0:
                group.unexpected.append(member)
