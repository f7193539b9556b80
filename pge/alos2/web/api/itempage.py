"""An item's page: what the STAC item says, in groups, with words and units for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from alos2.types import Json
from alos2.web.layers import layers_of
from alos2.web.stac.links import Links
from alos2.web.stac.render import collection_of

_GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str, str | None], ...]], ...]] = (
    (
        "Scene",
        (
            ("Level", "alos2:level", None),
            ("Format", "alos2:format", None),
            ("Mode", "sar:instrument_mode", None),
            ("Polarisations", "sar:polarizations", None),
            ("Beams", "alos2:beams", None),
            ("Pass", "sat:orbit_state", None),
            ("Looks to the", "sar:observation_direction", None),
            ("Path", "alos2:path", None),
            ("Frame", "alos2:frame", None),
            ("Orbit", "alos2:orbit", None),
            ("Scene id", "alos2:scene", None),
            ("Product id", "alos2:product", None),
        ),
    ),
    (
        "Time",
        (
            ("Scene centre", "datetime", "UTC"),
            ("First line", "start_datetime", "UTC"),
            ("Last line", "end_datetime", "UTC"),
            ("Processed by JAXA", "alos2:processed", "UTC"),
            ("Dataset made", "created", "UTC"),
        ),
    ),
    (
        "Geometry",
        (
            ("Off-nadir angle", "view:off_nadir", "°"),
            ("Incidence angle, centre", "view:incidence_angle", "°"),
            ("Azimuth of the look", "view:azimuth", "°"),
            ("Heading", "alos2:sensor.heading_deg", "°"),
            ("Map projection", "proj:code", None),
            ("Lines, pixels", "proj:shape", None),
            ("Line spacing", "sar:pixel_spacing_azimuth", "m"),
            ("Pixel spacing", "sar:pixel_spacing_range", "m"),
            ("Resolution, azimuth", "sar:resolution_azimuth", "m"),
            ("Resolution, range", "sar:resolution_range", "m"),
            ("On the map by", "alos2:mapped_by", None),
            ("Height of the map", "alos2:map_height_m", "m"),
        ),
    ),
    (
        "Radar",
        (
            ("Centre frequency", "sar:center_frequency", "GHz"),
            ("Bandwidth", "sar:bandwidth", "GHz"),
            ("Wavelength", "alos2:sensor.wavelength_m", "m"),
            ("Pulse repetition frequency", "alos2:sensor.prf_hz", "Hz"),
            ("Range sampling rate", "alos2:sensor.sampling_rate_hz", "Hz"),
            ("Doppler, centre", "alos2:sensor.doppler_hz", "Hz"),
            ("Looks, range", "sar:looks_range", None),
            ("Looks, azimuth", "sar:looks_azimuth", None),
        ),
    ),
    (
        "Processing",
        (
            ("Facility", "processing:facility", None),
            ("Software", "alos2:processing.software_version", None),
            ("Resampling", "alos2:processing.resampling", None),
            ("Elevation model", "alos2:processing.dem", None),
            ("Orbit data", "alos2:processing.orbit_precision", None),
            ("Calibration factor", "alos2:calibration.factor_db", "dB"),
            ("Calibration said by", "alos2:calibration.source", None),
            ("Lineage", "processing:lineage", None),
        ),
    ),
    (
        "Source",
        (
            ("Provider", "alos2:source.provider", None),
            ("Order", "alos2:source.order_id", None),
            ("Emergency request", "alos2:source.eor_id", None),
            ("Data id", "alos2:source.data_id", None),
            ("Title", "alos2:source.title", None),
            ("Address", "alos2:source.url", None),
            ("Retrieved", "alos2:source.retrieved", "UTC"),
            ("SHA-256 of the delivery", "alos2:source.sha256", None),
            ("Files stay at", "alos2:stays_at", None),
        ),
    ),
)
"""Name of a group, and its rows: words, property (a dot goes into an object), unit."""

_MULTIHASH: Final = "1220"


def item_page(item: Json, links: Links, stack: str | None) -> Json:
    """Return what the page shows of an item."""
    said = item.get("properties") or {}
    name = str(item["id"])
    version = quote(str(said.get("created") or ""), safe="")
    return {
        "id": name,
        "title": said.get("title") or name,
        "description": said.get("description"),
        "datetime": said.get("datetime"),
        "start": said.get("start_datetime"),
        "end": said.get("end_datetime"),
        "bbox": item.get("bbox"),
        "geometry": item.get("geometry"),
        "pass": said.get("alos2:pass"),
        "look": said.get("alos2:look"),
        "path": said.get("alos2:path"),
        "frame": said.get("alos2:frame"),
        "mode": said.get("sar:instrument_mode"),
        "level": said.get("alos2:level"),
        "kind": said.get("alos2:type"),
        "pols": " ".join(said.get("sar:polarizations") or ()),
        "stack": stack,
        "groups": groups(said),
        "files": files(item, links),
        "product_files": [
            {key: one.get(key) for key in ("name", "size", "sha256", "kind")}
            for one in said.get("alos2:files") or ()
        ],
        "footprint": said.get("alos2:footprint"),
        "layers": layer_list(item, links.base, version),
        "browse": browse(item, links),
        "source": said.get("alos2:source"),
        "tags": said.get("alos2:tags") or [],
        "problems": said.get("alos2:problems") or [],
        "notes": said.get("alos2:picture_notes") or [],
        "collection": collection_of(item),
        "stac": links.item(collection_of(item), name),
    }


def groups(said: Json) -> list[Json]:
    """Return the properties in groups; what is not known is left out, and so are empty groups."""
    made = []
    for title, wanted in _GROUPS:
        rows = [
            [label, text, unit]
            for label, path, unit in wanted
            if (text := _text(_at(said, path))) is not None
        ]
        if rows:
            made.append({"name": title, "rows": rows})
    return made


def files(item: Json, links: Links) -> list[Json]:
    """Return the files in the dataset's folder, with their addresses."""
    base = links.files(str(item["id"]))
    made = []
    for key, asset in (item.get("assets") or {}).items():
        href = str(asset.get("href", ""))
        local = href.startswith("./")
        checksum = str(asset.get("file:checksum") or "")
        made.append(
            {
                "name": href.removeprefix("./"),
                "href": base + quote(href[2:]) if local else href,
                "size": asset.get("file:size"),
                "sha256": checksum[len(_MULTIHASH) :] if checksum.startswith(_MULTIHASH) else None,
                "kind": key,
                "title": asset.get("title"),
                "type": asset.get("type"),
            }
        )
    return made


