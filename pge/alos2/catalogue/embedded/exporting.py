"""A catalogue as one file: a table (CSV), features (GeoJSON), or stac-geoparquet.

CSV and GeoJSON have the same columns, one value each, for spreadsheets and for GIS: GDAL and QGIS
open both (GDAL, "Comma Separated Value": a column named WKT is the geometry). stac-geoparquet has
the whole items; what has other keys in each of them (state vectors, the summary) is JSON text
there, as Parquet's columns are the same for all rows.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import shapely
from shapely.geometry import shape

from alos2.archive.writing import writing_failed
from alos2.catalogue.embedded.folders import item_file
from alos2.catalogue.embedded.query import Query
from alos2.errors import NoResource, UsageError
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.catalogue.embedded.catalogue import EmbeddedCatalogue

COLUMNS: Final = (
    "id", "dataset", "type", "scene", "product", "level", "format", "mode", "polarizations",
    "beams", "look", "pass", "path", "frame", "orbit", "off_nadir_deg", "incidence_deg",
    "datetime", "start_datetime", "end_datetime", "created", "tags", "provider", "order_id",
    "footprint_source", "folder",
)  # fmt: skip
"""Of CSV (behind the geometry, ``WKT``) and of GeoJSON's properties."""

_CHUNK: Final = 2000
_OWN: Final = "alos2:"
_LISTS: Final = ("alos2:tags", "alos2:beams", "alos2:stays_at")
"""Those of ours that are lists of text, and stay so."""
_FREE: Final = ("sat:orbit_state_vectors", "processing:software")
"""Objects of the extensions whose keys differ from item to item."""


def flat(item: Json, folder: Path) -> Json:
    """Return the columns of one item; None where it does not say."""
    said = item["properties"]
    own = {name: said.get(f"{_OWN}{name}") for name in COLUMNS}
    source = said.get("alos2:source") or {}
    return {
        **own,
        "id": item["id"],
        "mode": said.get("sar:instrument_mode"),
        "polarizations": "/".join(said.get("sar:polarizations") or ()) or None,
        "beams": " ".join(str(beam) for beam in said.get("sar:beam_ids") or ()) or None,
        "off_nadir_deg": said.get("view:off_nadir"),
        "incidence_deg": said.get("view:incidence_angle"),
        "datetime": said.get("datetime"),
        "start_datetime": said.get("start_datetime"),
        "end_datetime": said.get("end_datetime"),
        "created": said.get("created"),
        "tags": ";".join(said.get("alos2:tags") or ()) or None,
        "provider": source.get("provider"),
        "order_id": source.get("order_id"),
        "footprint_source": (said.get("alos2:footprint") or {}).get("source"),
        "folder": str(folder),
    }


def export_csv(catalogue: EmbeddedCatalogue, out: Path) -> int:
    """Write all datasets as CSV, by id; return how many.

    Raises
    ------
    NoSpace, NoResource
        It cannot be written.
    """
    with _replacing(out) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["WKT", *COLUMNS])
        count = 0
        for item, folder in _all(catalogue):
            columns = flat(item, folder)
            wkt = shapely.to_wkt(shape(item["geometry"]), rounding_precision=8, trim=True)
            writer.writerow([wkt, *(columns[name] for name in COLUMNS)])
            count += 1
    return count


def export_geojson(catalogue: EmbeddedCatalogue, out: Path) -> int:
    """Write all datasets as one FeatureCollection (RFC 7946), by id; return how many.

    Raises
    ------
    NoSpace, NoResource
        It cannot be written.
    """
    with _replacing(out) as file:
        file.write('{"type":"FeatureCollection","features":[')
        count = 0
        for item, folder in _all(catalogue):
            feature = {
                "type": "Feature",
                "id": item["id"],
                "bbox": item.get("bbox"),
                "geometry": item["geometry"],
                "properties": flat(item, folder),
            }
            file.write(",\n" if count else "\n")
            json.dump(feature, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            count += 1
        file.write("\n]}\n")
    return count


def export_geoparquet(catalogue: EmbeddedCatalogue, out: Path) -> int:
    """Write all items as stac-geoparquet, by id; return how many.

    Raises
    ------
    UsageError
        The extra ``geoparquet`` is not installed, or there is nothing to write.
    NoSpace, NoResource
        It cannot be written.
    """
    try:
        from stac_geoparquet import arrow  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "stac-geoparquet needs a package that is not installed",
            hint="pip install 'alos2-ingest[geoparquet]'",
        ) from error
    count = len(catalogue)
    if not count:
        raise UsageError("the catalogue is empty: Parquet cannot say of nothing what it is")
    fresh = _beside(out)
    try:
        rows = (table_item(item, folder) for item, folder in _all(catalogue))
        # The columns of all rows are known only at the end, so rows wait on the disk.
        with tempfile.TemporaryDirectory(prefix=".alos2-", dir=out.absolute().parent) as waiting:
            reader = arrow.parse_stac_items_to_arrow(
                rows, chunk_size=_CHUNK, schema="ChunksToDisk", tmpdir=waiting
            )
            arrow.to_parquet(reader, fresh)
        fresh.replace(out)
    except OSError as error:
        raise writing_failed(out, error) from error
    finally:
        fresh.unlink(missing_ok=True)
    return count


def table_item(item: Json, folder: Path) -> Json:
    """Return an item whose properties have one form in all items, and that says where it lies."""
    own = {"rel": "self", "href": item_file(folder).as_uri(), "type": "application/geo+json"}
    properties = {
        name: _one_form(name, value)
        for name, value in item["properties"].items()
        if value is not None
    }
    return {
        **item,
        "collection": properties.get("alos2:dataset"),
        "links": [own, *item["links"]],
        "assets": {name: _asset(asset) for name, asset in item["assets"].items()},
        "properties": properties,
    }


def _one_form(name: str, value: Any) -> Any:
    """Return a property as text where items differ in what is inside; by name, not by value."""
    is_free = name.startswith(_OWN) and name not in _LISTS and isinstance(value, (dict, list))
    return json.dumps(value, ensure_ascii=False) if is_free or name in _FREE else value


def _asset(asset: Json) -> Json:
    """Return an asset whose bands say "no data" in one type: images have 0, COGs "nan"."""
    if "bands" not in asset:
        return asset
    bands = [{**band, "nodata": str(band.get("nodata"))} for band in asset["bands"]]
    return {**asset, "bands": bands}


def _all(catalogue: EmbeddedCatalogue) -> Iterator[tuple[Json, Path]]:
    for hit in catalogue.search(Query(sort=("id",))):
        yield hit.item, hit.folder


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.new-{secrets.token_hex(4)}")


@contextmanager
def _replacing(out: Path) -> Iterator[TextIO]:
    """Write a file that is there whole or not at all."""
    fresh = _beside(out)
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(out)
    except OSError as error:
        raise writing_failed(out, error) from error
    finally:
        _gone(fresh)


def _gone(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise NoResource(f"{path} cannot be removed: {error.strerror}") from error


EXPORTS: Final[dict[str, Callable[[EmbeddedCatalogue, Path], int]]] = {
    "csv": export_csv,
    "geojson": export_geojson,
    "geoparquet": export_geoparquet,
}
"""Those that write one file."""
