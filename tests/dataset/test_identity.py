"""The table of DESIGN.md: ids, types, datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from alos2.dataset.identity import dataset_id, dataset_kind
from alos2.naming import ProductId
from alos2.product.model import Product

SCENE = "ALOS2043672900-150315"


@pytest.mark.parametrize(
    ("pid", "form", "expected"),
    [
        ("FBDR1.1__A", "ceos", ("", "alos2_slc", "ALOS2-L1.1-SLC")),
        ("FBDR1.1__A", "geotiff", ("-geotiff", "L1.1_geotiff", "ALOS2-L1.1-GeoTIFF")),
        ("FBDR1.5RUA", "geotiff", ("", "L1.5_geotiff", "ALOS2_GeoTIFF")),
        ("FBDR2.1GUA", "geotiff", ("", "L2.1_geotiff", "ALOS2_GeoTIFF")),
        ("FBDR3.1GUA", "geotiff", ("", "L3.1_geotiff", "ALOS2_GeoTIFF")),
        ("FBDR1.5GUA", "ceos", ("-ceos", "L1.5_ceos", "ALOS2_CEOS")),
        ("FBDR2.1GUA", "ceos", ("-ceos", "L2.1_ceos", "ALOS2_CEOS")),
        ("FBDR3.1RUA", "ceos", ("-ceos", "L3.1_ceos", "ALOS2_CEOS")),
    ],
)
def test_kinds(
    pid: str, form: str, expected: tuple[str, str, str], product_of: Callable[[str], Product]
) -> None:
    suffix, type_, dataset = expected
    parsed = ProductId.parse(pid)
    product = replace(product_of("slc"), product=parsed, level=parsed.level, format=form)
    kind = dataset_kind(product)
    assert (kind.id, kind.type, kind.dataset) == (f"{SCENE}-{pid}{suffix}", type_, dataset)
    assert dataset_id(product) == kind.id
    stays = dataset_kind(product, metadata_only=True)
    assert (stays.id, stays.type) == (f"{SCENE}-{pid}{suffix}-md", f"{type_}_md")
    assert stays.dataset == f"{dataset}-MD"