def browse(item: Json, links: Links) -> list[Json]:
    """Return the pictures: title, address of the large one, address of the small one."""
    assets = item.get("assets") or {}
    base = links.files(str(item["id"]))
    made = []
    for key, asset in assets.items():
        if not key.startswith("overview-"):
            continue
        small = assets.get(key.replace("overview-", "thumbnail-", 1), asset)
        href, thumbnail = (
            base + quote(str(one.get("href", "")).removeprefix("./")) for one in (asset, small)
        )
        made.append({"title": asset.get("title"), "href": href, "thumbnail": thumbnail})
    return made


def layer_list(item: Json, base: str, version: str) -> list[Json]:
    """Return the layers of map tiles; rows of all of them count from the north."""
    dataset = quote(str(item["id"]), safe="")
    return [
        {
            "name": layer.name,
            "url": f"{base}/tiles/{dataset}/{quote(layer.name, safe='')}/{{z}}/{{x}}/{{y}}.png"
            f"?v={version}",
            "scheme": "xyz",
            "min_zoom": layer.min_zoom,
            "max_zoom": layer.max_zoom,
            "native_zoom": layer.facts.get("native_zoom"),
            "bounds": layer.facts.get("bounds"),
            "channels": layer.facts.get("channels") or [],
            "notes": layer.facts.get("notes") or [],
        }
        for layer in layers_of(item).values()
    ]


def _at(said: Json, path: str) -> Any:
    """Return the property at a path; colons are part of names, a dot goes into an object."""
    head, _, rest = path.partition(".")
    value = said.get(head)
    return value.get(rest) if rest and isinstance(value, dict) else None if rest else value


def _text(value: Any) -> str | None:
    if value is None or value in ("", []):
        return None
    if isinstance(value, (list, tuple)):
        return _joined(value)
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value)


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values)
