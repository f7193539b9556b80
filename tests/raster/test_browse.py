"""Browse pictures: size, aspect, level, which way up, beams, no data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.errors import BadProduct, Interrupted
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import rdr2geo
from alos2.naming import Beam
from alos2.product.model import MapGrid, Sensor, TiePoint
from alos2.raster.canvas import browse_long_side
from alos2.raster.pictures import (
    PictureOptions,
    StretchLimits,
    browse_stem,
    default_engine,
    first_images,
    make_pictures,
)
from alos2.raster.png import encode_grey
from alos2.raster.stretch import find_limits, grey_to_decibel, to_grey
from alos2.raster.view import view_of
from alos2.types import LonLat

FIXED = PictureOptions(stretch_db=(-30.0, 0.0))
LIMITS = StretchLimits(-30.0, 0.0, "")
STEP_DB = 30.0 / 254


def grey_of(path: Path) -> np.ndarray:
    with Pillow.open(path) as picture:
        assert picture.mode == "L"
        assert picture.info["transparency"] == 0
        return np.asarray(picture)


def draw(product: Any, out: Path, options: PictureOptions = FIXED, number: int = 0) -> Any:
    return default_engine().browse(
        product, product.images[number], out, stem="IMG-HH-x_disp", options=options
    )


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
def test_slant_range_is_square_on_the_ground_and_seen_from_above(
    make: Any, tmp_path: Path, direction: str, look: str
) -> None:
    lines, pixels = 1600, 500
    level = np.full((lines, pixels), -20.0)
    level[100:200, 50:100] = -2.0  # bright early and near
    timing = make.timing()
    image = slc(make, level, timing=timing)
    orbit = circular_orbit(make, ascending=direction == "A")
    product = make.product(image, name=f"FBD{look}1.1__{direction}", form="ceos", orbit=orbit)
    report = draw(product, tmp_path)
    assert report.geometry == "slant range"
    assert report.spacing_from == "orbit and ellipsoid"
    t = np.array([0.0, lines - 1, 150.0]) * timing.line_interval_s
    ranges = timing.near_range_m + timing.range_spacing_m * np.array([pixels / 2, pixels / 2, 75.0])
    lon, lat = rdr2geo(orbit, t, ranges, look=look)
    ground_width = view_of(product, image).pixel_m * pixels
    ground_height = view_of(product, image).line_m * lines
    assert 5.0 < view_of(product, image).pixel_m < 10.0
    assert 2.9 < view_of(product, image).line_m < 3.6
    width, height = report.size
    assert width / height == pytest.approx(ground_width / ground_height, rel=0.01)
    assert max(width, height) * report.pixel_m == pytest.approx(
        max(ground_width, ground_height), rel=0.01
    )
    # Where the bright patch is in the picture, and where on the ground.
    rows, columns = np.nonzero(grey_of(report.browse) > 200)
    center = rdr2geo(
        orbit,
        np.array([lines / 2 * timing.line_interval_s]),
        np.array([timing.near_range_m + timing.range_spacing_m * pixels / 2]),
        look=look,
    )
    assert (rows.mean() < height / 2) == (lat[2] > center[1][0])
    assert (columns.mean() > width / 2) == (lon[2] > center[0][0])


def test_slant_range_by_tie_points(make: Any, tmp_path: Path) -> None:
    iq = np.full((2, 800, 300), 1000, np.int16)
    path = make.geotiff("IMG-HH-slc.tif", iq)
    corners = [
        TiePoint(line, pixel, LonLat(140.0 + pixel * 7e-5, 10.0 + line * 3e-5))
        for line in (0, 799)
        for pixel in (0, 299)
    ]
    image = make.image(path, (800, 300), "complex_int16", tie_points=tuple(corners))
    product = make.product(image, name="FBDR1.1__A")
    view = view_of(product, image)
    assert view.spacing_from == "tie points"
    assert view.line_m == pytest.approx(3e-5 * 110_600, rel=0.01)
    assert view.pixel_m == pytest.approx(7e-5 * 111_320 * np.cos(np.radians(10.0)), rel=0.01)
    report = draw(product, tmp_path)
    assert report.size[0] / report.size[1] == pytest.approx(
        300 * view.pixel_m / 800 / view.line_m, rel=0.01
    )


def test_slant_range_by_what_the_leader_says_and_by_nothing(make: Any) -> None:
    image = slc(make, np.full((20, 10), -10.0))
    said = make.product(
        image,
        name="FBDR1.1__A",
        form="ceos",
        sensor=Sensor(incidence_deg=30.0),
        line_spacing_m=3.2,
        pixel_spacing_m=4.3,
    )
    view = view_of(said, image)
    assert (view.line_m, view.pixel_m) == pytest.approx((3.2, 8.6))
    assert view_of(make.product(image, name="FBDR1.1__A", form="ceos"), image).line_m == 1.0


def test_tie_points_that_are_no_corners_are_named(make: Any) -> None:
    image = slc(make, np.full((20, 10), -10.0))
    points = tuple(TiePoint(n, n, LonLat(n, n)) for n in range(4))
    image = replace(image, tie_points=points)
    with pytest.raises(BadProduct, match="tie points"):
        view_of(make.product(image, name="FBDR1.1__A"), image)


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
    product = make.mapped(dn, make.utm(dn.shape))
    grid: MapGrid = replace(product.images[0].grid, transform=transform)
    view = view_of(product, replace(product.images[0], grid=grid))
    assert (view.flip_lines, view.flip_pixels) == flips


def scansar(make: Any, *, timed: bool = True) -> Any:
    """Two beams: the second begins later and farther out, and has another line interval."""
    first = slc(
        make,
        np.full((1200, 300), -8.0),
        1,
        beam=Beam.parse("F1"),
        timing=make.timing(interval_s=1 / 2000) if timed else None,
    )
    second = slc(
        make,
        np.full((1500, 300), -16.0),
        2,
        beam=Beam.parse("F2"),
        timing=make.timing(after_s=0.3, interval_s=1 / 2500, near_range_m=791_072.5)
        if timed
        else None,
    )
    orbit = circular_orbit(make, ascending=False)
    return make.product(first, second, name="WBDL1.1__D", form="ceos", orbit=orbit)


def test_scansar_beams_lie_where_time_and_range_put_them(make: Any, tmp_path: Path) -> None:
    product = scansar(make)
    report = draw(product, tmp_path)
    assert report.beams == ("F1", "F2")
    level = grey_to_decibel(grey_of(report.browse), LIMITS)
    height, width = level.shape

    def at(second: float, pixel: float) -> float:
        return float(level[round(second / 0.9 * height), round(pixel / 550 * width)])

    assert at(0.25, 100) == pytest.approx(-8.0, abs=0.2)
    assert at(0.7, 400) == pytest.approx(-16.0, abs=0.2)
    between = 10 * np.log10((10**-0.8 + 10**-1.6) / 2)  # beams overlap by 50 pixels
    assert at(0.45, 275) == pytest.approx(between, abs=0.8)
    assert np.isnan(at(0.15, 400))
    assert np.isnan(at(0.75, 100))


def test_scansar_without_times_shows_the_middle_beam(make: Any, tmp_path: Path) -> None:
    report = draw(scansar(make, timed=False), tmp_path)
    assert report.beams == ("F2",)
    level = grey_to_decibel(grey_of(report.browse), LIMITS)
    np.testing.assert_allclose(level, -16.0, atol=0.1)


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
    assert [layer.name for layer in report.layers] == ["HH", "HV"]
    assert stages == {"browse HH", "tiles HH", "browse HV", "tiles HV"}
    assert [b.stretch for b in report.browse] == [layer.stretch for layer in report.layers]
    for layer in report.layers:
        assert len(list((out / "tiles" / layer.name).rglob("*.png"))) == layer.count
    none = tmp_path / "none"
    none.mkdir()
    assert (
        make_pictures(product, none, dataset_id="x", options=PictureOptions(tiles=False)).layers
        == ()
    )
    assert not (none / "tiles").exists()


def test_slant_range_has_no_tiles_and_says_so(make: Any, tmp_path: Path) -> None:
    report = make_pictures(scansar(make), tmp_path, dataset_id="x", options=FIXED)
    assert len(report.browse) == 1
    assert report.layers == ()
    assert "no map grid" in report.notes[0]
    assert len(first_images(scansar(make))) == 1
