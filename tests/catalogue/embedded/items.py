"""STAC items of scenes that nobody took: small, and such as our own are in what is searched by."""

from __future__ import annotations

import json
import math
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from alos2.geometry.rings import bbox, footprint_geometry
from alos2.naming import SceneId
from alos2.types import LonLat

MODES = ("FBD", "FBS", "UBS", "WBD", "HBQ")
POLS = {"FBD": ["HH", "HV"], "FBS": ["HH"], "UBS": ["HH"], "WBD": ["HH", "HV"]}
TAGS = ("flood", "Fiji", "quake", "Nepal 2015", "étude")
OFF_NADIR = (None, 28.2, 32.5, 36.6)
FIRST_DAY = datetime(2014, 8, 1, tzinfo=timezone.utc)


def utc(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def outline(lon: float, lat: float, *, width_deg: float, tilt_deg: float) -> dict[str, Any]:
    """A tilted square round a place, cut at the antimeridian where it has to be."""
    tilt = math.radians(tilt_deg)
    corners = []
    for x, y in ((-1, 1), (-1, -1), (1, -1), (1, 1)):
        dx, dy = x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)
        corners.append(LonLat(lon + width_deg * dx, lat + width_deg * dy))
    return footprint_geometry(corners)


def make_item(number: int, seed: int = 0) -> dict[str, Any]:
    """Item `number` of a world of `seed`: always the same."""
    chance = random.Random(f"{seed}-{number}")
    # Half of them round one place, of the others some at the antimeridian.
    lon, lat = chance.choice([(138.0, 35.0), (138.0, 35.0), (180.0, -17.0), (-60.0, 70.0)])
    lon, lat = lon + chance.uniform(-4, 4), lat + chance.uniform(-4, 4)
    mode = chance.choice(MODES)
    level = chance.choice(["1.1", "1.5", "2.1"])
    is_right, is_ascending = chance.random() < 0.8, chance.random() < 0.5
    middle = FIRST_DAY + timedelta(seconds=chance.uniform(0, 3000 * 86400))
    scene = SceneId(f"{1000 + number:05d}", f"{chance.choice((700, 710, 2900)):04d}", middle.date())
    product = (
        f"{mode}{'R' if is_right else 'L'}{level}{'__' if level == '1.1' else 'GU'}"
        f"{'A' if is_ascending else 'D'}"
    )
    return scene_item(
        f"{scene}-{product}{chance.choice(['', '-md'])}",
        scene=scene,
        level=level,
        mode=mode,
        look="R" if is_right else "L",
        direction="A" if is_ascending else "D",
        middle=middle,
        lasts_s=chance.choice([0.0, 10.0, 52.0]),
        geometry=outline(
            lon, lat, width_deg=chance.uniform(0.1, 1.5), tilt_deg=chance.uniform(0, 90)
        ),
        off_nadir=chance.choice(OFF_NADIR),
        tags=chance.sample(TAGS, chance.randrange(3)),
    )


def scene_item(
    name: str,
    *,
    scene: SceneId,
    level: str = "1.1",
    mode: str = "FBD",
    look: str = "R",
    direction: str = "A",
    middle: datetime,
    lasts_s: float = 10.0,
    geometry: dict[str, Any],
    off_nadir: float | None = 28.2,
    tags: list[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    kind = {"1.1": ("alos2_slc", "ALOS2-L1.1-SLC")}.get(
        level, (f"L{level}_geotiff", "ALOS2_GeoTIFF")
    )
    ending = ("_md", "-MD") if name.endswith("-md") else ("", "")
    half = timedelta(seconds=lasts_s / 2)
    properties: dict[str, Any] = {
        "datetime": utc(middle),
        **(
            {"start_datetime": utc(middle - half), "end_datetime": utc(middle + half)}
            if half
            else {}
        ),
        "created": "2026-11-20T12:34:56.789000Z",
        "title": name,
        "keywords": ["SAR", *(tags or [])],
        "sar:instrument_mode": mode,
        "sar:polarizations": POLS.get(mode, ["HH", "HV", "VH", "VV"]),
        "sat:orbit_state": {"A": "ascending", "D": "descending"}[direction],
        "view:off_nadir": off_nadir,
        "alos2:type": kind[0] + ending[0],
        "alos2:dataset": kind[1] + ending[1],
        "alos2:scene": str(scene),
        "alos2:level": level,
        "alos2:format": "ceos" if level == "1.1" else "geotiff",
        "alos2:look": look,
        "alos2:pass": direction,
        "alos2:orbit": scene.orbit,
        "alos2:frame": scene.frame,
        "alos2:path": scene.path,
        "alos2:tags": list(tags or []),
        "alos2:source": {"provider": "url", "order_id": None},
        "alos2:files": [],
        **more,
    }
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": name,
        "geometry": geometry,
        "bbox": bbox(geometry),
        "properties": {key: value for key, value in properties.items() if value is not None},
        "links": [],
        "assets": {},
    }


def write_dataset(archive: Path, item: dict[str, Any]) -> Path:
    """Lay a dataset's folder as ingest does: hidden first, then renamed."""
    folder = archive / item["id"]
    fresh = archive / f".{item['id']}.new-1"
    fresh.mkdir(parents=True)
    for suffix in ("dataset", "met"):
        (fresh / f"{item['id']}.{suffix}.json").write_text("{}", "utf-8")
    (fresh / f"{item['id']}.stac.json").write_text(json.dumps(item), "utf-8")
    fresh.rename(folder)
    return folder
