"""Deliveries: the nested zips in which AUIG2 hands out an order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alos2.archive.zipwrite import write_zip
from alos2.naming import DeliveryName
from alos2.simulate.scene import Scene

_ITEM: Final = "001001"


def order_number(scene: Scene) -> str:
    """Ten digits, from the seed; in stacks also from orbit and frame."""
    number = scene.spec.seed
    if scene.spec.speckle_by_date:
        number += 10 * int(scene.flight.scene.orbit + scene.flight.scene.frame)
    return f"{number % 10**10:010d}"


def pack_auig2(scene: Scene, folder: Path, files: list[str]) -> Path:
    """Pack `folder`/product: ``<order>.zip`` holds ``<order>_<item>_<scene>.zip``, that the files.

    Parameters
    ----------
    scene : Scene
        Names the inner zip.
    folder : Path
        Where ``product`` lies and the zips are made.
    files : list of str
        Names of the product's files.

    Returns
    -------
    Path
        The outer zip; the same product gives the same bytes.

    Raises
    ------
    NoSpace, NoResource
        The zips cannot be written.
    """
    order = order_number(scene)
    inner = folder / str(DeliveryName(scene.flight.scene, order, _ITEM))
    outer = folder / f"{order}.zip"
    write_zip([(folder / "product" / name, name) for name in files], inner)
    write_zip([(inner, inner.name)], outer)
    inner.unlink()
    return outer
