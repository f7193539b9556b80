"""Several bands and layers in one walk, by whichever way the bands can be read."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import Any

import mercantile
import numpy as np
import pytest
from PIL import Image as Pillow

from alos2.errors import UsageError
from alos2.raster.layers import Channel, Layer, LayerReport, draw_layers
from alos2.raster.pictures import StretchLimits
from alos2.raster.places import Places
from alos2.raster.source import open_source
from alos2.types import RasterShape, Window

RNG = np.random.default_rng(12)
LIMITS = StretchLimits(-25.0, 0.0, "fixed")
RATIO = StretchLimits(-2.0, 14.0, "fixed")


class Album(dict[mercantile.Tile, bytes]):
    """A sink that keeps everything."""

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        assert tile not in self
        self[tile] = data

    def picture(self, tile: mercantile.Tile) -> np.ndarray:
        with Pillow.open(io.BytesIO(self[tile])) as picture:
            return np.asarray(picture).astype(int)


class Slow:
    """A source of which only calibrated windows can be had."""

    def __init__(self, source: Any) -> None:
        self.name, self.shape, self.grid = source.name, source.shape, source.grid
        self.calibration = source.calibration
        self._source = source

    def power(self, window: Window) -> Any:
        return self._source.power(window)

    def valid(self, window: Window) -> Any:
        return self._source.valid(window)


def bands(make: Any, shape: tuple[int, int] = (900, 1000), **more: Any) -> list[Any]:
    """Co- and cross-polarised, each with holes of its own."""
    images = []
    for pol, level in (("HH", -8.0), ("HV", -15.0)):
        power = 10 ** (level / 10) * RNG.gamma(3, 1 / 3, shape)
        dn = make.dn(10 * np.log10(power))
        dn[RNG.random(shape) < 0.01] = 0
        dn[:, : (200 if pol == "HH" else 100)] = 0
        images.append(make.mapped(dn, make.utm(shape, **more), pol=pol))
    return images


def draw(products: list[Any], layers: list[Layer], *, wrap: Any = None, **more: Any) -> Any:
    with ExitStack() as stack:
        sources = [stack.enter_context(open_source(p, p.images[0])) for p in products]
        if wrap is not None:
            sources = [wrap(source) for source in sources]
        return draw_layers(sources, Places(products[0].images[0].grid), layers, **more)


def three(sinks: list[Album], deepest: int = 14) -> list[Layer]:
    channels = (Channel(0), Channel(1), Channel(0, over=1))
    return [
        Layer("HH", (Channel(0),), (LIMITS,), 0, deepest, sinks[0]),
        Layer("HV", (Channel(1),), (LIMITS,), 3, deepest - 2, sinks[1]),
        Layer("RGB", channels, (LIMITS, LIMITS, RATIO), 0, deepest, sinks[2]),
    ]


def test_layers_of_one_walk_are_those_of_walks_of_their_own(make: Any) -> None:
    products = bands(make)
    together, apart = [[Album() for _ in range(3)] for _ in range(2)]
    reports = draw(products, three(together))
    for layer in three(apart):
        draw(products, [layer])
    assert [r.name for r in reports] == ["HH", "HV", "RGB"]
    for report, sink in zip(reports, together, strict=True):
        assert report == LayerReport(
            report.name,
            len(sink),
            sum(map(len, sink.values())),
            report.min_zoom,
            report.max_zoom,
            False,
        )
    assert {t.z for t in together[1]} == set(range(3, 13))
    assert together[0] == apart[0]
    assert together[2] == apart[2]
    # Drawn alone its deepest zoom is resampled at once, here it is the mean of deeper ones.
    assert together[1].keys() == apart[1].keys()


def test_a_composite_is_its_channels_where_all_are_valid(make: Any) -> None:
    products = bands(make)
    sinks = [Album() for _ in range(4)]
    layers = three(sinks[:3])
    layers.append(Layer("ratio", (Channel(0, over=1),), (RATIO,), 0, 14, sinks[3]))
    layers[1] = Layer("HV", (Channel(1),), (LIMITS,), 0, 14, sinks[1])
    draw(products, layers)
    assert sinks[2].keys() == sinks[3].keys() <= sinks[0].keys()
    for tile in sinks[2]:
        red, green, blue = np.moveaxis(sinks[2].picture(tile), -1, 0)
        hh, hv, ratio = (sinks[i].picture(tile) for i in (0, 1, 3))
        both = (hh > 0) & (hv > 0)
        for channel, layer in ((red, hh), (green, hv), (blue, ratio)):
            np.testing.assert_array_equal(channel, np.where(both, layer, 0))
    level = np.concatenate([p[p > 0] for t in sinks[3] if t.z == 10 for p in [sinks[3].picture(t)]])
    assert np.median(level) == pytest.approx(1 + 254 * (7.0 + 2) / 16, abs=5)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("spacing", "deepest"), [(6.25, 14), (6.25, 12), (2.0, 13), (30.0, 14)])
@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_mapped_and_read_windows_make_the_same_tiles(
    make: Any, threads: int, spacing: float, deepest: int, rotation: float
) -> None:
    products = bands(make, spacing=spacing, rotation_deg=rotation)
    fast, slow = [[Album() for _ in range(3)] for _ in range(2)]
    draw(products, three(fast, deepest), threads=threads)
    draw(products, three(slow, deepest), wrap=Slow, threads=threads)
    for ours, theirs in zip(fast, slow, strict=True):
        assert ours.keys() == theirs.keys()
        different = total = 0
        for tile in ours:
            stray = np.abs(ours.picture(tile) - theirs.picture(tile))
            different += (stray > 1).sum()
            total += stray.size
        assert different / total < 1e-4


@pytest.mark.parametrize("profile", [{"compress": "deflate"}, {"tiled": True}])
def test_a_compressed_geotiff_makes_the_same_tiles(make: Any, profile: dict[str, Any]) -> None:
    dn = make.dn(10 * np.log10(RNG.gamma(3, 0.02, (700, 700))))
    product = make.mapped(dn, make.utm(dn.shape))
    plain, packed = Album(), Album()
    draw([product], [Layer("HH", (Channel(0),), (LIMITS,), 10, 14, plain)])
    make.geotiff(product.images[0].file.name, dn, **profile)
    draw([product], [Layer("HH", (Channel(0),), (LIMITS,), 10, 14, packed)])
    assert plain.keys() == packed.keys()
    strays = [np.abs(plain.picture(t) - packed.picture(t)) for t in plain]
    assert np.mean([stray > 1 for stray in strays]) < 1e-4


def test_what_cannot_be_drawn_is_refused(make: Any) -> None:
    (product, _) = bands(make, (40, 50))
    sink = Album()
    with pytest.raises(UsageError, match="no layer"):
        draw([product], [])
    with pytest.raises(UsageError, match=r"bands \[0, 1\] of 1"):
        draw([product], [Layer("x", (Channel(0, over=1),), (LIMITS,), 0, 14, sink)])
    with pytest.raises(UsageError, match="neither grey nor"):
        Layer("x", (Channel(0), Channel(1)), (LIMITS, LIMITS), 0, 14, sink)
    with pytest.raises(UsageError, match="not within 0 to 22"):
        Layer("x", (Channel(0),), (LIMITS,), 5, 4, sink)

    def other(source: Any) -> Any:
        slow = Slow(source)
        slow.shape = RasterShape(3, 4)
        return slow

    with pytest.raises(UsageError, match="lines and pixels"):
        draw([product], [Layer("x", (Channel(0),), (LIMITS,), 0, 14, sink)], wrap=other)
