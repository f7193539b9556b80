"""The line of JSON: always the same keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.dataset.line import product_line
from alos2.product.model import Problem, Product

KEYS = [
    "id", "type", "dataset", "level", "format", "mode", "polarizations", "beams", "look", "pass",
    "footprint", "footprint_source", "footprint_method", "starttime", "endtime", "path", "orbit",
    "frame", "problems", "files",
    "dataset_dir", "status",
]  # fmt: skip


@pytest.mark.parametrize("name", ["slc", "geotiff", "antimeridian", "scansar"])
def test_keys_are_always_there(name: str, product_of: Callable[[str], Product]) -> None:
    product = product_of(name)
    empty = replace(product, images=(), files=(), start_time=None, end_time=None)
    for line in (product_line(product), product_line(empty)):
        assert list(line) == KEYS
        json.dumps(line, allow_nan=False)
    assert product_line(empty)["starttime"] is None
    assert product_line(empty)["polarizations"] == []


def test_values(product_of: Callable[[str], Product], tmp_path: Path) -> None:
    product = replace(
        product_of("antimeridian"),
        problems=(Problem("short_image", "IMG-HH is short", "IMG-HH"),),
    )
    line = product_line(product, dataset_dir=tmp_path, status="new")
    assert line["id"] == "ALOS2000870544-140801-UBSL1.5RPD-ceos"
    assert line["path"] == 207
    assert line["orbit"] == "00087"
    assert line["frame"] == "0544"
    assert line["level"] == "1.5"
    assert line["status"] == "new"
    assert line["dataset_dir"] == str(tmp_path)
    assert line["problems"] == [
        {
            "code": "short_image",
            "message": "IMG-HH is short",
            "file": "IMG-HH",
            "blocks_ingest": True,
        }
    ]
    assert set(line["files"][0]) == {"name", "size", "sha256", "kind"}
