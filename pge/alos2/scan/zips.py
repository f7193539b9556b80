"""The products of a zip, by its own directory: its members' names and sizes, no member's bytes.

Zips inside are looked into as :mod:`alos2.archive.members` does it: AUIG2 delivers a stored zip in
a zip, of which only headers and directories are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alos2.archive.members import list_members
from alos2.errors import BadArchive
from alos2.scan.byname import units_by_name
from alos2.scan.listing import Entry
from alos2.scan.units import Unit

_MESSAGE_LETTERS: Final = 500


def units_in_zip(place: str, archive: Entry) -> tuple[list[Unit], str]:
    """List the products of a zip.

    Parameters
    ----------
    place : str
        Its path.
    archive : Entry
        Its size and times.

    Returns
    -------
    list of Unit
        What is in it.
    str
        Why it cannot be listed (it is damaged, or no zip), else empty.

    Raises
    ------
    BadProduct
        The system does not let us read it.
    """
    try:
        with list_members(Path(place)) as tree:
            inside = [
                Entry(member.name.encode("utf-8", "surrogateescape"), member.size, 0, 0)
                for member in tree.members
            ]
    except BadArchive as error:
        return [], error.message[:_MESSAGE_LETTERS]
    return units_by_name(place, inside, archive=archive), ""
