"""The one full document of a dataset: a STAC 1.1 item. The others are derived from it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from alos2 import __version__
from alos2.dataset import fields as standard
from alos2.dataset.assets import file_asset, picture_assets, picture_links
from alos2.dataset.content import Content
from alos2.dataset.jsontext import plain, plain_geometry
from alos2.dataset.own import own_fields
from alos2.dataset.times import utc_text
from alos2.dataset.validate import extension_uri
from alos2.errors import BadProduct
from alos2.geometry.rings import bbox
from alos2.product.model import Image, Product
from alos2.types import Json

STAC_VERSION: Final = "1.1.0"

_DATA_TYPES: Final = {"complex64": "cfloat32", "complex_int16": "cint16", "uint16": "uint16"}
_BITS: Final = {"complex64": 64, "complex_int16": 32, "uint16": 16}

_PROVIDER: Final = {
    "name": "Japan Aerospace Exploration Agency (JAXA)",
    "roles": ["producer", "processor", "licensor"],
    "url": "https://www.eorc.jaxa.jp/ALOS-2/en/",
}


def build_stac(content: Content) -> Json:
    """Return the item of a dataset, with an asset for each file that is truly there.

    The assets of dataset.json and met.json come later (`documents.make_documents`), as these two
    are derived from this.

    Parameters
    ----------
    content : Content
        The browse pictures that it names are read, for their checksums.

    Raises
    ------
    BadProduct
        The product does not say when it was taken.
    BadDocument
        A file that should be there cannot be read.
    """
    product = content.product
    geometry = plain_geometry(content.footprint.chosen.geometry)
    properties = {
        **_common(content),
        **standard.sar_fields(product),
        **standard.sat_fields(product),
        **standard.view_fields(product),
        **standard.projection_fields(product),
        **standard.processing_fields(product, __version__),
        **standard.product_fields(product),
    }
    assets = _assets(content)
    links = picture_links(content.pictures)
    if content.archive is None or not product.images:
        properties["raster:bits_per_sample"] = _bits(product)
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": _extensions(properties, assets, links),
        "id": content.kind.id,
        "geometry": geometry,
        "bbox": [round(float(value), 8) + 0.0 for value in bbox(geometry)],
        "properties": {**plain(properties), **own_fields(content)},
        "links": links,
        "assets": assets,
    }


def observation_time(product: Product) -> datetime:
    """Return the time of the scene's centre, else the middle of its start and end.

    Raises
    ------
    BadProduct
        The product does not say.
    """
    if product.center_time is not None:
        return product.center_time
    if product.start_time is not None and product.end_time is not None:
        return product.start_time + (product.end_time - product.start_time) / 2
    raise BadProduct(
        f"{product.scene}-{product.product} does not say when it was taken: neither a leader nor "
        "summary.txt gives a time"
    )


def _common(content: Content) -> Json:
    product, kind = content.product, content.kind
    looks, goes = standard.LOOK_WORDS[product.look], standard.PASS_WORDS[product.pass_direction]
    times: Json = {"datetime": utc_text(observation_time(product))}
    if product.start_time is not None and product.end_time is not None:
        times["start_datetime"] = utc_text(product.start_time)
        times["end_datetime"] = utc_text(product.end_time)
    pols = "/".join(product.polarizations) or "no image"
    return {
        **times,
        "created": utc_text(content.created),
        "title": kind.id,
        "description": (
            f"ALOS-2 PALSAR-2 level {product.level} {product.mode} ({pols}), {goes}, "
            f"looking {looks}, path {product.scene.path}, frame {product.scene.frame}"
        ),
        "keywords": ["ALOS-2", "PALSAR-2", "SAR", "L-band", *content.tags],
        "license": "other",
        "providers": [dict(_PROVIDER)],
        "platform": "alos-2",
        "constellation": "alos",
        "instruments": ["palsar-2"],
        **standard.present({"gsd": standard.gsd_m(product)}),
    }


def _assets(content: Content) -> Json:
    assets: Json = {}
    archive, product = content.archive, content.product
    if archive is not None:
        assets["product"] = file_asset(
            archive.name,
            archive.size_bytes,
            archive.sha256,
            "application/zip",
            title=f"The product as JAXA delivered it, level {product.level} {product.format}",
            roles=["data", "archive"],
            bands=[_band(image, product) for image in product.images],
        )
    return {**assets, **picture_assets(content.pictures)}


def _band(image: Image, product: Product) -> Json:
    name = image.polarization if image.beam is None else f"{image.polarization}-{image.beam}"
    resolution_m = None if product.level == "1.1" else standard.gsd_m(product)
    lines, pixels = image.shape
    return {
        "name": name,
        "description": f"{image.file.name}: {lines} lines x {pixels} pixels",
        "data_type": _DATA_TYPES[image.dtype],
        "nodata": 0,
        "sar:polarizations": [image.polarization],
        "raster:bits_per_sample": _BITS[image.dtype],
        "raster:sampling": "area",
        **standard.present({"raster:spatial_resolution": resolution_m}),
    }


def _bits(product: Product) -> int:
    return _BITS[product.images[0].dtype] if product.images else 16


def _extensions(properties: Json, assets: Json, links: list[Json]) -> list[str]:
    names = ["sar", "sat", "projection", "processing", "product", "raster"]
    if any(key.startswith("view:") for key in properties):
        names.append("view")
    if assets:
        names.append("file")
    if links:
        names.append("web-map-links")
    return sorted(extension_uri(name) for name in names)
