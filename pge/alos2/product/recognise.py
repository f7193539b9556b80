"""A folder or archive becomes zero or more products.

Nothing is extracted and no pixel is read: leaders, descriptors, summaries. A product that is
damaged or incomplete is given all the same, with its problems (what they mean and which block an
ingest: :mod:`alos2.product.completeness`); :func:`require_complete` is what ``ingest`` asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.archive.members import FileMember, Member, list_members
from alos2.errors import BadProduct, NoProduct, NotSupported, UsageError
from alos2.naming import LEVELS, FileName, parse_file_name
from alos2.product.assemble import assemble
from alos2.product.ceos import LeaderParts, read_leader_parts
from alos2.product.grouping import Grouping, group_members
from alos2.product.model import Product, ProductFile

_HASH_CHUNK_BYTES: Final = 1 << 20
_SHOWN_NAMES: Final = 5


@dataclass(frozen=True)
class RecognisedTree:
    """The products of a delivery; close it (or use ``with``) when their files are read."""

    products: tuple[Product, ...]
    """By scene, product, format and folder."""
    stray: tuple[Member, ...] = ()
    """Files that belong to no product."""
    refused: tuple[str, ...] = ()
    """A sentence for each product of another satellite or level that lies beside them."""
    _open: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)

    def __enter__(self) -> RecognisedTree:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was opened or kept."""
        self._open.close()


def recognise(path: Path, *, leader: Path | None = None) -> RecognisedTree:
    """Find the products in a folder or (nested) zip.

    Parameters
    ----------
    path : Path
        Folder or archive.
    leader : Path, optional
        A CEOS leader file of the same scene (or a folder or zip that holds one), which gives
        GeoTIFF products an orbit.

    Raises
    ------
    NoProduct
        There is no ALOS-2 product.
    NotSupported
        There are products, all of another satellite or level.
    BadArchive
        The archive cannot be read.
    UsageError
        `leader` is of no scene that is here, or of several.
    """
    with ExitStack() as stack:
        tree = stack.enter_context(list_members(path))
        grouping = group_members(tree.members)
        products = _products(grouping, str(path))
        if leader is not None:
            products = _with_leader(products, leader)
        return RecognisedTree(products, grouping.stray, grouping.refused, stack.pop_all())


def products_from(
    members: Sequence[Member], *, place: str = "the delivery", leader: Path | None = None
) -> tuple[Product, ...]:
    """Find the products among some files, such as those that were just unpacked.

    Raises
    ------
    NoProduct, NotSupported, UsageError
        As :func:`recognise`.
    """
    products = _products(group_members(members), place)
    return products if leader is None else _with_leader(products, leader)


def _products(grouping: Grouping, place: str) -> tuple[Product, ...]:
    if grouping.groups:
        return tuple(assemble(group) for group in grouping.groups)
    if grouping.refused:
        raise NotSupported("; ".join(grouping.refused[:_SHOWN_NAMES]))
    names = sorted(member.name for member in grouping.stray)
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    held = f"only {shown}" if names else "no file at all"
    raise NoProduct(f"{place} holds no ALOS-2 product: {held}")


def _with_leader(products: tuple[Product, ...], path: Path) -> tuple[Product, ...]:
    """Give the GeoTIFF products the orbit of a leader of the same scene."""
    with ExitStack() as stack:
        name, file = _find_leader(path, products, stack)
        level = name.product.level if name.product else "1.1"
        parts = read_leader_parts(file, level)
    if parts.problems:
        raise BadProduct(f"--leader {file.member.path}: {parts.problems[0].message}")
    said = str(parts.leader.data_set_summary["scene_id"] or "").strip()
    if said != str(name.scene):
        raise BadProduct(
            f"--leader {file.member.path} is of scene {said} by its records "
            f"and of {name.scene} by its name"
        )
    return tuple(_one_with_leader(product, name, parts) for product in products)


