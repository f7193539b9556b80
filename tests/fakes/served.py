"""A real server on loopback in a thread, and a small archive that is made up in a moment."""

from __future__ import annotations

import copy
import io
import json
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.applications import Starlette

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.web.options import ServeOptions
from alos2.web.serve import Server, listen

GOLDEN = Path(__file__).parents[1] / "golden" / "dataset"
SLC, GEOTIFF, CEOS, SCAN = (
    "ALOS2043672900-150315-FBDR1.1__A",
    "ALOS2146686640-170209-FBDR2.1GUD",
    "ALOS2000870544-140801-UBSL1.5RPD-ceos",
    "ALOS2478123150-230330-WBDR1.1__D",
)
"""Ids of the golden items: over Japan, Chile, across the antimeridian, over Japan."""
CYCLE = timedelta(days=14)
GREY = 128
"""Of the one tile of each made-up layer."""
ZOOM = 3


@contextmanager
def served(app: Starlette, options: ServeOptions | None = None) -> Iterator[str]:
    """Run an application on a free port of loopback, and give its address."""
    chosen = options or ServeOptions(port=0)
    ready = threading.Event()
    with listen(ServeOptions(host=chosen.host, port=0)) as taken:
        server = Server(app, chosen, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        assert ready.wait(20), "the server did not start"
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "the server did not stop"


def golden(name: str) -> dict[str, Any]:
    """One of the items that the documents' tests hold on to."""
    item: dict[str, Any] = json.loads((GOLDEN / f"{name}.stac.json").read_text("utf-8"))
    return item


def variant(item: dict[str, Any], number: int, *, east_deg: float = 0.0) -> dict[str, Any]:
    """The same scene `number` cycles of 14 days later, and so many degrees further east."""
    made = copy.deepcopy(item)
    said = made["properties"]
    orbit = int(said["alos2:orbit"]) + 207 * number
    day = datetime.fromisoformat(said["datetime"].replace("Z", "+00:00")) + CYCLE * number
    scene = f"ALOS2{orbit:05d}{said['alos2:frame']}-{day:%y%m%d}"
    text = json.dumps(made).replace(said["alos2:scene"], scene)
    made = json.loads(text)
    said = made["properties"]
    for key in ("datetime", "start_datetime", "end_datetime"):
        when = datetime.fromisoformat(said[key].replace("Z", "+00:00")) + CYCLE * number
        said[key] = when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said["alos2:orbit"], said["sat:absolute_orbit"] = f"{orbit:05d}", orbit
    said["alos2:tags"] = ["flood"] if number == 1 else []
    if said.get("sat:orbit_state_vectors"):
        said["sat:orbit_state_vectors"] = vectors(day, 35.4, 134.5 - 0.001 * number)
    if east_deg:
        ring = made["geometry"]["coordinates"][0]
        made["geometry"]["coordinates"] = [[[x + east_deg, y] for x, y in ring]]
        west, south, east, north = made["bbox"]
        made["bbox"] = [west + east_deg, south, east + east_deg, north]
    return made


def vectors(middle: datetime, lat_deg: float, lon_deg: float) -> dict[str, list[float]]:
    """State vectors, a minute apart, of a circle that goes north over a place at its middle."""
    radius_m, turn_rad_s, slope = 7_007_000.0, 1.0763e-3, math.radians(97.9)
    along = math.asin(math.sin(math.radians(lat_deg)) / math.sin(slope))
    node = math.radians(lon_deg) - math.atan2(math.sin(along) * math.cos(slope), math.cos(along))
    found = {}
    for minute in range(-7, 8):
        u = along + turn_rad_s * 60 * minute
        state = []
        for cos_u, sin_u, size in (
            (math.cos(u), math.sin(u), radius_m),
            (-math.sin(u), math.cos(u), radius_m * turn_rad_s),
        ):
            x, y = cos_u, sin_u * math.cos(slope)
            state += [
                size * (x * math.cos(node) - y * math.sin(node)),
                size * (x * math.sin(node) + y * math.cos(node)),
                size * sin_u * math.sin(slope),
            ]
        when = middle + timedelta(minutes=minute)
        found[when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")] = state
    return found


def png(grey: int) -> bytes:
    """A grey tile without holes."""
    file = io.BytesIO()
    Image.new("L", (256, 256), grey).save(file, "PNG")
    return file.getvalue()


def lay(archive: Path, item: dict[str, Any]) -> Path:
    """Write a dataset's folder: its item, pictures, and one tile of its first layer."""
    name = item["id"]
    folder = archive / name
    folder.mkdir(parents=True)
    (folder / f"{name}.stac.json").write_text(json.dumps(item, indent=1), "utf-8")
    for asset in item["assets"].values():
        href = asset["href"].removeprefix("./")
        if href.endswith(".png"):
            (folder / href).write_bytes(png(90))
        elif href.endswith(".json") and not (folder / href).exists():
            (folder / href).write_text("{}", "utf-8")
        elif href.endswith(".zip"):
            (folder / href).write_bytes(bytes(range(256)) * 1200)
    for layer in item["properties"].get("alos2:tiles") or ():
        place = folder / layer["path"] / str(ZOOM) / "2"
        place.mkdir(parents=True)
        # Row 4 from the north is row 3 from the south.
        (place / ("3.png" if layer["scheme"] == "tms" else "4.png")).write_bytes(png(GREY))
    return folder


def small_archive(archive: Path) -> list[dict[str, Any]]:
    """Make an archive of 24 datasets, with its catalogue; return their items."""
    items = [variant(golden(SLC), number) for number in range(8)]
    items += [variant(golden(GEOTIFF), number, east_deg=0.1 * number) for number in range(8)]
    items += [variant(golden(CEOS), number) for number in range(4)]
    items += [variant(golden(SCAN), number) for number in range(4)]
    for item in items:
        lay(archive, item)
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert len(catalogue) == len(items)
    return items


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
