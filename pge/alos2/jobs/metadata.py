"""Datasets of metadata: products that stay where they lie, described without being touched.

The archive may be read-only: nothing is written there, copied or hashed (sizes and times say what
the files are; a SHA-256 of a group's archive would read it whole).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from alos2.archive.members import Member, MemberTree, is_archive, list_members
from alos2.errors import (
    Alos2Error,
    BadArchive,
    BadName,
    BadProduct,
    Interrupted,
    NoProduct,
    NothingFound,
    NotSupported,
    UsageError,
)
from alos2.jobs import context
from alos2.jobs.ingest import Ingested
from alos2.jobs.metadatajob import Filing, MetadataJob
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.naming import DeliveryName, SceneId
from alos2.product.model import Product
from alos2.product.recognise import (
    RecognisedTree,
    products_from,
    recognise,
)

log = logging.getLogger(__name__)

_FRAME_DATE: Final = re.compile(r"(?P<frame>[0-9]{4})[-_](?P<date>[0-9]{6})")


class FrameDate(NamedTuple):
    """Which scenes of a folder are meant: ``FFFF-YYMMDD`` or ``FFFF_YYMMDD``."""

    frame: str
    date: str

    @classmethod
    def parse(cls, text: str) -> FrameDate:
        """Read it.

        Raises
        ------
        UsageError
            It has another form.
        """
        found = _FRAME_DATE.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"{text!r} is no frame and date", hint="FFFF-YYMMDD, e.g. 0700-180905")
        return cls(found["frame"], found["date"])

    def means(self, product: Product) -> bool:
        """Whether `product` is one of them."""
        return self._is_of(product.scene)

    def may_lie_in(self, name: str) -> bool:
        """Whether a delivery of this name may hold one: JAXA names deliveries after their scene.

        To list a zip in a zip, all of it has to be inflated.
        """
        try:
            return self._is_of(DeliveryName.parse(name).scene)
        except NotSupported:
            return False
        except BadName:
            return True

    def _is_of(self, scene: SceneId) -> bool:
        return str(scene).endswith(f"{self.frame}-{self.date}")


def describe_in_place(
    folder: Path,
    options: IngestOptions,
    *,
    only: FrameDate | None = None,
    tags: Sequence[str] = (),
    filing: Filing | None = None,
) -> Iterator[Ingested | Failed]:
    """Make a dataset of metadata of every product in `folder`, a folder or a zip.

    Each zip in a folder is a delivery of its own: a damaged one does not keep the others from being
    described.

    Parameters
    ----------
    folder : Path
        Is only read.
    options : IngestOptions
        ``out``, ``footprint``, ``force`` are heeded.
    only : FrameDate, optional
        Leave out all other scenes. A damaged zip counts as one of those if others are found.
    tags : sequence of str, optional
        Words to find the datasets by.
    filing : Filing, optional
        A catalogue that is asked first and told afterwards; see `MetadataJob.of`.

    Yields
    ------
    Ingested or Failed
        One for each product, as soon as it is there, and one for each zip that cannot be read.

    Raises
    ------
    NothingFound
        There is no such folder, or no such scene in it.
    NoProduct, NotSupported
        It holds no ALOS-2 product, or only others.
    BadProduct
        It cannot be read.
    """
    met = False
    job = MetadataJob(options, tags, filing)
    foreign: list[NotSupported] = []
    damaged: list[Failed] = []
    with _listed(folder.absolute()) as tree:
        for sentence in tree.skipped:
            log.warning("%s", sentence)
        for delivery in _deliveries(folder.absolute(), tree, only):
            try:
                with delivery() as recognised:
                    for product in _wanted(recognised, only):
                        met = True
                        yield _tried(product, job)
            except NotSupported as error:
                foreign.append(error)
            except NoProduct as error:
                log.info("%s", error.message)
            except BadProduct as error:
                damaged.append(Failed(delivery.what, error))
    if not met and not damaged:
        raise _nothing(folder, only, foreign)
    if met and only is not None:
        for failed in damaged:
            log.warning("%s: left out, %s", failed.what, failed.error.short)
    else:
        yield from damaged


@dataclass(frozen=True)
class _Delivery:
    """Files that are recognised together; called, it recognises them."""

    what: str
    recognise: Callable[[], RecognisedTree]

    def __call__(self) -> RecognisedTree:
        return self.recognise()


def _listed(place: Path) -> MemberTree:
    """List a folder without looking into its zips; of a zip nothing: it is the one delivery."""
    try:
        is_zip = place.is_file()
    except OSError as error:
        raise BadProduct(
            f"{place} cannot be read: {error.strerror or error}", hint="check what is mounted"
        ) from error
    return MemberTree(()) if is_zip else list_members(place, descend=False)


def _deliveries(place: Path, tree: MemberTree, only: FrameDate | None) -> Iterator[_Delivery]:
    """Yield the loose files together, then each zip that may hold what is wanted."""
    if not tree.members:
        yield _Delivery(place.name, lambda: recognise(place))
        return
    loose: list[Member] = []
    zips: list[Member] = []
    for member in tree.members:
        try:
            (zips if is_archive(member) else loose).append(member)
        except BadArchive:  # it is told of when it is its turn
            zips.append(member)
    yield _Delivery(place.name, lambda: RecognisedTree(products_from(loose, place=str(place))))
    for member in zips:
        if only is not None and not only.may_lie_in(member.name):
            continue
        path = Path(member.path)
        yield _Delivery(member.name, partial(recognise, path))


def _wanted(recognised: RecognisedTree, only: FrameDate | None) -> Iterator[Product]:
    for sentence in recognised.refused:
        log.warning("%s", sentence)
    for product in recognised.products:
        if only is None or only.means(product):
            yield product


def _tried(product: Product, job: MetadataJob) -> Ingested | Failed:
    what = f"{product.scene}-{product.product}"
    with context.about(context.product, what):
        try:
            return job.of(product)
        except Interrupted:
            raise
        except Alos2Error as error:
            return Failed(what, error)


def _nothing(
    folder: Path, only: FrameDate | None, foreign: Sequence[NotSupported]
) -> NothingFound | NoProduct | NotSupported:
    if only is not None:
        return NothingFound(f"{folder} holds no scene {only.frame}-{only.date}")
    return foreign[0] if foreign else NoProduct(f"{folder} holds no ALOS-2 product")
