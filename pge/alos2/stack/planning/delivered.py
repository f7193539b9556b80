"""A delivery becomes a scene of a plan: a dataset of an archive, or a product in a folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, TypeAlias

from alos2.archive.members import Member, is_archive, list_members
from alos2.catalogue.embedded.rows import unix_us
from alos2.dataset.content import Content
from alos2.dataset.stac import build_stac, observation_time
from alos2.errors import BadArchive, BadName, BadProduct, NoProduct, UsageError
from alos2.footprint import FootprintOptions, footprint_report
from alos2.jobs.metadatajob import without_need_of_summary
from alos2.naming import SceneId
from alos2.product.model import Product
from alos2.product.recognise import products_from, require_complete
from alos2.stack.planning.model import LeftOut, PlannedScene
from alos2.types import FootprintSource, Json

log = logging.getLogger(__name__)

Leaders: TypeAlias = Mapping[str, Path]
"""CEOS leaders by scene."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_US: Final = 1_000_000
_FINGERPRINT_LETTERS: Final = 32
_IN_ZIP: Final = "!"


def leaders_of(given: Mapping[str, Path]) -> Leaders:
    """Check the leaders that a configuration names.

    Raises
    ------
    UsageError
        One is no scene's, or is not there.
    """
    for scene, path in given.items():
        try:
            SceneId.parse(scene)
        except BadName as error:
            raise UsageError(f"[stack.leaders] {error.message}") from error
        if not path.exists():
            raise UsageError(f"[stack.leaders] {scene}: there is no {path}")
    return dict(given)


def scene_of_item(item: Json, folder: Path, leaders: Leaders) -> PlannedScene:
    """Return the scene of a dataset.

    Parameters
    ----------
    item : Json
        Its STAC item.
    folder : Path
        Where it lies.
    leaders : mapping
        See `leaders_of`.

    Raises
    ------
    BadProduct
        Its files are not there any more, or are others.
    """
    said = item["properties"]
    described = said.get("alos2:files") or []
    names: tuple[str, ...] = ()
    if said.get("alos2:archive"):
        path = folder / str(said["alos2:archive"])
        if not path.is_file():
            raise BadProduct(f"{path} is gone")
        stamps = [(str(f["name"]), int(f["size"]), str(f["sha256"] or "")) for f in described]
    else:
        path, names = _lying(item["id"], said.get("alos2:stays_at") or [])
        sizes = {str(f["name"]): int(f["size"]) for f in described}
        stamps = [_stamp(path, name, sizes) for name in names or sorted(sizes)]
    scene = str(said["alos2:scene"])
    leader = leaders.get(scene) if said["alos2:format"] == "geotiff" else None
    return PlannedScene(
        scene=scene,
        product=str(said["alos2:product"]),
        path=path,
        leader=leader,
        when=_moment(str(said["datetime"])),
        level=str(said["alos2:level"]),
        format=said["alos2:format"],
        polarizations=tuple(said.get("sar:polarizations") or ()),
        frame=str(said["alos2:frame"]),
        geometry=item["geometry"],
        item=item,
        files=names,
        fingerprint=_fingerprint([*stamps, *_leader_stamp(leader)]),
        dataset=str(item["id"]),
    )


def find_in_folder(place: Path, leaders: Leaders) -> Iterator[PlannedScene | LeftOut]:
    """Yield the products in a folder or zip, and what cannot be used there.

    Each zip in a folder is a delivery of its own: a damaged one keeps no other from being found.

    Raises
    ------
    BadProduct
        The folder cannot be read.
    """
    if place.is_file():
        yield from _of_zip(place, leaders)
        return
    loose: list[Member] = []
    zips: list[Path] = []
    with list_members(place, descend=False) as tree:
        for member in tree.members:
            try:
                packed = is_archive(member)
            except BadArchive:  # told of when it is its turn
                packed = True
            if packed:
                zips.append(Path(member.path))
            else:
                loose.append(member)
    if loose:
        yield from _of_members(loose, place, leaders)
    for path in zips:
        yield from _of_zip(path, leaders)


def _of_zip(path: Path, leaders: Leaders) -> Iterator[PlannedScene | LeftOut]:
    try:
        with list_members(path) as tree:
            yield from _of_members(tree.members, path, leaders)
    except BadProduct as error:
        yield LeftOut("unreadable", path.name, error.message, path)


def _of_members(
    members: Sequence[Member], place: Path, leaders: Leaders
) -> Iterator[PlannedScene | LeftOut]:
    try:
        products = products_from(members, place=str(place))
    except NoProduct as error:
        log.info("%s", error.message)
        return
    except BadProduct as error:
        yield LeftOut("unreadable", place.name, error.message, place)
        return
    for product in products:
        try:
            yield _of_product(product, leaders)
        except BadProduct as error:
            name = f"{product.scene}-{product.product}"
            place = _outer(product.files[0].member)
            why = error.message.removeprefix(f"{name}: ")
            yield LeftOut("incomplete", f"{name} ({product.format})", why, place)


