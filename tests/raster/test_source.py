"""Calibrated windows of CEOS and GeoTIFF."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alos2.archive.members import FileMember
from alos2.errors import BadProduct
from alos2.product.model import Calibration, ProductFile
from alos2.raster.blocks import multilook, strips, whole
from alos2.raster.source import open_source
from alos2.types import RasterShape, Window

RNG = np.random.default_rng(5)


def amplitude(shape: tuple[int, int]) -> np.ndarray:
    dn = RNG.integers(1, 65536, shape).astype(np.uint16)
    dn[RNG.random(shape) < 0.2] = 0
    return dn


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
@pytest.mark.parametrize(
    "window", [Window(0, 0, 31, 47), Window(3, 40, 20, 7), Window(30, 0, 1, 2)]
)
def test_detected_power_is_dn_squared_with_the_factor(make: Any, form: str, window: Window) -> None:
    dn = amplitude((31, 47))
    product = make.mapped(dn, make.utm(dn.shape), form=form)
    with open_source(product, product.images[0]) as source:
        power, valid = source.power(window), source.valid(window)
    rows = slice(window.line, window.line + window.lines)
    part = dn[rows, window.pixel : window.pixel + window.pixels].astype(float)
    expected = np.where(part > 0, part**2 * 10**-8.3, np.nan)
    np.testing.assert_allclose(power, expected, rtol=1e-6)
    assert power.dtype == np.float32
    np.testing.assert_array_equal(valid, part > 0)


def test_slc_of_ceos(make: Any) -> None:
    z = (RNG.normal(size=(9, 14)) + 1j * RNG.normal(size=(9, 14))).astype(np.complex64) * 3000
    z[4, 5] = 0
    path = make.ceos("IMG-HH-slc", z)
    image = make.image(path, z.shape, "complex64")
    product = make.product(image, name="FBDR1.1__A", form="ceos")
    with open_source(product, image) as source:
        power = source.power(whole(source.shape))
        assert source.grid is None
        assert source.calibration.factor_db == -115.0
    expected = np.where(z == 0, np.nan, np.abs(z.astype(complex)) ** 2 * 10**-11.5)
    np.testing.assert_allclose(power, expected, rtol=1e-6)


def test_slc_of_geotiff_with_lut(make: Any) -> None:
    iq = RNG.integers(-3000, 3000, (2, 8, 11)).astype(np.int16)
    iq[:, 2, 3] = 0
    path = make.geotiff("IMG-HH-slc.tif", iq)
    image = make.image(path, iq.shape[1:], "complex_int16")
    gains = np.linspace(1e4, 2e4, 11)
    product = _with_lut(make, make.product(image, name="FBDR1.1__A"), 0.0, gains)
    with open_source(product, image) as source:
        power, valid = source.power(whole(source.shape)), source.valid(whole(source.shape))
        assert source.calibration.source == "lut"
    i, q = iq.astype(float)
    expected = np.where((i == 0) & (q == 0), np.nan, (i**2 + q**2) / gains**2)
    np.testing.assert_allclose(power, expected, rtol=1e-6)
    assert not valid[2, 3]
    assert valid.sum() == np.isfinite(expected).sum()


def _with_lut(make: Any, product: Any, offset: float, gains: np.ndarray) -> Any:
    path = make.folder / "LUT-HH.txt"
    path.write_text("".join(f" {value:.15E}\n" for value in (offset, *gains)))
    size = path.stat().st_size
    file = ProductFile(path.name, "LUT", size, FileMember(path, size), "HH")
    return replace(product, calibration=Calibration(None, "lut", {"HH": file}))


def test_detected_geotiff_with_lut_by_column(make: Any) -> None:
    dn = amplitude((12, 20))
    gains = 10 ** np.linspace(8.0, 8.6, 20)
    product = _with_lut(make, make.mapped(dn, make.utm(dn.shape)), 25.0, gains)
    window = Window(2, 5, 6, 9)
    with open_source(product, product.images[0]) as source:
        power = source.power(window)
    part = dn[2:8, 5:14].astype(float)
    expected = np.where(part > 0, (part**2 + 25.0) / gains[5:14], np.nan)
    np.testing.assert_allclose(power, expected, rtol=1e-6)


def test_a_negative_lut_offset_makes_no_hole(make: Any) -> None:
    dn = np.full((4, 4), 2, np.uint16)
    product = _with_lut(make, make.mapped(dn, make.utm(dn.shape)), -100.0, np.full(4, 1e8))
    with open_source(product, product.images[0]) as source:
        power = source.power(whole(source.shape))
    assert (power > 0).all()


def test_a_lut_of_another_width_is_refused(make: Any) -> None:
    dn = amplitude((5, 6))
    product = _with_lut(make, make.mapped(dn, make.utm(dn.shape)), 0.0, np.full(7, 1e8))
    with pytest.raises(BadProduct, match="8 lines"), open_source(product, product.images[0]):
        pass


def test_without_any_calibration_the_published_factor_is_used_and_said(make: Any) -> None:
    dn = np.full((4, 4), 1000, np.uint16)
    product = make.mapped(dn, make.utm(dn.shape), calibration=None)
    with open_source(product, product.images[0]) as source:
        assert (source.calibration.factor_db, source.calibration.source) == (-83.0, "default")
        np.testing.assert_allclose(source.power(Window(0, 0, 1, 1)), 1e6 * 10**-8.3, rtol=1e-6)


def test_a_shortened_ceos_image_is_named(make: Any) -> None:
    dn = amplitude((20, 30))
    product = make.mapped(dn, make.utm(dn.shape), form="ceos")
    path = product.images[0].file.path
    path.write_bytes(path.read_bytes()[:-700])
    with open_source(product, product.images[0]) as source:
        source.power(Window(0, 0, 10, 30))
        with pytest.raises(BadProduct, match=path.name):
            source.power(Window(15, 0, 5, 30))


def test_a_shortened_geotiff_is_named(make: Any) -> None:
    dn = amplitude((200, 300))
    product = make.mapped(dn, make.utm(dn.shape))
    path = product.images[0].file.path
    path.write_bytes(path.read_bytes()[: 200 * 300])
    with pytest.raises(BadProduct, match=path.name):  # noqa: SIM117  open or read, either
        with open_source(product, product.images[0]) as source:
            source.power(whole(source.shape))


def test_no_tiff_at_all_is_named(make: Any) -> None:
    dn = amplitude((5, 6))
    product = make.mapped(dn, make.utm(dn.shape))
    product.images[0].file.path.write_bytes(b"<html>please log in</html>")
    with pytest.raises(BadProduct, match="GeoTIFF"), open_source(product, product.images[0]):
        pass


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
def test_another_size_than_described_is_named(make: Any, form: str) -> None:
    dn = amplitude((5, 6))
    product = make.mapped(dn, make.utm(dn.shape), form=form)
    image = replace(product.images[0], shape=RasterShape(6, 5))
    with pytest.raises(BadProduct, match=r"not 5 x 6|not 6 x 5"), open_source(product, image):
        pass


def test_a_window_outside_is_a_programming_error(make: Any) -> None:
    dn = amplitude((5, 6))
    product = make.mapped(dn, make.utm(dn.shape))
    with (
        open_source(product, product.images[0]) as source,
        pytest.raises(ValueError, match="within"),
    ):
        source.power(Window(3, 0, 3, 6))


def test_strips_cover_a_window_once() -> None:
    window = Window(7, 3, 100, 30)
    cut = list(strips(window, 400))
    assert [s.line for s in cut] == list(range(7, 107, 13))
    assert sum(s.lines for s in cut) == 100
    assert {(s.pixel, s.pixels) for s in cut} == {(3, 30)}


@pytest.mark.parametrize(("lines", "pixels"), [(1, 1), (3, 5), (7, 2), (40, 60)])
def test_multilook_is_the_mean_of_the_valid_pixels(
    make: Any, monkeypatch: pytest.MonkeyPatch, lines: int, pixels: int
) -> None:
    monkeypatch.setattr("alos2.raster.blocks.strips", lambda window: strips(window, 5 * 47))
    dn = amplitude((31, 47))
    dn[:14, :12] = 0
    product = make.mapped(dn, make.utm(dn.shape))
    with open_source(product, product.images[0]) as source:
        looks = multilook(source, lines, pixels)
    power = np.where(dn > 0, dn.astype(float) ** 2 * 10**-8.3, np.nan)
    for row in range(looks.power.shape[0]):
        for column in range(looks.power.shape[1]):
            cell = power[row * lines : (row + 1) * lines, column * pixels : (column + 1) * pixels]
            known = cell[np.isfinite(cell)]
            assert looks.valid[row, column] == known.size
            if known.size:
                assert looks.power[row, column] == pytest.approx(known.mean(), rel=1e-5)
            else:
                assert np.isnan(looks.power[row, column])


MEMORY = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    from alos2.archive.members import FileMember
    from alos2.naming import ProductId, SceneId
    from alos2.product.model import *
    from alos2.raster.blocks import multilook, valid_extents
    from alos2.raster.source import open_source
    from alos2.types import RasterShape

    path, lines, pixels, dtype = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    size = path.stat().st_size
    file = ProductFile(path.name, "IMG", size, FileMember(path, size), "HH")
    image = Image(file, "HH", None, RasterShape(lines, pixels), dtype)
    product = Product(SceneId.parse("ALOS2015976960-140909"), ProductId.parse("UBSR1.1__D"),
                      "1.1", "ceos", (file,), (image,))
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    before = peak()
    with open_source(product, image) as source:
        multilook(source, 20, 8)
        valid_extents(source)
    print(peak() - before)
    """
)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
@pytest.mark.parametrize("slc", [True, False], ids=["1.1", "2.1"])
def test_memory_does_not_grow_with_the_image(make: Any, slc: bool) -> None:
    pixels, lines = (4000, 12_000) if slc else (12_000, 16_000)
    row = np.ones((1, pixels), np.complex64 if slc else np.uint16)
    path = make.ceos("IMG-HH-one", row)
    first = path.read_bytes()
    head, record = bytearray(first[:720]), first[720:]
    head[180:186] = b"%6d" % lines
    head[236:244] = b"%8d" % lines
    with (make.folder / "IMG-HH-big").open("wb") as file:
        file.write(head)
        for _ in range(0, lines, 1000):
            file.write(record * 1000)
    path = make.folder / "IMG-HH-big"
    assert path.stat().st_size > 380e6
    dtype = "complex64" if slc else "uint16"
    command = [sys.executable, "-c", MEMORY, str(path), str(lines), str(pixels), dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 250
    path.unlink()
