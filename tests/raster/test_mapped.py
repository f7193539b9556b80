"""Images that are used where they lie in their file, and those that cannot be."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ceos.image import CeosImage
from alos2.errors import BadProduct
from alos2.raster.blocks import whole
from alos2.raster.mapped import map_ceos, map_geotiff
from alos2.raster.readers import GdalReader, MappedReader, open_reader
from alos2.raster.source import RawSource, open_source
from alos2.types import Window

RNG = np.random.default_rng(9)


def amplitude(shape: tuple[int, int] = (40, 30)) -> np.ndarray:
    return RNG.integers(0, 65536, shape).astype(np.uint16)


@pytest.mark.parametrize("profile", [{}, {"blockysize": 1}, {"blockysize": 7}, {"BIGTIFF": "YES"},
                                     {"ENDIANNESS": "BIG"}])  # fmt: skip
def test_uncompressed_strips_are_mapped(make: Any, profile: dict[str, Any]) -> None:
    dn = amplitude()
    mapped = map_geotiff(make.geotiff("IMG-HH.tif", dn, **profile))
    assert mapped is not None
    assert mapped.swapped is (("ENDIANNESS" in profile) == (sys.byteorder == "little"))
    np.testing.assert_array_equal(mapped.read(whole(mapped.shape)), dn)
    np.testing.assert_array_equal(mapped.read(Window(3, 5, 20, 11)), dn[3:23, 5:16])


def test_strips_of_zeros_that_gdal_puts_at_the_end_are_found(make: Any) -> None:
    dn = amplitude() | 1
    dn[10:20] = 0
    mapped = map_geotiff(make.geotiff("IMG-HH.tif", dn, blockysize=1))
    assert mapped is not None
    assert (np.diff(mapped.starts) != dn.shape[1]).any()
    np.testing.assert_array_equal(mapped.read(whole(mapped.shape)), dn)


@pytest.mark.parametrize(
    "profile",
    [{"compress": "deflate"}, {"tiled": True, "blockxsize": 16, "blockysize": 16},
     {"SPARSE_OK": True}],
)  # fmt: skip
def test_other_geotiffs_are_left_to_gdal(make: Any, profile: dict[str, Any]) -> None:
    dn = amplitude((64, 64))
    if "SPARSE_OK" in profile:
        dn[:] = 0
    grid = make.utm(dn.shape)
    product = make.mapped(dn, grid)
    path = make.geotiff(product.images[0].file.name, dn, **profile)
    assert map_geotiff(path) is None
    with open_reader(product.images[0]) as reader:
        assert isinstance(reader, GdalReader)
        np.testing.assert_array_equal(reader.read(Window(1, 2, 30, 40)), dn[1:31, 2:42])
    with open_source(product, product.images[0]) as source:
        assert isinstance(source, RawSource)
        assert source.raw is None


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_other_numbers_are_not_mapped(make: Any, dtype: Any) -> None:
    assert map_geotiff(make.geotiff("x.tif", np.ones((5, 6), dtype))) is None
    assert map_geotiff(make.geotiff("y.tif", np.ones((2, 5, 6), np.uint16))) is None


def test_what_is_cut_short_is_not_mapped(make: Any) -> None:
    path = make.geotiff("IMG-HH.tif", amplitude())
    path.write_bytes(path.read_bytes()[:-2])
    assert map_geotiff(path) is None
    path.write_bytes(b"<html>")
    with pytest.raises(BadProduct, match="not a TIFF"):
        map_geotiff(path)


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
def test_a_source_offers_its_numbers_and_gains(make: Any, form: str) -> None:
    dn = amplitude((31, 47))
    product = make.mapped(dn, make.utm(dn.shape), form=form)
    with open_source(product, product.images[0]) as source:
        assert isinstance(source, RawSource)
        raw = source.raw
        assert raw is not None
        np.testing.assert_array_equal(raw.mapped.read(whole(source.shape)), dn)
        np.testing.assert_allclose(raw.gains, np.full(47, 10**-8.3), rtol=1e-6)
        assert raw.offset == 0
        assert raw.mapped.swapped is ((form == "ceos") == (sys.byteorder == "little"))


def test_the_reader_of_a_mapped_geotiff_needs_no_gdal(make: Any) -> None:
    dn = amplitude()
    product = make.mapped(dn, make.utm(dn.shape))
    with open_reader(product.images[0]) as reader:
        assert isinstance(reader, MappedReader)
    slc = replace(product.images[0], dtype="complex_int16")
    with pytest.raises(BadProduct, match="not I and Q"), open_reader(slc):
        pass


def test_a_short_or_complex_ceos_image_is_not_mapped(make: Any) -> None:
    path = make.ceos("IMG-HH-x", amplitude())
    with CeosImage.open(path) as opened:
        assert map_ceos(opened) is not None
    path.write_bytes(path.read_bytes()[:-1])
    with CeosImage.open(path) as opened:
        assert map_ceos(opened) is None
    with CeosImage.open(make.ceos("IMG-HH-slc", np.ones((4, 5), np.complex64))) as opened:
        assert map_ceos(opened) is None


def test_reading_ahead_and_giving_back_change_nothing(make: Any, tmp_path: Path) -> None:
    dn = amplitude((1500, 20))
    mapped = map_geotiff(make.geotiff("IMG-HH.tif", dn, blockysize=1))
    assert mapped is not None
    mapped.prefetch(0, 600)
    mapped.prefetch(400, 1100)
    mapped.used(1 << 40)
    np.testing.assert_array_equal(mapped.read(whole(mapped.shape)), dn)
