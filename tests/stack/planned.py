"""Scenes that nobody took, such as an inventory finds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from alos2.naming import SceneId
from alos2.stack.planning.model import PlannedScene
from catalogue.embedded.items import outline, scene_item

FRAME_DEG = 0.5
"""From the middle of a frame to that of the next one; they are 0.6 degrees wide."""
FRAME_S = 10.0


@dataclass(frozen=True)
class Fleet:
    """Deliveries; nobody may write into them."""

    folder: Path
    """Three dates of two frames, the second without its second frame; one scene as level 1.1
    too."""
    archive: Path
    """Datasets of metadata of all of them, catalogued."""
    dates: tuple[date, ...]


def orbit_on(path: int, number: int) -> str:
    """Return an orbit of a path, the `number`-th repeat."""
    first = next(o for o in range(20000, 20207) if (14 * o + 24) % 207 == path % 207)
    return f"{first + 207 * number:05d}"


def planned(
    number: int = 0,
    frame: int = 680,
    *,
    path: int = 126,
    level: str = "2.1",
    form: str = "geotiff",
    mode: str = "FBD",
    look: str = "R",
    direction: str = "A",
    off_nadir: float | None = 28.6,
    at: tuple[float, float] = (138.0, 35.0),
    aside: tuple[float, float] = (0.0, 0.0),
    pols: tuple[str, ...] = ("HH", "HV"),
    later_s: float = 0.0,
    lasts_s: float = 11.0,
    where: str = "/data",
    **more: Any,
) -> PlannedScene:
    """Return a delivery of the scene of repeat `number` and of `frame`."""
    steps = (frame - 680) / 10
    middle = datetime(2020, 6, 15, 3, 0, tzinfo=timezone.utc) + timedelta(
        days=14 * number, seconds=steps * FRAME_S + later_s
    )
    scene = SceneId(orbit_on(path, number), f"{frame:04d}", middle.date())
    ending = "__" if level == "1.1" else "GU"
    product = f"{mode}{look}{level}{ending}{direction}"
    lon, lat = at[0] + aside[0], at[1] + FRAME_DEG * steps + aside[1]
    item = scene_item(
        f"{scene}-{product}",
        scene=scene,
        level=level,
        mode=mode,
        look=look,
        direction=direction,
        middle=middle,
        lasts_s=lasts_s,
        geometry=outline(lon, lat, width_deg=0.3, tilt_deg=0.0),
        off_nadir=off_nadir,
        **{"alos2:product": product, "alos2:format": form, "sar:polarizations": list(pols), **more},
    )
    return PlannedScene(
        scene=str(scene),
        product=product,
        path=Path(where) / f"{scene}-{product}",
        leader=None,
        when=middle,
        level=level,
        format=form,  # type: ignore[arg-type]
        polarizations=pols,  # type: ignore[arg-type]
        frame=scene.frame,
        geometry=item["geometry"],
        item=item,
        files=(f"LED-{scene}-{product}",) if form == "ceos" else (f"IMG-HH-{scene}-{product}",),
        fingerprint=f"{where}-{scene}-{product}",
    )


def later(scene: PlannedScene, seconds: float) -> PlannedScene:
    return replace(scene, when=scene.when + timedelta(seconds=seconds))
