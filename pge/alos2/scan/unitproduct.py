"""A unit of the scan becomes a product: of its own files alone, however many lie beside them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from alos2.archive.members import FileMember, Member
from alos2.dataset.identity import dataset_id
from alos2.errors import BadSummary, NoProduct, NotSupported
from alos2.product.groups import FoundSummary, Identity
from alos2.product.model import Product
from alos2.product.recognise import RecognisedTree, products_from, recognise
from alos2.product.summary import MAX_SUMMARY_BYTES, read_summary

log = logging.getLogger(__name__)

_SUMMARY = "summary.txt"


class UnitProducts:
    """Recognises units one after the other; a context manager.

    Of a folder, the named files are opened and nothing is listed. A zip is listed once for all
    units of it that follow one another.
    """

    def __init__(self) -> None:
        self._zip: tuple[str, RecognisedTree] | None = None

    def __enter__(self) -> UnitProducts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def of(self, place: str, wanted: str, files: Sequence[str] | None) -> Product:
        """Return the product of a unit.

        Parameters
        ----------
        place : str
            The folder, or the zip.
        wanted : str
            Its dataset id, with ``-md``.
        files : sequence of str, optional
            Names of its files in the folder; None for a zip.

        Raises
        ------
        BadProduct
            A file has gone or cannot be read; the zip is damaged; it is no such product any more.
        """
        if files is None:
            products = self._in_zip(place)
        else:
            self._close()
            products = products_from(list(_members(Path(place), files)), place=place)
        for product in products:
            if dataset_id(product, metadata_only=True) == wanted:
                return product
        raise NoProduct(
            f"{place} holds no {wanted} any more", hint="run the scan again: it has changed"
        )

    def _in_zip(self, place: str) -> tuple[Product, ...]:
        if self._zip is None or self._zip[0] != place:
            self._close()
            self._zip = place, recognise(Path(place))
        return self._zip[1].products

    def _close(self) -> None:
        if self._zip is not None:
            self._zip[1].close()
            self._zip = None


def _members(folder: Path, names: Sequence[str]) -> Iterator[Member]:
    for name in names:
        member = FileMember.of(folder / name)
        if name == _SUMMARY and (other := _of_another(member, names)):
            # One of many scenes in a folder left its summary there, or overwrote the others'.
            log.info("%s is of %s-%s: left out", member.path, other[0], other[1])
        else:
            yield member


def _of_another(member: FileMember, names: Sequence[str]) -> Identity | None:
    """Return what product a summary tells of, if that is another one which lies beside it.

    A summary that names a product which is not there contradicts the only one that is.
    """
    try:
        summary = read_summary(member.read_head(MAX_SUMMARY_BYTES + 1), member.name)
        identity = FoundSummary(member, summary).identity()
    except (BadSummary, NotSupported):
        return None  # told of when the product is put together
    if identity is None:
        return None
    scene, product, _ = identity
    stem = f"{scene}-{product}"
    if any(stem in name for name in names):
        return None
    folder = member.local_path.parent
    beside = (folder / f"{kind}-{stem}" for kind in ("VOL", "LED"))
    return identity if any(path.exists() for path in beside) else None
