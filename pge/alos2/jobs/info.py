"""A look at a product: what it is and where it lies, without network and without pixels."""

from __future__ import annotations

from pathlib import Path

from alos2.dataset.line import product_line
from alos2.errors import BadProduct
from alos2.footprint import FootprintOptions, footprint_report
from alos2.product.recognise import recognise
from alos2.types import Json

NO_NETWORK = FootprintOptions(sarcat=False)


def describe(path: Path, *, leader: Path | None = None) -> list[Json]:
    """Return the JSON line of each product in a folder or (nested) zip.

    Parameters
    ----------
    path : Path
        Folder or archive.
    leader : Path, optional
        A CEOS leader of the same scene, for GeoTIFF deliveries.

    Raises
    ------
    NoProduct, NotSupported, BadArchive, UsageError
        As `alos2.product.recognise.recognise`.
    """
    lines = []
    with recognise(path, leader=leader) as recognised:
        for product in recognised.products:
            try:
                footprint = footprint_report(product, options=NO_NETWORK)
            except BadProduct:
                # What keeps the product from having one is among its problems already.
                footprint = None
            lines.append(product_line(product, footprint=footprint))
    return lines
