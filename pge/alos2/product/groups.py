"""The files of one product, before they are read: types that grouping makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from alos2.archive.members import Member
from alos2.errors import BadName, BadSummary
from alos2.naming import FileName, ProductId, SceneId
from alos2.product.summary import Summary
from alos2.types import ProductFormat

UNRELATED: Final = 1000
"""Distance of folders of which neither lies in the other."""

_SEPARATORS: Final = "/!\\"

Identity: TypeAlias = tuple[SceneId, ProductId, ProductFormat]
"""What makes files one product."""


def folder_distance(one: str, other: str) -> int:
    """Count the steps between a folder and one above it; large for unrelated ones."""
    if one == other:
        return 0
    above, below = sorted((one, other), key=len)
    if not below.startswith(above):
        return UNRELATED
    rest = below[len(above) :]
    if above and above[-1] not in _SEPARATORS and rest[0] not in _SEPARATORS:
        return UNRELATED
    return 1 + sum(letter in _SEPARATORS for letter in rest.strip(_SEPARATORS))


@dataclass(frozen=True)
class NamedMember:
    """A member whose name JAXA gave."""

    name: FileName
    member: Member


@dataclass(frozen=True)
class FoundSummary:
    """A summary.txt, read; or why it cannot be."""

    member: Member
    summary: Summary | None
    error: BadSummary | None = None

    def belongs_to(self, identity: Identity) -> bool:
        """Whether its ids are those of a product."""
        if self.summary is None:
            return False
        said = (self.summary.text("Pdi_ProductFormat") or identity[2]).lower()
        return (
            self.summary.text("Scs_SceneID") == str(identity[0])
            and self.summary.text("Pds_ProductID") == str(identity[1])
            and said == identity[2]
        )

    def identity(self) -> Identity | None:
        """Scene, product and format that it names, None where it does not.

        Raises
        ------
        NotSupported
            It names a product of another satellite or level.
        """
        if self.summary is None:
            return None
        try:
            scene = SceneId.parse(self.summary.text("Scs_SceneID") or "")
            product = ProductId.parse_standard(self.summary.text("Pds_ProductID") or "")
        except BadName:
            return None
        said = (self.summary.text("Pdi_ProductFormat") or "").lower()
        return scene, product, "geotiff" if said == "geotiff" else "ceos"


@dataclass(eq=False)
class Group:
    """The files of one product."""

    identity: Identity
    files: list[NamedMember] = field(default_factory=list)
    """Data files, browse images and KML."""
    summary: FoundSummary | None = None
    twins: list[Group] = field(default_factory=list)
    """Other groups of the same identity."""
    unexpected: list[Member] = field(default_factory=list)
    """Files beside it that look like JAXA's and belong to no product."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Where its files lie."""
        return tuple(dict.fromkeys(file.member.folder for file in self.files))

    @property
    def place(self) -> str:
        """The folder that messages name: that of its images or else of its first file."""
        images = [file for file in self.files if file.name.kind == "IMG"]
        if images or self.files:
            return (images or self.files)[0].member.folder
        return self.summary.member.folder if self.summary else ""

    @property
    def file_names(self) -> set[str]:
        """Base names."""
        return {file.member.name for file in self.files}

    def distance(self, folder: str) -> int:
        """How far `folder` is from where its files lie."""
        folders = self.folders
        if not folders and self.summary:
            folders = (self.summary.member.folder,)
        return min((folder_distance(folder, own) for own in folders), default=UNRELATED)
