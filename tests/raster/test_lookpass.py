"""One pass over complex samples: means over cells, no data, damage, memory, stopping."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.errors import BadProduct, BadRecord, Interrupted, NoSpace
from alos2.raster import cells, rawlines
from alos2.raster.cells import CellSource, CellStore
from alos2.raster.lookpass import Looks, fill_cells
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.rawlines import open_lines
from alos2.types import RasterShape, Window

USED = CalibrationUsed(-115.0, "leader")


def speckle(shape: tuple[int, int], seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64) * 100


def expected(samples: Any, looks: Looks, gains: Any) -> Any:
    """Means of cells the slow way."""
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.abs(samples.astype(np.complex128)) ** 2
    good = np.isfinite(power) & (power > 0)
    power = np.where(good, power, 0) * gains
    rows, columns = looks.cells(RasterShape(*samples.shape))
    out = np.full((rows, columns), np.nan)
    for r in range(rows):
        for c in range(columns):
            cell = (
                slice(r * looks.lines, (r + 1) * looks.lines),
                slice(c * looks.pixels, (c + 1) * looks.pixels),
            )
            if good[cell].any():
                out[r, c] = power[cell].sum() / good[cell].sum()
    return out


def averaged(image: Any, looks: Looks, gains: Any, folder: Path, **more: Any) -> Any:
    with CellStore(looks.cells(image.shape), folder) as store:
        with open_lines(image) as lines:
            fill_cells(lines, store, looks, gains.astype(np.float32), **more)
        return store.read(Window(0, 0, *store.shape))


@pytest.mark.parametrize(
    ("shape", "looks"),
    [
        ((8, 6), Looks(4, 2)),
        ((37, 41), Looks(4, 2)),
        ((37, 41), Looks(2, 1)),
        ((37, 2100), Looks(5, 3)),
        ((130, 4100), Looks(9, 7)),
        ((5, 7), Looks(5, 7)),
        ((1, 1), Looks(1, 1)),
    ],
)
@pytest.mark.parametrize("form", ["ceos", "geotiff", "compressed"])
def test_cells_are_means_of_power(make: Any, shape: Any, looks: Looks, form: str) -> None:
    samples = speckle(shape)
    gains = np.linspace(0.5, 2.0, shape[1])
    if form == "ceos":
        image = make.image(make.ceos("IMG-x", samples), shape, "complex64")
    else:
        parts = np.rint(np.stack([samples.real, samples.imag])).astype(np.int16)
        samples = parts[0] + 1j * parts[1]
        how = {"compress": "deflate"} if form == "compressed" else {"interleave": "pixel"}
        image = make.image(make.geotiff("IMG-x.tif", parts, **how), shape, "complex_int16")
    found = averaged(image, looks, gains, make.folder)
    np.testing.assert_allclose(found, expected(samples, looks, gains), rtol=1.01 * 2.0**-10)


def test_a_plain_geotiff_is_read_without_gdal(make: Any) -> None:
    parts = np.ones((2, 5, 6), np.int16)
    for name, how, plain in (
        ("a.tif", {"interleave": "pixel"}, True),
        ("b.tif", {"interleave": "band"}, False),
        ("c.tif", {"interleave": "pixel", "compress": "lzw"}, False),
    ):
        image = make.image(make.geotiff(name, parts, **how), (5, 6), "complex_int16")
        with open_lines(image) as lines:
            assert isinstance(lines, rawlines._FileLines) == plain


def test_strips_out_of_order_are_not_taken_for_lines(make: Any) -> None:
    """GDAL writes strips of zeros last, wherever they belong."""
    parts = np.ones((2, 6, 5), np.int16)
    parts[:, 1] = 0
    path = make.geotiff("IMG-x.tif", parts, interleave="pixel", blockysize=1, sparse_ok=False)
    image = make.image(path, (6, 5), "complex_int16")
    found = averaged(image, Looks(1, 1), np.ones(5), make.folder)
    assert np.isnan(found[1]).all()
    assert (found[[0, 2, 3, 4, 5]] == 2).all()


def test_zeros_and_garbage_are_no_data(make: Any) -> None:
    samples = speckle((40, 50))
    samples[8:16, 10:20] = 0  # whole cells
    samples[21, 31] = 0
    samples[30, 40] = complex(np.nan, 1)
    samples[32, 44] = complex(np.inf, 0)
    samples[36:38, 46] = complex(3e38, 0)  # its square is no float32
    gains = np.full(50, 1e-11)
    image = make.image(make.ceos("IMG-x", samples), (40, 50), "complex64")
    found = averaged(image, Looks(4, 2), gains, make.folder)
    assert np.isnan(found[2:4, 5:10]).all()
    assert np.isnan(found).sum() == 10
    reference = expected(samples, Looks(4, 2), gains)
    reference[9, 23] = found[9, 23]  # 1e76 in double, more than float32 holds
    np.testing.assert_allclose(found, reference, rtol=1.01 * 2.0**-10)


def test_dark_cells_stay_valid(make: Any) -> None:
    samples = np.full((4, 4), 1e-15 + 0j, np.complex64)
    image = make.image(make.ceos("IMG-x", samples), (4, 4), "complex64")
    found = averaged(image, Looks(2, 2), np.full(4, 1e-11), make.folder)
    assert (found > 0).all()


@pytest.mark.parametrize("can_ask", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_threads_and_the_cache_change_nothing(
    make: Any, monkeypatch: pytest.MonkeyPatch, threads: int, can_ask: bool
) -> None:
    monkeypatch.setattr(rawlines, "_CAN_ASK", can_ask)
    monkeypatch.setattr("alos2.raster.lookpass.BLOCK_BYTES", 20_000)
    monkeypatch.setattr(rawlines, "_RESIDENT_BYTES", 30_000)
    monkeypatch.setattr(cells, "IN_MEMORY_BYTES", 0)
    samples, gains = speckle((501, 203)), np.ones(203)
    image = make.image(make.ceos("IMG-x", samples), (501, 203), "complex64")
    told: list[tuple[str, int, int | None]] = []
    found = averaged(
        image,
        Looks(4, 2),
        gains,
        make.folder,
        threads=threads,
        stage="looks HH",
        progress=lambda *what: told.append(what),
    )
    np.testing.assert_allclose(found, expected(samples, Looks(4, 2), gains), rtol=1.01 * 2.0**-10)
    assert told[-1] == ("looks HH", 501, 501)
    assert [path.name for path in make.folder.iterdir()] == ["IMG-x"]


def test_a_cell_file_gives_any_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(cells, "_RESIDENT_BYTES", 2000)
    short = np.arange(20_000, 20_000 + 60 * 30, dtype=np.uint16).reshape(60, 30)
    short[5, 5] = 0
    values = cells.widened(short)
    assert np.isnan(values[5, 5])
    with CellStore(RasterShape(60, 30), tmp_path) as store:
        assert store.in_file
        for first in (40, 0, 20):
            store.write(first, short[first : first + 20])
        source = CellSource("x", store, USED)
        for window in (Window(0, 0, 60, 30), Window(4, 3, 9, 11), Window(59, 29, 1, 1)):
            part = values[
                window.line : window.line + window.lines,
                window.pixel : window.pixel + window.pixels,
            ]
            np.testing.assert_array_equal(source.power(window), part)
            np.testing.assert_array_equal(source.valid(window), np.isfinite(part))
        with pytest.raises(ValueError, match="not within"):
            source.power(Window(0, 0, 61, 30))
        assert not list(tmp_path.iterdir())  # the file has no name
    with pytest.raises(ValueError, match="given back"):
        store.read(Window(0, 0, 1, 1))


def test_short_numbers_round_to_nearest(make: Any) -> None:
    rng = np.random.default_rng(3)
    samples = (10 ** rng.uniform(-8, 8, (100, 100))).astype(np.complex64)
    image = make.image(make.ceos("IMG-x", samples), samples.shape, "complex64")
    found = averaged(image, Looks(1, 1), np.ones(100), make.folder)
    error_db = 10 * np.log10(found / np.abs(samples) ** 2)
    assert np.abs(error_db).max() < 0.0043
    assert abs(error_db.mean()) < 2e-4


def test_memory_is_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "IN_MEMORY_BYTES", 5000)
    with CellStore(RasterShape(40, 50), tmp_path) as first:
        with CellStore(RasterShape(40, 50), tmp_path) as second:
            assert (first.in_file, second.in_file) == (False, True)
        with CellStore(RasterShape(10, 50), tmp_path) as third:
            assert not third.in_file
    with CellStore(RasterShape(40, 60), tmp_path) as again:
        assert not again.in_file


def test_a_full_disk_is_said_to_be_full(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "IN_MEMORY_BYTES", 0)

    class Full:
        def seek(self, *_: Any) -> None: ...

        def write(self, *_: Any) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr(cells.tempfile, "TemporaryFile", lambda **_: Full())
    image = make.image(make.ceos("IMG-x", speckle((40, 40))), (40, 40), "complex64")
    with pytest.raises(NoSpace, match="quicklook of 10 x 20 cells"):
        averaged(image, Looks(4, 2), np.ones(40), tmp_path)


def test_a_short_image_is_refused(make: Any) -> None:
    path = make.ceos("IMG-x", speckle((40, 40)))
    image = make.image(path, (40, 40), "complex64")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadRecord, match="39 whole lines, expected 40"):
        averaged(image, Looks(4, 2), np.ones(40), make.folder)


def test_an_image_that_shrinks_while_it_is_read_is_named(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rawlines, "_CAN_ASK", False)
    path = make.ceos("IMG-x", speckle((40, 40)))
    image = make.image(path, (40, 40), "complex64")
    with open_lines(image) as lines:
        with path.open("r+b") as file:
            file.truncate(2000)
        with pytest.raises(BadRecord, match="IMG-x ends at byte 2000"):
            lines.block(0, 40, np.empty(40 * lines.line_bytes, np.uint8))


def test_a_detected_image_is_refused(make: Any) -> None:
    image = make.image(make.ceos("IMG-x", np.ones((4, 4), np.uint16)), (4, 4), "uint16")
    with pytest.raises(BadProduct, match="no complex image"), open_lines(image):
        pass


def test_it_stops_when_asked(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alos2.raster.lookpass._TICK_S", 0.01)
    image = make.image(make.ceos("IMG-x", speckle((40, 40))), (40, 40), "complex64")
    before = threading.active_count()
    with pytest.raises(Interrupted):
        averaged(image, Looks(4, 2), np.ones(40), make.folder, cancelled=lambda: True)
    assert threading.active_count() == before