def _find_leader(
    path: Path, products: Sequence[Product], stack: ExitStack
) -> tuple[FileName, ProductFile]:
    name = parse_file_name(path.name)
    members: Sequence[Member]
    if name is not None and name.kind == "LED":
        members = (FileMember.of(path),)
    else:
        members = stack.enter_context(list_members(path)).members
    found = [(parse_file_name(m.name), m) for m in members if m.name.startswith("LED-")]
    leaders = [(named, member) for named, member in found if named is not None]
    if not leaders:
        raise UsageError(f"--leader {path}: there is no LED-... file", hint="give a CEOS leader")
    scenes = {product.scene for product in products if product.format == "geotiff"}
    fitting = [(named, member) for named, member in leaders if named.scene in scenes]
    if not fitting:
        here = ", ".join(sorted(map(str, scenes))) or "no GeoTIFF product"
        raise UsageError(
            f"--leader {leaders[0][1].path} is of scene {leaders[0][0].scene}; "
            f"the delivery has {here}",
            hint="give the CEOS leader of the same scene",
        )
    if len(fitting) > 1:
        raise UsageError(
            f"--leader {path} holds {len(fitting)} leaders: "
            + ", ".join(member.name for _, member in fitting[:_SHOWN_NAMES]),
            hint="name one of them",
        )
    named, member = fitting[0]
    return named, ProductFile(member.name, "LED", member.size, member)


def _one_with_leader(product: Product, name: FileName, parts: LeaderParts) -> Product:
    if product.format != "geotiff" or product.scene != name.scene or name.product is None:
        return product
    same_view = (name.product.mode, name.product.look, name.product.pass_direction)
    if same_view != (product.mode, product.look, product.pass_direction):
        raise UsageError(
            f"--leader {parts.leader.name} is of {name.product}, the delivery of {product.product}",
            hint="mode, look side and pass have to be the same",
        )
    same_image = name.product == product.product
    return replace(
        product,
        orbit=parts.orbit,
        orbit_precision=product.orbit_precision or parts.orbit_precision,
        # Its polynomials count lines and pixels of its own image.
        polynomials=parts.polynomials if same_image else product.polynomials,
        sensor=parts.sensor,
        center_time=product.center_time or parts.center_time,
        leader_from=parts.leader.name,
    )


def hash_files(product: Product, known: Mapping[Path, str] | None = None) -> Product:
    """Fill in the SHA-256 of every file.

    Parameters
    ----------
    product : Product
        Its files are read where `known` does not have them: all bytes of them.
    known : mapping of Path to str, optional
        What unpacking computed already, by the file's path on disk.

    Raises
    ------
    BadProduct
        A file cannot be read to its end.
    """
    hashed = {id(file): _hashed(file, known or {}) for file in product.files}
    by_name = {file.name: hashed[id(file)] for file in product.files}
    images = tuple(replace(i, file=by_name.get(i.file.name, i.file)) for i in product.images)
    calibration = product.calibration
    if calibration is not None and calibration.luts:
        luts = {pol: by_name.get(file.name, file) for pol, file in calibration.luts.items()}
        calibration = replace(calibration, luts=luts)
    files = tuple(hashed[id(file)] for file in product.files)
    return replace(product, files=files, images=images, calibration=calibration)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file on disk, hexadecimal.

    Raises
    ------
    BadProduct
        It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as opened:
            while chunk := opened.read(_HASH_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise BadProduct(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _hashed(file: ProductFile, known: Mapping[Path, str]) -> ProductFile:
    if file.sha256 is not None:
        return file
    if file.path is not None and file.path in known:
        return replace(file, sha256=known[file.path])
    digest, done = hashlib.sha256(), 0
    try:
        with file.member.open() as opened:
            while chunk := opened.read(_HASH_CHUNK_BYTES):
                digest.update(chunk)
                done += len(chunk)
    except OSError as error:
        raise BadProduct(f"{file.member.path} cannot be read: {error.strerror or error}") from error
    if done != file.size_bytes:
        raise BadProduct(f"{file.member.path} gave {done} of {file.size_bytes} bytes")
    return replace(file, sha256=digest.hexdigest())


def require_complete(product: Product, *, analysis_ready: bool = False) -> None:
    """Refuse a product that has blocking problems.

    Parameters
    ----------
    product
        As recognised.
    analysis_ready
        Whether level 2.2 is wanted too; it becomes no dataset of its own.

    Raises
    ------
    NotSupported
        It is of level 2.2, and that is not wanted.
    BadProduct
        Naming all problems.
    """
    if product.level not in LEVELS and not analysis_ready:
        raise NotSupported(
            f"{product.scene}-{product.product}: level {product.level} is not handled as a dataset",
            hint="alos2 stack takes it as it is",
        )
    blocking = product.problems_for_ingest
    if blocking:
        several = f"{len(blocking)} problems: " if len(blocking) > 1 else ""
        sentences = "; ".join(problem.message for problem in blocking)
        raise BadProduct(f"{product.scene}-{product.product}: {several}{sentences}")
