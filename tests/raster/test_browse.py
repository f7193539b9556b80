"""Browse pictures: size, aspect, level, which way up, beams, no data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from pyproj import Geod

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.errors import BadProduct, Interrupted
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import rdr2geo
from alos2.naming import Beam
from alos2.product.model import MapGrid
from alos2.raster.canvas import browse_long_side
from alos2.raster.pictures import (
    PictureOptions,
    StretchLimits,
    browse_stem,
    first_images,
    make_pictures,
)
from alos2.raster.png import encode_grey
from alos2.raster.stretch import find_limits, grey_to_decibel, to_grey
from alos2.raster.view import view_of

FIXED = PictureOptions(stretch_db=(-30.0, 0.0))
LIMITS = StretchLimits(-30.0, 0.0, "")
STEP_DB = 30.0 / 254


def grey_of(path: Path) -> np.ndarray:
    with Pillow.open(path) as picture:
        assert picture.mode == "L"
        assert picture.info["transparency"] == 0
        return np.asarray(picture)


def draw(product: Any, out: Path, options: PictureOptions = FIXED) -> Any:
    report = make_pictures(product, out, dataset_id="x", options=replace(options, tiles=False))
    return report.browse[0]


def circular_orbit(make: Any, *, ascending: bool) -> Orbit:
    """628 km high, inclined by 97.9 degrees, near 30 degrees north at the start of the images."""
    radius, inclination, rate, spin = (
        WGS84_SEMI_MAJOR_M + 628e3,
        np.radians(97.9),
        1.0755e-3,
        7.2921e-5,
    )
    t = np.arange(-300.0, 361.0, 60.0)
    angle = np.radians(30.0 if ascending else 150.0) + rate * t

    def inertial(a: np.ndarray) -> np.ndarray:
        return np.stack(
            [np.cos(a), np.sin(a) * np.cos(inclination), np.sin(a) * np.sin(inclination)], -1
        )

    def earth(v: np.ndarray) -> np.ndarray:
        c, s = np.cos(spin * t), np.sin(spin * t)
        return np.stack([c * v[:, 0] + s * v[:, 1], c * v[:, 1] - s * v[:, 0], v[:, 2]], -1)

    position = earth(radius * inertial(angle))
    turned = np.stack([-position[:, 1], position[:, 0], np.zeros(len(t))], -1) * spin
    velocity = earth(radius * rate * inertial(angle + np.pi / 2)) - turned
    return Orbit(make.timing().first_line_time, t, position, velocity)


def slc(make: Any, power_db: np.ndarray, number: int = 0, **more: Any) -> Any:
    """An image of level 1.1 whose power is that of `power_db`, without speckle."""
    magnitude = 10 ** ((power_db - make.slc_factor_db) / 20)
    phase = np.exp(2j * np.pi * np.random.default_rng(7).random(power_db.shape))
    path = make.ceos(f"IMG-HH-slc-{number}", (magnitude * phase).astype(np.complex64))
    return make.image(path, power_db.shape, "complex64", **more)


@pytest.mark.parametrize(
    ("size", "long_side"),
    [((500, 300), 500), ((5000, 4000), 1024), ((15_000, 3000), 1500), ((3000, 40_000), 2048)],
)
def test_the_long_side_is_a_tenth_within_its_bounds(size: tuple[int, int], long_side: int) -> None:
    assert browse_long_side(*size) == long_side


def test_a_small_image_is_not_enlarged_and_keeps_its_levels(make: Any, tmp_path: Path) -> None:
    level = np.array([[-25.0, -5.0], [-10.0, -15.0]])
    dn = make.dn(np.kron(level, np.ones((150, 200))))
    dn[:30, :50] = 0
    report = draw(make.mapped(dn, make.utm(dn.shape)), tmp_path)
    assert report.browse.name == "IMG-HH-x_disp.browse.png"
    assert report.small.name == "IMG-HH-x_disp.browse_small.png"
    grey = grey_of(report.browse)
    assert grey.shape == (300, 400)
    assert report.size == (400, 300)
    np.testing.assert_array_equal(grey == 0, dn == 0)
    found = grey_to_decibel(grey, LIMITS)
    for row in range(2):
        for column in range(2):
            part = found[150 * row + 40 : 150 * row + 110, 200 * column + 60 : 200 * column + 140]
            np.testing.assert_allclose(part, level[row, column], atol=STEP_DB / 2 + 0.01)
    little = grey_of(report.small)
    assert little.shape == (188, 250)
    assert report.small_size == (250, 188)
    assert (report.geometry, report.flipped_lines, report.flipped_pixels) == ("map", False, False)


def test_speckle_is_averaged_in_power(make: Any, tmp_path: Path) -> None:
    power = np.random.default_rng(8).exponential(0.1, (3000, 3000))
    dn = make.dn(10 * np.log10(power))
    report = draw(make.mapped(dn, make.utm(dn.shape)), tmp_path)
    found = grey_to_decibel(grey_of(report.browse), LIMITS)
    assert 10 * np.log10((10 ** (found / 10)).mean()) == pytest.approx(-10.0, abs=0.15)
    assert report.size == (1024, 1024)
    assert report.pixel_m == pytest.approx(6.25 * 3000 / 1024)
    little = grey_to_decibel(grey_of(report.small), LIMITS)
    np.testing.assert_allclose(np.median(little), -10.0, atol=0.15)


def test_the_stretch_is_robust_and_written_down(make: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    level = rng.normal(-12.0, 3.0, (400, 400))
    level[10, 10:14] = 12.0  # a ship
    dn = make.dn(level)
    report = draw(make.mapped(dn, make.utm(dn.shape)), tmp_path, PictureOptions())
    low, high = np.percentile(level, [2, 98])
    assert report.stretch.low_db == pytest.approx(low, abs=0.1)
    assert report.stretch.high_db == pytest.approx(high, abs=0.1)
    assert "2-98 percent" in report.stretch.method
    grey = grey_of(report.browse)
    assert grey.min() == 1
    assert grey[10, 11] == 255


def test_a_uniform_scene_is_grey_and_not_blown_up() -> None:
    limits = find_limits(np.full((9, 9), 0.1, np.float32), PictureOptions())
    assert (limits.low_db, limits.high_db) == (-13.0, -7.0)
    assert set(np.unique(to_grey(np.full((3, 3), 0.1, np.float32), limits))) <= {127, 128}


def test_grey_and_decibel_are_each_others_inverse() -> None:
    level = np.linspace(-30.0, 0.0, 400, dtype=np.float32)
    grey = to_grey((10 ** (level / 10)).astype(np.float32), LIMITS)
    np.testing.assert_allclose(grey_to_decibel(grey, LIMITS), level, atol=STEP_DB / 2 + 1e-4)
    odd = to_grey(np.array([np.nan, 0.0, 1e-30, 1e9], np.float32), LIMITS)
    assert odd.tolist() == [0, 1, 1, 255]


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (256, 256)])
def test_png_is_read_back_as_it_was_written(tmp_path: Path, shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(10).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(encode_grey(grey))
    np.testing.assert_array_equal(grey_of(path), grey)


def test_png_without_isal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from alos2.raster import png  # noqa: PLC0415

    monkeypatch.setattr(png, "_deflate", png._stdlib_deflate)
    grey = np.random.default_rng(10).integers(0, 256, (40, 50)).astype(np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(encode_grey(grey))
    np.testing.assert_array_equal(grey_of(path), grey)


@pytest.mark.parametrize("direction", ["A", "D"])
@pytest.mark.parametrize("look", ["R", "L"])
def test_level_11_is_drawn_on_the_map_north_up(
    make: Any, tmp_path: Path, direction: str, look: str
) -> None:
    lines, pixels = 1600, 500
    level = np.full((lines, pixels), -20.0)
    level[100:300, 50:150] = -2.0  # bright early and near
    timing = make.timing()
    image = slc(make, level, timing=timing)
    orbit = circular_orbit(make, ascending=direction == "A")
    product = make.product(image, name=f"FBD{look}1.1__{direction}", form="ceos", orbit=orbit)
    report = draw(product, tmp_path)
    assert (report.geometry, report.flipped_lines, report.flipped_pixels) == ("map", False, False)

    def ground(line: float, pixel: float) -> tuple[float, float]:
        lon, lat = rdr2geo(
            orbit,
            np.array([line * timing.line_interval_s]),
            np.array([timing.near_range_m + timing.range_spacing_m * pixel]),
            look=look,
        )
        return float(lon[0]), float(lat[0])

    found = grey_to_decibel(grey_of(report.browse), LIMITS)
    rows, columns = np.nonzero(found > -6.0)
    height, width = found.shape
    # Metres from the picture's middle (that of the scene) to the patch, east and north.
    east = (columns.mean() - (width - 1) / 2) * report.pixel_m
    north = ((height - 1) / 2 - rows.mean()) * report.pixel_m
    (lon0, lat0), (lon1, lat1) = ground(lines / 2, pixels / 2), ground(200, 100)
    assert north == pytest.approx((lat1 - lat0) * 110_900, abs=4 * report.pixel_m)
    assert east == pytest.approx(
        (lon1 - lon0) * 111_320 * np.cos(np.radians(lat0)), abs=4 * report.pixel_m
    )
    inside = found[np.isfinite(found)]
    assert np.median(inside) == pytest.approx(-20.0, abs=STEP_DB)
    along, across = Geod(ellps="WGS84"), np.isfinite(found).sum() * report.pixel_m**2
    length = along.inv(*ground(0, pixels / 2), *ground(lines, pixels / 2))[2]
    breadth = along.inv(*ground(lines / 2, 0), *ground(lines / 2, pixels))[2]
    assert across == pytest.approx(length * breadth, rel=0.03)


def test_level_11_that_lies_nowhere_is_refused(make: Any, tmp_path: Path) -> None:
    image = slc(make, np.full((40, 50), -10.0))
    with pytest.raises(BadProduct, match="nothing says where"):
        draw(make.product(image, name="FBDR1.1__A", form="ceos"), tmp_path)
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize(
    ("transform", "flips"),
    [
        ((6.0, 0.0, 4e5, 0.0, -6.0, 4e6), (False, False)),
        ((-6.0, 1.0, 4e5, 1.0, 6.0, 4e6), (True, True)),
        ((6.0, 1.0, 4e5, -1.0, 6.0, 4e6), (True, False)),
    ],
)
def test_a_georeferenced_picture_has_north_up_and_is_never_mirrored(
    make: Any, transform: tuple[float, ...], flips: tuple[bool, bool]
) -> None:
    dn = np.ones((10, 10), np.uint16)
    grid: MapGrid = replace(make.utm(dn.shape), transform=transform)
    view = view_of(grid)
    assert (view.flip_lines, view.flip_pixels) == flips


def scansar(make: Any) -> Any:
    """Two beams: the second begins later and farther out, and has another line interval."""
    first = slc(
        make,
        np.full((1200, 300), -8.0),
        1,
        beam=Beam.parse("F1"),
        timing=make.timing(interval_s=1 / 2000),
    )
    second = slc(
        make,
        np.full((1500, 300), -16.0),
        2,
        beam=Beam.parse("F2"),
        timing=make.timing(after_s=0.3, interval_s=1 / 2500, near_range_m=791_072.5),
    )
    orbit = circular_orbit(make, ascending=False)
    return make.product(first, second, name="WBDL1.1__D", form="ceos", orbit=orbit)


def test_scansar_beams_are_in_one_picture(make: Any, tmp_path: Path) -> None:
    product = scansar(make)
    report = make_pictures(product, tmp_path, dataset_id="x", options=FIXED)
    browse, *alone = report.browse
    assert browse.beams == ("F1", "F2")
    for single, name, db in zip(alone, ("F1", "F2"), (-8.0, -16.0), strict=True):
        assert single.browse.name == f"IMG-HH-{name}-x_disp.browse.png"
        level = grey_to_decibel(grey_of(single.browse), LIMITS)
        assert np.nanmean(np.abs(level - db) < 0.3) > 0.99 * np.isfinite(level).mean()
    level = grey_to_decibel(grey_of(browse.browse), LIMITS)
    found = level[np.isfinite(level)]
    # Mostly one beam's level or the other's; where they overlap something between.
    near = [np.mean(np.abs(found - db) < 0.3) for db in (-8.0, -16.0)]
    assert min(near) > 0.3
    assert sum(near) > 0.8
    assert found.min() > -17.0
    assert found.max() < -7.0
    assert [layer.name for layer in report.layers] == ["HH", "HH-F1", "HH-F2"]
    assert report.height_m == 0.0
    assert report.mapped_by == "orbit and ellipsoid"
    assert len(first_images(product)) == 1


def test_an_empty_image_has_no_picture(make: Any, tmp_path: Path) -> None:
    product = make.mapped(np.zeros((30, 40), np.uint16), make.utm((30, 40)))
    out = tmp_path / "out"
    out.mkdir()
    report = make_pictures(product, out, dataset_id="x")
    assert report.browse == report.layers == ()
    assert "no valid pixel" in report.notes[0]
    assert list(out.iterdir()) == []


def test_it_stops_when_asked_to(make: Any, tmp_path: Path) -> None:
    product = make.mapped(np.ones((30, 40), np.uint16), make.utm((30, 40)))
    with pytest.raises(Interrupted):
        make_pictures(product, tmp_path, dataset_id="x", cancelled=lambda: True)


def test_all_pictures_of_a_product(make: Any, tmp_path: Path) -> None:
    dn = np.random.default_rng(11).integers(2000, 9000, (300, 300)).astype(np.uint16)
    both = [make.mapped(dn, make.utm(dn.shape), pol=pol).images[0] for pol in ("HH", "HV")]
    product = make.product(*both)
    out = tmp_path / "out"
    out.mkdir()
    stages = set()
    report = make_pictures(
        product, out, dataset_id="x", progress=lambda stage, *_: stages.add(stage)
    )
    assert [p.name for p in report.files] == [
        f"{browse_stem(pol, 'x')}.{kind}.png"
        for pol in ("HH", "HV")
        for kind in ("browse", "browse_small")
    ]
    assert [layer.name for layer in report.layers] == ["HH", "HV", "RGB"]
    assert stages == {"browse HH", "browse HV", "tiles"}
    assert [b.stretch for b in report.browse] == [layer.stretch for layer in report.layers[:2]]
    for layer in report.layers:
        assert len(list((out / "tiles" / layer.name).rglob("*.png"))) == layer.count
    none = tmp_path / "none"
    none.mkdir()
    assert (
        make_pictures(product, none, dataset_id="x", options=PictureOptions(tiles=False)).layers
        == ()
    )
    assert not (none / "tiles").exists()