def _of_product(product: Product, leaders: Leaders) -> PlannedScene:
    """Return the scene of a product that lies in a folder or zip.

    Raises
    ------
    BadProduct
        It is incomplete, or does not say where or when it is.
    """
    leader = leaders.get(str(product.scene)) if product.format == "geotiff" else None
    if leader is not None:
        members = [file.member for file in product.files]
        (product,) = products_from(members, place=str(_outer(members[0])), leader=leader)
    product = without_need_of_summary(product)
    if product.files[0].member.local_path is not None:
        product = _alone(product)
    require_complete(product, analysis_ready=True)
    path = _outer(product.files[0].member)
    loose = path.is_dir()
    item = _item_of(product)
    sizes = {file.name: file.size_bytes for file in product.files}
    names = tuple(sorted(sizes)) if loose else ()
    stamps = [_stamp(path, name, sizes) for name in names or sorted(sizes)]
    return PlannedScene(
        scene=str(product.scene),
        product=str(product.product),
        path=path,
        leader=leader,
        when=observation_time(product),
        level=product.level,
        format=product.format,
        polarizations=product.polarizations,
        frame=product.scene.frame,
        geometry=item["geometry"],
        item=item,
        files=names,
        fingerprint=_fingerprint([*stamps, *_leader_stamp(leader)]),
    )


def _alone(product: Product) -> Product:
    """Forget that another folder has the same product: `choosing` takes one of them."""
    return replace(product, problems=tuple(p for p in product.problems if p.code != "duplicate"))


def _item_of(product: Product) -> Json:
    """Return the STAC item that an ingest would make, by what can be known without pixels.

    A geocoded raster without an orbit has its data's corners in the summary alone: its own
    georeferencing is that of the box around.
    """
    order: tuple[FootprintSource, ...] = ("geometry", "summary")
    if product.orbit is None and product.level != "1.1":
        order = ("summary", "geometry")
    report = footprint_report(product, options=FootprintOptions(sarcat=False, order=order))
    places = tuple(f.member.local_path or Path(f.member.path) for f in product.files)
    item = build_stac(Content(product, report, created=_NEVER, stays_at=places, metadata_only=True))
    del item["properties"]["created"]
    return item


def _lying(name: str, places: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """Return the folder with the names of files there, or the zip, of a dataset of metadata.

    Raises
    ------
    BadProduct
        A file is gone.
    """
    if not places:
        raise BadProduct(f"{name} does not say where its files lie")
    folders: dict[Path, list[str]] = {}
    for place in places:
        outer = place
        while not Path(outer).exists():
            outer, inside, _ = outer.rpartition(_IN_ZIP)
            if not inside:
                raise BadProduct(f"{place} is gone", hint="scan the archive again")
        if outer != place:
            return Path(outer), ()
        folders.setdefault(Path(place).parent, []).append(Path(place).name)
    if len(folders) > 1:
        raise BadProduct(f"the files of {name} lie in several folders")
    folder, names = folders.popitem()
    return folder, tuple(sorted(names))


def _outer(member: Member) -> Path:
    """Return the folder that a member lies in, or the zip."""
    local = member.local_path
    return Path(member.path.partition(_IN_ZIP)[0]) if local is None else local.parent


def _stamp(path: Path, name: str, sizes: Mapping[str, int]) -> tuple[str, int, str]:
    """Return name, size and time of change of a file in a folder `path`, or in a zip of it.

    Raises
    ------
    BadProduct
        It is gone, or of another size than is known.
    """
    file = path / name if path.is_dir() else path
    try:
        found = file.stat()
    except OSError as error:
        raise BadProduct(f"{file} cannot be read: {error.strerror or error}") from error
    if path.is_dir() and found.st_size != sizes.get(name, found.st_size):
        raise BadProduct(
            f"{file} has {found.st_size} bytes and not the {sizes[name]} that are known of it",
            hint="scan the archive again",
        )
    return name, sizes.get(name, found.st_size), str(found.st_mtime_ns)


def _leader_stamp(leader: Path | None) -> list[tuple[str, int, str]]:
    if leader is None:
        return []
    found = leader.stat()
    return [(f"leader {leader.name}", found.st_size, str(found.st_mtime_ns))]


def _fingerprint(stamps: Sequence[tuple[str, int, str]]) -> str:
    text = "\n".join(f"{name} {size} {stamp}" for name, size, stamp in sorted(stamps))
    return hashlib.sha256(text.encode(), usedforsecurity=False).hexdigest()[:_FINGERPRINT_LETTERS]


def _moment(text: str) -> datetime:
    whole, rest = divmod(unix_us(text), _US)
    return datetime.fromtimestamp(whole, timezone.utc).replace(microsecond=rest)
