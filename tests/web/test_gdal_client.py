"""GDAL's OGC API - Features driver, which QGIS reads with, against the real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

pytestmark = [
    pytest.mark.readers,
    pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="there is no ogr2ogr (gdal-bin)"),
]


COLLECTION = "ALOS2-L1.1-SLC"


def items(served: Any) -> list[dict[str, Any]]:
    """Return what the archive holds of the collection."""
    return [one for one in served.items if one["properties"]["alos2:dataset"] == COLLECTION]


def features(url: str, *arguments: str) -> list[dict[str, Any]]:
    """Read a collection as GDAL does."""
    done = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{url}/stac", COLLECTION, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["features"]
    return found


def test_all_items_of_a_collection_page_by_page(served: Any) -> None:
    expected = {item["id"] for item in items(served)}
    found = features(served.url, "-oo", "PAGE_SIZE=2")
    assert len(expected) > 2
    assert len(found) == len(expected)
    assert {feature["properties"]["id"] for feature in found} == expected


def test_a_box(served: Any) -> None:
    item = items(served)[0]
    found = features(served.url, "-spat", *map(str, item["bbox"]))
    assert item["id"] in {feature["properties"]["id"] for feature in found}
    assert features(served.url, "-spat", "-60", "10", "-59", "11") == []
