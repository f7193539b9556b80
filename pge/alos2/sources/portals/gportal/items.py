"""From what is asked to the catalogue's query, and from its records to items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from alos2.errors import BadName, NotSupported, UsageError
from alos2.naming import DeliveryName, Mode
from alos2.sources.filename import safe_name
from alos2.sources.portals.gportal.csw import Record, Wanted, split_box
from alos2.sources.portals.gportal.modes import datasets_of, mode_of
from alos2.sources.portals.model import Item, Query

PROVIDER: Final = "gportal"

_NO_ARCHIVES: Final = (
    ".h5", ".hdf", ".hdf5", ".nc", ".tif", ".tiff", ".jpg", ".png", ".kml", ".txt", ".xml", ".html",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One product that is asked for by its name."""

    text: str
    day: date
    """Of the scene's centre."""
    mode: Mode | None

    def is_answered_by(self, record: Record) -> bool:
        """Tell whether `record` is of what was asked: of that name, or a product of that scene."""
        wanted = self.text.removesuffix(".zip")
        return wanted in record.identifier or wanted in file_of(record)

    def wanted(self) -> Wanted:
        """Return the query that finds it.

        The catalogue is not known to find a record by its name, so it is asked for the scene's
        day, with the one before and after it: an observation may begin before midnight.
        """
        day = timedelta(days=1)
        return Wanted(datasets_of(self.mode), (), self.day - day, self.day + day)


def asked(name: str) -> Asked:
    """Read the name of a product, a scene or a delivery.

    Raises
    ------
    UsageError
        It holds no scene id, so nobody can say when to look for it.
    """
    try:
        found = DeliveryName.parse(name)
    except (BadName, NotSupported):
        raise UsageError(
            f"{name!r} is not the name of an ALOS-2 product",
            hint="give ALOS2oooooffff-YYMMDD, perhaps with -FBDR1.1__A behind it, "
            "or look for it by --bbox, --date and --mode",
        ) from None
    return Asked(name, found.scene.date, _mode(found))


def _mode(name: DeliveryName) -> Mode | None:
    try:
        product = name.product
    except (BadName, NotSupported):
        return None
    return product.mode if product else None


def wanted_of(query: Query) -> Wanted:
    """Return what the catalogue is asked for a query without ids.

    Raises
    ------
    UsageError
        The query is for something that G-Portal does not know, or for everything.
    """
    if query.eor_id:
        raise UsageError(
            "G-Portal knows no emergency requests", hint="search them in sentinel-asia"
        )
    if query.bbox is None and query.start is None and query.end is None:
        raise UsageError(
            "neither place nor time is given", hint="name a product, or give --bbox or --date"
        )
    boxes = split_box(query.bbox) if query.bbox else ()
    return Wanted(datasets_of(query.mode), boxes, query.start, query.end)


def file_of(record: Record) -> str:
    """Return the base name of the record's file; empty if it has none."""
    path = urlsplit(record.file_name).path if "://" in record.file_name else record.file_name
    return PurePosixPath(unquote(path)).name


def item_of(record: Record) -> Item:
    """Return a record as an item, with the reason where it cannot be ingested."""
    mode = mode_of(record.dataset)
    facts = {
        "dataset": record.dataset,
        "mode": mode or "",
        "platform": record.platform,
        "file": record.file_name,
        "version": record.properties.get("product.version", ""),
        "end": record.end.isoformat().replace("+00:00", "Z") if record.end else "",
        "processing_level": record.properties.get("processingLevel", ""),
    }
    return Item(
        provider=PROVIDER,
        id=record.identifier,
        title=f"ALOS-2 PALSAR-2 {mode}" if mode else record.platform,
        name=safe_name(file_of(record)),
        size=record.size,
        when=record.begin,
        footprint=record.geometry,
        data_id=record.identifier,
        properties={name: text for name, text in facts.items() if text},
        skip=_why_not(record),
    )


def _why_not(record: Record) -> str:
    """Return why a record's product cannot be ingested; empty if it can."""
    name = file_of(record)
    if record.platform and record.platform.upper().replace(" ", "") not in ("ALOS-2", "ALOS2"):
        return f"it is of {record.platform}, not of ALOS-2"
    if not name:
        return "the catalogue names no file: it has to be ordered on the portal's web page first"
    if name.lower().endswith(_NO_ARCHIVES):
        return f"{name} is not an archive"
    return _unsupported(record.identifier) or _unsupported(name)


def _unsupported(name: str) -> str:
    """Return what a name tells of a product that is not handled; empty if nothing."""
    try:
        _ = DeliveryName.parse(name).product
    except NotSupported as error:
        return error.message
    except BadName:
        return ""  # a file may have any name
    return ""


def unwrapped(link: str) -> str:
    """Return the address that a link by way of the login page leads to.

    G-Portal's mails and pages give ``.../gpr/auth?...&goto=<address>``, percent-encoded once or
    more; a link without ``goto`` stays as it is.
    """
    for _ in range(3):
        parts = urlsplit(link)
        target = parse_qs(parts.query).get("goto", [""])[0]
        if not target:
            # Some are written without a proper query: everything behind goto= is the address.
            _, found, target = link.partition("goto=")
            if not found:
                return link
        link = unquote(target) if "://" not in target else target
    return link


def item_of_link(link: str) -> Item:
    """Return the item behind a download's address, of which the catalogue is not asked."""
    name = safe_name(unquote(urlsplit(link).path))
    return Item(
        provider=PROVIDER,
        id=link,
        title=name,
        name=name,
        data_id=name.removesuffix(".zip") or None,
        properties={"file": link},
    )
