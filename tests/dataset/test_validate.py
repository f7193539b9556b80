"""Items are checked against the published schemas, without network, with the path of a fault."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset import validate
from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.validate import extension_uri, validate_item
from alos2.errors import BadDocument
from alos2.types import Json

SCHEMAS = Path(validate.__file__).parent / "schemas"


@pytest.fixture
def item(content_of: Callable[[str], Content]) -> Json:
    return make_documents(content_of("geotiff")).item


@pytest.fixture
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked for")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, forbidden)
    # Nothing may come from an earlier test's cache either.
    for cached in (validate._registry, validate._validator, validate._manifest):
        cached.cache_clear()


@pytest.mark.usefixtures("_no_sockets")
def test_a_good_item_passes_without_network(item: Json) -> None:
    validate_item(item)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"sar:polarizations": ["HX"]}, r"\$\.properties\['sar:polarizations'\]\[0\]"),
        ({"sat:relative_orbit": 0}, r"\$\.properties\['sat:relative_orbit'\]"),
        ({"sat:orbit_state": "up"}, r"\$\.properties\['sat:orbit_state'\]"),
        ({"view:off_nadir": 91}, r"\$\.properties\['view:off_nadir'\]"),
        ({"proj:shape": [1, 2, 3]}, r"\$\.properties\['proj:shape'\]"),
        ({"proj:epsg": 32719}, r"proj:epsg"),
        ({"processing:level": 2}, r"\$\.properties\['processing:level'\]"),
        ({"product:acquisition_type": "odd"}, r"\$\.properties\['product:acquisition_type'\]"),
        ({"datetime": "2017-02-09T04:10:20"}, r"\$\.properties\.datetime"),
        ({"datetime": "2017-02-30T04:10:20Z"}, r"\$\.properties\.datetime"),
        ({"gsd": -1}, r"\$\.properties\.gsd"),
    ],
)
def test_a_bad_property_is_named_with_its_path(item: Json, change: Json, path: str) -> None:
    item["properties"].update(change)
    with pytest.raises(BadDocument, match=path):
        validate_item(item)


def _without(key: str) -> Callable[[Json], object]:
    return lambda item: item.pop(key)


def _set(*keys: Any) -> Callable[[Json], object]:
    *path, last, value = keys

    def change(item: Json) -> None:
        for key in path:
            item = item[key]
        item[last] = value

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without("bbox"), "bbox"),
        (_without("geometry"), "geometry"),
        (_without("assets"), "assets"),
        (_set("stac_version", "1.0.0"), "stac_version"),
        (_set("stac_extensions", ["https://example.org/x.json"]), "not kept here"),
        (_set("stac_extensions", "sar"), "not a list"),
        (_set("assets", "product", "file:checksum", "XYZ"), "file:checksum"),
        (_set("assets", "product", "bands", 0, "raster:sampling", "x"), "raster:sampling"),
        (_set("assets", "product", "bands", 0, "data_type", "complex"), "data_type"),
        (_set("links", []), "links"),
        (_set("geometry", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}), "geometry"),
    ],
)
def test_a_bad_item_is_refused(item: Json, spoil: Callable[[Json], object], words: str) -> None:
    spoil(item)
    with pytest.raises(BadDocument, match=words) as caught:
        validate_item(item)
    assert len(str(caught.value)) < 2500


def test_schemas_are_those_of_the_manifest() -> None:
    listed = json.loads((SCHEMAS / "manifest.json").read_text())["schemas"]
    on_disk = {
        path.relative_to(SCHEMAS).as_posix()
        for path in SCHEMAS.rglob("*.json")
        if path.name != "manifest.json"
    }
    assert on_disk == {entry["file"] for entry in listed}
    for entry in listed:
        data = (SCHEMAS / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], entry["file"]


def test_versions_are_those_we_write() -> None:
    expected = {
        "sar": "v1.3.2", "sat": "v1.2.0", "view": "v1.1.0", "projection": "v2.0.0",
        "processing": "v1.1.0", "raster": "v2.0.0-beta.1", "file": "v2.1.0",
        "product": "v1.0.0", "web-map-links": "v1.2.0",
    }  # fmt: skip
    for name, version in expected.items():
        assert extension_uri(name).endswith(f"/{name}/{version}/schema.json")
    with pytest.raises(KeyError):
        extension_uri("eo")


def test_validation_is_cheap(item: Json) -> None:
    validate_item(item)
    began = time.perf_counter()
    for _ in range(5):
        validate_item(item)
    assert (time.perf_counter() - began) / 5 < 0.2
