"""Deliveries as steps need them: products whose files lie on the disk.

What lies in a folder is used where it lies. A zip is unpacked into the task's scratch folder, which
is removed with the task; as many are unpacked at a time as tasks are at work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from alos2.archive.members import FileMember
from alos2.archive.unpack import unpack
from alos2.errors import BadProduct, NoProduct
from alos2.product.model import Product
from alos2.product.recognise import products_from, recognise
from alos2.stack.planning.model import PlannedScene
from alos2.types import Json


def scene_json(scene: PlannedScene) -> Json:
    """Return where a planned scene lies, as plain JSON."""
    return {
        "scene": scene.scene,
        "product": scene.product,
        "format": scene.format,
        "path": str(scene.path),
        "leader": None if scene.leader is None else str(scene.leader),
        "files": list(scene.files),
    }


@contextmanager
def unpacked_products(scenes: Sequence[Json], scratch: Path) -> Iterator[list[Product]]:
    """Give the products of scenes, all their files on the disk.

    Parameters
    ----------
    scenes : sequence of dict
        As `scene_json` gives them.
    scratch : Path
        Takes what has to be unpacked.

    Raises
    ------
    BadProduct, BadArchive
        One is there no more, or cannot be read.
    NoSpace
        The disk is too small to unpack it.
    """
    with ExitStack() as stack:
        yield [_product(scene, scratch / f"{n}", stack) for n, scene in enumerate(scenes)]


def _product(scene: Json, scratch: Path, stack: ExitStack) -> Product:
    path = Path(scene["path"])
    leader = None if scene["leader"] is None else Path(scene["leader"])
    if not path.exists():
        raise _gone(scene)
    if scene["files"]:
        files = [path / name for name in scene["files"]]
        if not all(file.is_file() for file in files):
            raise _gone(scene)
        members = [FileMember.of(file) for file in files]
        return _same(products_from(members, place=str(path), leader=leader), scene)
    if path.is_file():
        unpack(path, scratch)
        path = scratch
    tree = stack.enter_context(recognise(path, leader=leader))
    product = _same(tree.products, scene)
    if all(file.path is not None for file in product.files):
        return product
    # A folder that holds zips: only the one with this product is unpacked.
    archives = {file.member.path.partition("!")[0] for file in product.files}
    for number, archive in enumerate(sorted(archives)):
        unpack(Path(archive), scratch / f"inner-{number}")
    inner = stack.enter_context(recognise(scratch, leader=leader))
    return _same(inner.products, scene)


def _same(products: Sequence[Any], scene: Json) -> Product:
    wanted = (scene["scene"], scene["product"], scene["format"])
    for product in products:
        if (str(product.scene), str(product.product), product.format) == wanted:
            found: Product = product
            return found
    raise _gone(scene)


def _gone(scene: Json) -> BadProduct:
    name = f"{scene['scene']}-{scene['product']} ({scene['format']})"
    return NoProduct(
        f"{scene['path']} holds no {name} any more",
        hint="run the same command again: the plan is made anew",
    )
