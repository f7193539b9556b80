"""The main product of a dataset: ``<id>.zip``, holding the product's files under their own names.

It is packed once. Where the delivery already has a zip that holds exactly these files, and whose
members were checked while it was unpacked, that zip goes into the dataset as it is.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from alos2.archive.unpack import InnerArchive
from alos2.archive.writing import writing_failed
from alos2.archive.zipwrite import write_zip
from alos2.dataset.content import PackedProduct
from alos2.dataset.identity import dataset_id
from alos2.errors import BadProduct
from alos2.product.model import Product

log = logging.getLogger(__name__)


def package_product(
    product: Product,
    folder: Path,
    *,
    ready: Sequence[InnerArchive] = (),
    owned: Path | None = None,
    crc32: Mapping[Path, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PackedProduct:
    """Put ``<id>.zip`` into `folder`.

    Parameters
    ----------
    product : Product
        With all its files on disk.
    folder : Path
        The dataset's staging folder.
    ready : sequence of InnerArchive
        Zips of the delivery that were unpacked, and so verified, in this run; also the delivered
        zip itself may be among them.
    owned : Path, optional
        Zips below this folder are ours: they get a second name. Others, which belong to the user,
        are copied, so that nothing done to the one changes the other.
    crc32 : mapping of Path to int, optional
        CRC-32 of files as unpacking computed them: spares a second reading of those that are
        stored.
    progress : callable, optional
        Called now and then with (bytes done, bytes in all).

    Raises
    ------
    BadProduct
        A file of the product is not on disk.
    NoSpace, NoResource
        The zip cannot be written.
    """
    target = folder / f"{dataset_id(product)}.zip"
    archive = _ready_made(product, ready)
    if archive is not None:
        log.info("%s is a zip of exactly this product already: not packed again", archive.path.name)
        is_ours = owned is not None and _resolved(archive.path).is_relative_to(_resolved(owned))
        _bring(archive.path, target, link=is_ours)
        return PackedProduct(target.name, archive.size, archive.sha256, repacked=False)
    receipt = write_zip(
        [(_path_of(product, i), f.name) for i, f in enumerate(product.files)],
        target,
        crc32=crc32,
        progress=progress,
    )
    return PackedProduct(target.name, receipt.size, receipt.sha256)


def _path_of(product: Product, index: int) -> Path:
    file = product.files[index]
    if file.path is None:
        raise BadProduct(f"{file.name} has not been unpacked: it lies in {file.member.path}")
    return file.path


def _ready_made(product: Product, ready: Sequence[InnerArchive]) -> InnerArchive | None:
    """Return the zip whose members are the product's files, no more and no fewer."""
    wanted = {_resolved(_path_of(product, i)) for i in range(len(product.files))}
    for archive in ready:
        members = {_resolved(archive.folder / PurePosixPath(name)) for name in archive.members}
        if members == wanted and len(archive.members) == len(wanted) and archive.path.is_file():
            return archive
    return None


def _resolved(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links


def _bring(source: Path, target: Path, *, link: bool) -> None:
    """Give the zip a second name, which costs nothing, or copy it."""
    if link:
        try:
            target.hardlink_to(source)
        except OSError:
            log.debug("%s has no hard links: copying", target.parent)
        else:
            return
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise writing_failed(target, error) from error
