"""The STAC item of a finished stack, and the documents that are derived from it for HySDS.

A stack's id is the same for the same scenes and parameters: path, frames, mode, look side and pass,
first and last day, and eight letters of a SHA-256 over the products and what was done to them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final

from alos2 import __version__
from alos2.dataset.assets import file_asset
from alos2.dataset.fields import LOOK_WORDS, PASS_WORDS
from alos2.dataset.grq import dataset_json, times
from alos2.dataset.identity import DATASET_VERSION
from alos2.dataset.jsontext import json_bytes, plain, plain_geometry
from alos2.dataset.stac import STAC_VERSION
from alos2.dataset.times import utc_text
from alos2.dataset.validate import extension_uri, validate_item
from alos2.geometry.rings import bbox
from alos2.product.model import MapGrid
from alos2.stack.planning.model import Track
from alos2.stack.running.keys import canonical
from alos2.types import Json

TYPE: Final = "alos2_stack"
DATASET: Final = "ALOS2-STACK"
_HASH_LETTERS: Final = 8
_TYPES: Final = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".vrt": "application/xml",
    ".png": "image/png",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".nc": "application/x-netcdf",
    ".json": "application/json",
}
_OTHERS: Final = (
    (".blink.gif", "blink", "First and last date, in turn", "visual"),
    (".gif", "animation-gif", "All dates, one after the other", "visual"),
    (".mp4", "animation-mp4", "All dates, one after the other", "visual"),
    (".browse.png", "overview", "Mean over time", "overview"),
    (".browse_small.png", "thumbnail", "Mean over time, small", "thumbnail"),
    (".png", "", "First and last date", "overview"),
    (".vrt", "", "All of them as bands of one file", "data virtual"),
)
"""End of the name, key (empty: of the name), title and roles."""
_DATE: Final = re.compile(r"(\d{8}(?:T\d{6})?(?:-\d+)?(?:-\d{8})?)\.bs\.(HH|HV|VH|VV)\.tif")
_METRIC: Final = re.compile(r"bs\.(HH|HV|VH|VV)\.([a-z0-9_]+)\.(tif|png)")


@dataclass(frozen=True)
class StackContent:
    """What a dataset of a stack is about."""

    tracks: tuple[Track, ...]
    """One; of a mosaic all."""
    is_mosaic: bool
    dates: tuple[datetime, ...]
    """Of the acquisitions that are in it, by time, UTC."""
    scenes: tuple[str, ...]
    """Scenes and products that are in it."""
    without: tuple[str, ...]
    """Acquisitions that failed."""
    polarizations: tuple[str, ...]
    geometry: Json
    grid: MapGrid
    parameters: Json
    """What was done: by step its version and parameters."""
    files: Mapping[str, tuple[int, str]]
    """Size and SHA-256 of all files, by their names in the dataset."""
    created: datetime


def dataset_id(content: StackContent) -> str:
    """Return the id of a stack."""
    said = {"scenes": sorted(content.scenes), "parameters": content.parameters}
    digest = hashlib.sha256(canonical(said)).hexdigest()[:_HASH_LETTERS]
    days = f"{content.dates[0]:%Y%m%d}-{content.dates[-1]:%Y%m%d}"
    if content.is_mosaic:
        paths = sorted({track.path for track in content.tracks})
        return f"{DATASET}-MOSAIC-{_span([f'P{path:03}' for path in paths])}-{days}-{digest}"
    (track,) = content.tracks
    frames = _span([f"F{frame}" for frame in sorted(track.frames)])
    sides = f"{track.look}{track.pass_direction}"
    return f"{DATASET}-P{track.path:03}-{frames}-{track.mode}-{sides}-{days}-{digest}"


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}_{names[-1]}"


def documents(content: StackContent) -> dict[str, bytes]:
    """Return the documents of a stack's dataset, by name: the valid item and those for HySDS.

    Raises
    ------
    BadDocument
        The item does not keep to the schemas: a fault of ours.
    """
    name = dataset_id(content)
    item = _item(name, content)
    derived = {
        f"{name}.dataset.json": json_bytes(dataset_json(item)),
        f"{name}.met.json": json_bytes(_met(item)),
    }
    for key, (file, data) in zip(("dataset", "met"), derived.items(), strict=True):
        item["assets"][key] = file_asset(
            file,
            len(data),
            hashlib.sha256(data).hexdigest(),
            "application/json",
            title=f"HySDS {'dataset' if key == 'dataset' else 'metadata'} document",
            roles=["metadata"],
        )
    validate_item(item)
    return {**derived, f"{name}.stac.json": json_bytes(item)}


def _item(name: str, content: StackContent) -> Json:
    geometry = plain_geometry(content.geometry)
    names = ("sar", "sat", "projection", "processing", "file")
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": sorted(extension_uri(each) for each in names),
        "id": name,
        "geometry": geometry,
        "bbox": [round(float(value), 8) + 0.0 for value in bbox(geometry)],
        "properties": plain({**_common(name, content), **_own(content)}),
        "links": [],
        "assets": dict(_assets(content)),
    }


def _common(name: str, content: StackContent) -> Json:
    first, last = content.dates[0], content.dates[-1]
    track = content.tracks[0]
    lines, pixels = content.grid.shape
    a, b, c, d, e, f = content.grid.transform
    what = "mosaics" if content.is_mosaic else "time series"
    code = {} if content.grid.epsg is not None else {"proj:wkt2": content.grid.crs_wkt}
    same: dict[str, set[Any]] = {
        "sar:observation_direction": {LOOK_WORDS[one.look] for one in content.tracks},
        "sat:orbit_state": {PASS_WORDS[one.pass_direction] for one in content.tracks},
        "sat:relative_orbit": {one.path for one in content.tracks},
    }
    return {
        "datetime": utc_text(first + (last - first) / 2),
        "start_datetime": utc_text(first),
        "end_datetime": utc_text(last),
        "created": utc_text(content.created),
        "title": name,
        "description": (
            f"ALOS-2 PALSAR-2 {what} of {len(content.dates)} acquisitions, {track.mode} "
            f"({'/'.join(content.polarizations)}), "
            f"{', '.join(one.name for one in content.tracks)}, with statistics over time"
        ),
        "keywords": ["ALOS-2", "PALSAR-2", "SAR", "L-band", "time series", "timescan"],
        "license": "other",
        "platform": "alos-2",
        "constellation": "alos",
        "instruments": ["palsar-2"],
        "gsd": abs(a),
        "sar:instrument_mode": track.mode,
        "sar:frequency_band": "L",
        "sar:polarizations": list(content.polarizations),
        **{key: next(iter(values)) for key, values in same.items() if len(values) == 1},
        "proj:code": None if content.grid.epsg is None else f"EPSG:{content.grid.epsg}",
        **code,
        "proj:shape": [lines, pixels],
        "proj:transform": [a, b, c, d, e, f],
        "processing:level": "L3",
        "processing:software": {"alos2-ingest": __version__},
    }


def _own(content: StackContent) -> Json:
    """Return what no extension has a place for."""
    track = content.tracks[0]
    one = not content.is_mosaic
    return {
        "alos2:version": DATASET_VERSION,
        "alos2:type": TYPE,
        "alos2:dataset": DATASET,
        "alos2:kind": "track" if one else "mosaic",
        "alos2:track": track.name if one else None,
        "alos2:tracks": [each.name for each in content.tracks],
        "alos2:path": track.path if one else None,
        "alos2:frame": track.frames[0] if one and len(track.frames) == 1 else None,
        "alos2:frames": sorted({frame for each in content.tracks for frame in each.frames}),
        "alos2:look": track.look if one else None,
        "alos2:pass": track.pass_direction if one else None,
        "alos2:off_nadir_deg": track.off_nadir_deg if one else None,
        "alos2:dates": [utc_text(when) for when in content.dates],
        "alos2:scenes": list(content.scenes),
        "alos2:without": list(content.without),
        "alos2:metrics": _metrics(content.files),
        "alos2:parameters": content.parameters,
        "alos2:tags": [],
    }


def _metrics(files: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in files:
        match = _METRIC.fullmatch(PurePosixPath(name).name)
        if match is not None and match[3] == "tif":
            found.setdefault(match[1], []).append(match[2])
    return found


def _assets(content: StackContent) -> Iterator[tuple[str, Json]]:
    """Yield an asset for each file that somebody may want by its name."""
    for name, (size, digest) in content.files.items():
        path = PurePosixPath(name)
        media = _TYPES.get(path.suffix)
        if media is None or ".zarr/" in name:
            continue
        key, title, roles, more = _about(path)
        yield key, file_asset(name, size, digest, media, title=title, roles=roles, **more)


def _about(path: PurePosixPath) -> tuple[str, str, list[str], Json]:
    """Return key, title, roles and further fields of a file's asset."""
    if match := _DATE.fullmatch(path.name):
        date, pol = match.groups()
        more = {"sar:polarizations": [pol]}
        return f"{date}-{pol}".lower(), f"{pol} of {date}", ["data"], more
    if match := _METRIC.fullmatch(path.name):
        pol, metric, form = match.groups()
        more = {"sar:polarizations": [pol]}
        if form == "tif":
            return f"{metric}-{pol.lower()}", f"{pol}, {metric} over time", ["data"], more
        return f"quicklook-{metric}-{pol.lower()}", f"{pol}, {metric}", ["overview"], more
    stem = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")
    for end, key, title, roles in _OTHERS:
        if path.name.endswith(end):
            return key or stem, title, roles.split(), {}
    return stem, path.name, ["data"], {}


def _met(item: Json) -> Json:
    """Return met.json: names as in those of scenes, where there is the like."""
    properties = item["properties"]
    own = {
        key.partition(":")[2]: value
        for key, value in properties.items()
        if key.startswith("alos2:")
    }
    start, end = times(item)
    return {
        "prod_name": item["id"],
        "spacecraftName": "ALOS2",
        "platform": "ALOS2",
        "dataset_type": "ALOS2",
        "trackNumber": own["path"],
        "lookDirection": properties.get("sar:observation_direction"),
        "direction": properties.get("sat:orbit_state"),
        "level": properties["processing:level"],
        "location": item["geometry"],
        "starttime": start,
        "endtime": end,
        "mode": properties["sar:instrument_mode"],
        "polarizations": properties["sar:polarizations"],
        "epsg": _epsg(properties),
        "created": properties["created"],
        "software": properties["processing:software"],
        **own,
    }


def _epsg(properties: Json) -> int | None:
    code = properties.get("proj:code")
    return int(code.partition(":")[2]) if code else None
