"""met.json: what HySDS's catalogue can be searched by. Derived from the STAC item.

The first part keeps the names, types and spellings of the reference suite, whose facets and saved
searches go on working: ``dfdn.AcquistionMode`` is spelled like that there. Its defects are mended:
path 207 is not 0, times end in Z, no URL holds a secret, tiles are those that are there.
docs/dataset.md has a table of all keys.
"""

from __future__ import annotations

from typing import Any

from alos2.dataset.grq import times
from alos2.types import Json


def met_json(item: Json) -> Json:
    """Return met.json of a STAC item.

    Parameters
    ----------
    item : Json
        As `stac.build_stac` makes it.
    """
    properties = item["properties"]
    own = {
        key.partition(":")[2]: value
        for key, value in properties.items()
        if key.startswith("alos2:")
    }
    return {**_legacy(item, properties, own), **_new(properties, own)}


def _legacy(item: Json, properties: Json, own: Json) -> Json:
    start, end = times(item)
    legacy = {
        "prod_name": item["id"],
        "spacecraftName": "ALOS2",
        "platform": "ALOS2",
        "dataset_type": "ALOS2",
        "orbitNumber": int(own["orbit"]),
        "frameID": int(own["frame"]),
        "trackNumber": own["path"],
        "prod_date": own["date"],
        "dfdn": {
            "AcquistionMode": properties["sar:instrument_mode"],
            "LookSide": own["look"],
        },
        "lookDirection": properties["sar:observation_direction"],
        "level": properties["processing:level"],
        "processingOption": own["option"],
        "mapProjection": own["projection"],
        "direction": properties["sat:orbit_state"],
        "alos2md": _alos2md(item, own),
        "dataset": own["dataset"],
        "location": item["geometry"],
        "starttime": start,
        "endtime": end,
        "tiles": bool(own["tiles"]),
        "tile_layers": [layer["layer"] for layer in own["tiles"]],
        "tile_max_zoom": [layer["max_zoom"] for layer in own["tiles"]],
        "archive_filename": own["archive"],
        "download_source": own["source"]["url"],
    }
    if own["stays_at"]:
        legacy["gekko_archive_files"] = own["stays_at"]
    return legacy


def _alos2md(item: Json, own: Json) -> Json:
    """Return the summary's keys in lower case and, for level 1.1, what an extractor found."""
    summary: dict[str, Any] = {key.lower(): value for key, value in own["summary"].items()}
    if own["level"] != "1.1":
        return summary
    start, end = times(item)
    return {
        **summary,
        "geometry": item["geometry"],
        "start_time": start,
        "stop_time": end,
        "absolute_orbit": int(own["orbit"]),
        "frame": int(own["frame"]),
        "flight_direction": {"A": "asc", "D": "dsc"}[own["pass"]],
        "satellite_name": "ALOS2",
        "source": own["footprint"]["source"],
    }


def _new(properties: Json, own: Json) -> Json:
    tiles = own["tiles"]
    return {
        "source": own["source"],
        "tags": own["tags"],
        "type": own["type"],
        "scene": own["scene"],
        "product": own["product"],
        "product_type": properties["product:type"],
        "format": own["format"],
        "mode": properties["sar:instrument_mode"],
        "polarizations": properties.get("sar:polarizations", []),
        "beams": own["beams"],
        "orbit": own["orbit"],
        "frame": own["frame"],
        "path": own["path"],
        "center_time": properties["datetime"],
        "processing_time": own["processed"],
        "off_nadir_deg": properties.get("view:off_nadir"),
        "incidence_deg": properties.get("view:incidence_angle"),
        "epsg": _epsg(properties),
        "footprint": own["footprint"],
        "calibration": own["calibration"],
        "sensor": own["sensor"],
        "processing": own["processing"],
        "tile_min_zoom": [layer["min_zoom"] for layer in tiles],
        "tile_native_zoom": [layer["native_zoom"] for layer in tiles],
        "tile_scheme": tiles[0]["scheme"] if tiles else None,
        "tile_px": tiles[0]["tile_px"] if tiles else None,
        "tile_count": sum(layer["count"] for layer in tiles),
        "tile_stretch_db": [
            [limit for c in layer["channels"] for limit in (c["low_db"], c["high_db"])]
            for layer in tiles
        ],
        "tile_json": [layer["tilejson"] for layer in tiles],
        "tile_archives": [
            {
                key: layer[key]
                for key in ("layer", "path", "min_zoom", "max_zoom", "native_zoom", "count")
            }
            for layer in own["tile_archives"]
        ],
        "stretch_db": own["stretch_db"],
        "cogs": [cog["file"] for cog in own["cogs"]],
        "map_height_m": own["map_height_m"],
        "mapped_by": own["mapped_by"],
        "browse": [browse["file"] for browse in own["browse"]],
        "picture_notes": own["picture_notes"],
        "files": own["files"],
        "repacked": own["repacked"],
        "problems": own["problems"],
        "created": properties["created"],
        "software": properties["processing:software"],
    }


def _epsg(properties: Json) -> int | None:
    code = properties.get("proj:code")
    return int(code.partition(":")[2]) if code else None
