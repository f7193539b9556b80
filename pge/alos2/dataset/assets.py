"""Assets and links of a STAC item: the files that are there, with size and checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from alos2.dataset.pictured import folder_of, path_in_dataset
from alos2.errors import BadDocument
from alos2.raster.pictures import BrowseReport, CogReport, PictureReport, TileLayer, band_name
from alos2.types import Json

_MULTIHASH_SHA256: Final = "1220"
"""Multihash prefix: function 0x12 (sha2-256), 0x20 bytes long."""

_HASH_CHUNK: Final = 1 << 20
_COG_TYPE: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_PMTILES_TYPE: Final = "application/vnd.pmtiles"
_WORDS: Final = {"db": "in dB", "power": "linear", "amplitude": "as amplitude"}


def file_asset(name: str, data_size: int, sha256: str, media_type: str, **more: object) -> Json:
    """Return an asset of a file beside the item."""
    return {
        "href": f"./{name}",
        "type": media_type,
        **more,
        "file:size": data_size,
        "file:checksum": f"{_MULTIHASH_SHA256}{sha256}",
    }


def picture_assets(report: PictureReport) -> Json:
    """Return the assets of browse pictures, COGs and PMTiles archives.

    Raises
    ------
    BadDocument
        A file that should be there cannot be read.
    """
    assets: Json = {}
    for browse in report.browse:
        name = band_name(browse.polarization, browse.beam).lower()
        assets[f"overview-{name}"] = _picture(browse, browse.browse, "overview")
        assets[f"thumbnail-{name}"] = _picture(browse, browse.small, "thumbnail")
    for cog in report.cogs:
        assets[f"sigma0-{band_name(cog.polarization, cog.beam).lower()}"] = _cog(cog)
    for layer in report.archives:
        if layer.archive is not None:
            assets[f"tiles-{layer.name.lower()}"] = _archive(layer, layer.archive)
    return assets


def picture_links(report: PictureReport) -> list[Json]:
    """Return the web map links (STAC extension) of all layers of tiles."""
    links: list[Json] = []
    for layer in report.layers:
        # Rows that count from the south are {-y}, as Leaflet and OpenLayers write it.
        row = "{-y}" if layer.tms else "{y}"
        links.append(
            {
                "rel": "xyz",
                "href": f"./{folder_of(layer)}/{{z}}/{{x}}/{row}.png",
                "type": "image/png",
                "title": f"Map tiles of {layer.name}, zoom {layer.min_zoom} to {layer.max_zoom}",
            }
        )
        if layer.tilejson is not None:
            links.append(
                {
                    "rel": "tilejson",
                    "href": f"./{path_in_dataset(layer.tilejson)}",
                    "type": "application/json",
                    "title": f"TileJSON of {layer.name}",
                }
            )
    links.extend(
        {
            "rel": "pmtiles",
            "href": f"./{path_in_dataset(layer.archive)}",
            "type": _PMTILES_TYPE,
            "title": f"PMTiles of {layer.name}, zoom {layer.min_zoom} to {layer.max_zoom}",
        }
        for layer in report.archives
        if layer.archive is not None
    )
    return links


def _picture(browse: BrowseReport, path: Path, role: str) -> Json:
    size, digest = size_and_sha256(path)
    return file_asset(
        path.name,
        size,
        digest,
        "image/png",
        title=f"{band_name(browse.polarization, browse.beam)}, {role}, sigma nought in dB",
        roles=[role, "visual"] if role == "overview" else [role],
        **{"sar:polarizations": [browse.polarization]},
    )


def _cog(cog: CogReport) -> Json:
    size, digest = size_and_sha256(cog.path)
    name = band_name(cog.polarization, cog.beam)
    band: Json = {
        "name": name,
        "data_type": "float32",
        "nodata": "nan",
        "sar:polarizations": [cog.polarization],
        "raster:bits_per_sample": 32,
        "raster:sampling": "area",
        "raster:spatial_resolution": cog.pixel_m,
    }
    if cog.quantity == "db":
        band["unit"] = "dB"
    return file_asset(
        cog.path.name,
        size,
        digest,
        _COG_TYPE,
        title=f"{name}, sigma nought {_WORDS[cog.quantity]}",
        roles=["data"],
        bands=[band],
        **{"sar:polarizations": [cog.polarization], "proj:shape": list(cog.shape)},
    )


def _archive(layer: TileLayer, path: Path) -> Json:
    size, digest = size_and_sha256(path)
    return file_asset(
        path_in_dataset(path),
        size,
        digest,
        _PMTILES_TYPE,
        title=f"Map tiles of {layer.name}, zoom {layer.min_zoom} to {layer.max_zoom}",
        roles=["tiles", "visual"],
    )


def size_and_sha256(path: Path) -> tuple[int, str]:
    """Return the size of a file of the dataset and its SHA-256.

    Raises
    ------
    BadDocument
        It is not there, or cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_HASH_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise BadDocument(f"{path.name} of the dataset cannot be read: {error.strerror}") from error
    return size, digest.hexdigest()
