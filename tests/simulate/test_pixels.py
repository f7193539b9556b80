"""Point targets where geometry puts them, and patches as bright as the truth says."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from pyproj import CRS, Transformer

from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from simulate.measure import find_peak, usable_targets, whole_patches
from simulate.products import Made, Maker

SLANT: list[dict[str, Any]] = [
    {"mode": "FBD", "pixels": 700, "lines": 900},
    {"mode": "UBS", "pixels": 700, "lines": 700, "look": "L", "pass_direction": "D"},
    {"mode": "HBQ", "pixels": 400, "lines": 500, "lon_deg": 179.999, "lat_deg": -40.0},
    {"mode": "SBS", "pixels": 600, "lines": 900, "lat_deg": 72.0},
    {"mode": "FBS", "pixels": 600, "lines": 800, "format": "geotiff", "height_m": 900.0},
]
MAPPED: list[dict[str, Any]] = [
    {"level": "1.5", "pixels": 500, "lines": 500},
    {"level": "1.5", "pixels": 500, "lines": 500, "height_m": 1200.0, "look": "L"},
    {"level": "1.5", "option": "R", "mode": "UBS", "pixels": 500, "lines": 500, "height_m": 300.0},
    {"level": "1.5", "option": "R", "format": "geotiff", "pixels": 500, "lines": 500},
    {"level": "2.1", "pixels": 500, "lines": 500, "height_m": 1200.0, "pass_direction": "D"},
    {"level": "2.1", "pixels": 500, "lines": 500, "format": "geotiff", "projection": "P",
     "lat_deg": 70.0, "lon_deg": 179.99},
    {"level": "3.1", "mode": "WWD", "pixels": 400, "lines": 400, "lat_deg": -30.0},
]  # fmt: skip


def ids(given: dict[str, Any]) -> str:
    return "-".join(str(value) for value in given.values())


@pytest.fixture(params=SLANT, ids=ids)
def slant(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


@pytest.fixture(params=MAPPED, ids=ids)
def mapped(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


def orbit_of(truth: dict[str, Any]) -> Orbit:
    orbit = truth["orbit"]
    epoch = datetime.fromisoformat(orbit["epoch"].replace("Z", "+00:00"))
    return Orbit(epoch, *(np.array(orbit[k]) for k in ("times_s", "positions_m", "velocities_m_s")))


def expected_slant(
    truth: dict[str, Any], target: dict[str, Any], near_range_m: float, image: dict[str, Any]
) -> tuple[float, float]:
    """Line and pixel by range-Doppler geometry, from a near range."""
    orbit = orbit_of(truth)
    first = datetime.fromisoformat(image["first_line_time"].replace("Z", "+00:00"))
    t, r = geo2rdr(orbit, target["lon_deg"], target["lat_deg"], target["height_m"])
    return (
        (float(t) - orbit.seconds(first)) / image["line_interval_s"],
        (float(r) - near_range_m) / image["range_spacing_m"],
    )


def test_point_targets_lie_where_the_true_near_range_puts_them(slant: Made) -> None:
    image = slant.truth["images"][0]
    for polarization in slant.spec.all_polarizations:
        numbers = slant.numbers(polarization)
        targets = usable_targets(slant.truth, polarization, numbers.shape)
        assert len(targets) >= (4 if polarization in ("HH", "VV") else 1)
        assert any(t["height_m"] > slant.spec.height_m + 10.0 for t in targets)
        for target in targets:
            line, pixel = expected_slant(slant.truth, target, image["near_range_m"], image)
            assert (line, pixel) == (
                pytest.approx(target["line"], abs=3e-3),  # the first line's time is cut to us
                pytest.approx(target["pixel"], abs=1e-6),
            )
            found = find_peak(numbers, line, pixel)
            assert found[0] == pytest.approx(line, abs=0.1)
            assert found[1] == pytest.approx(pixel, abs=0.1)


def test_the_rounded_near_range_of_the_prefix_shifts_them_by_up_to_half_a_metre(
    make: Maker,
) -> None:
    shifts = []
    for given in SLANT[:4]:
        made = make(**given)
        image = made.truth["images"][0]
        rounded = float(round(image["near_range_m"]))
        spacing = image["range_spacing_m"]
        shift = (image["near_range_m"] - rounded) / spacing
        assert 0.05 / spacing < abs(shift) <= 0.5 / spacing
        shifts.append(abs(shift))
        numbers = made.numbers()
        target = usable_targets(made.truth, "HH", numbers.shape)[0]
        line, pixel = expected_slant(made.truth, target, rounded, image)
        found = find_peak(numbers, line, pixel)
        assert found[1] - pixel == pytest.approx(-shift, abs=0.1)
    assert max(shifts) > 0.1  # it is more than the 0.1 px to which targets are found


def test_patches_have_their_sigma0(slant: Made) -> None:
    check_patches(slant, least=6)


def test_scansar_beams_show_one_ground(make: Maker) -> None:
    made = make(mode="WBD", pixels=400, lines=2400)
    seen = set()
    for image in made.truth["images"]:
        beam = image["beam"]
        numbers = made.numbers("HH", beam)
        assert numbers.shape == (image["lines"], image["pixels"])
        for target in usable_targets(made.truth, "HH", numbers.shape, beam=beam, least_db=30.0):
            if not 40 < target["line"] < image["lines"] - 40 or not 40 < target["pixel"] < 360:
                continue
            found = find_peak(numbers, target["line"], target["pixel"], half=40, line_band=0.2)
            # Responses are eight lines wide along the track.
            assert found[0] == pytest.approx(target["line"], abs=0.3)
            assert found[1] == pytest.approx(target["pixel"], abs=0.1)
            seen.add(target["name"])
        check_patches(made, least=0, beam=beam)
    assert len(seen) >= 2
    ranges = [(i["near_range_m"], i["pixels"] * i["range_spacing_m"]) for i in made.truth["images"]]
    for (near, width), (beyond, _) in itertools.pairwise(ranges):
        assert beyond - near == pytest.approx(0.95 * width, abs=1.0)


def check_patches(made: Made, *, least: int, beam: str | None = None) -> None:
    """Mean sigma nought of every patch against the truth."""
    for polarization in made.spec.all_polarizations:
        sigma0 = made.sigma0(polarization, beam)
        patches = whole_patches(made.truth, sigma0 > 0.0, least=2500, beam=beam)
        assert len(patches) >= least
        errors = []
        for patch, mask in patches:
            error = 10.0 * np.log10(sigma0[mask].mean()) - patch["sigma0_db"][polarization]
            # Five standard deviations of single-look speckle.
            assert abs(error) < 5.0 * 4.343 / np.sqrt(mask.sum())
            errors.append(error)
        if least:
            assert abs(np.mean(errors)) < 0.06


def test_slc_speckle_is_circular_gaussian(make: Maker) -> None:
    made = make(**SLANT[0])
    numbers = made.numbers()
    for _, mask in whole_patches(made.truth, np.ones(numbers.shape, dtype=bool))[:4]:
        samples = numbers[mask]
        power = np.abs(samples) ** 2
        assert power.std() / power.mean() == pytest.approx(1.0, abs=0.08)
        assert abs((samples**2).mean()) / power.mean() < 0.06
        assert abs(samples.mean()) ** 2 / power.mean() < 1e-2


def test_point_targets_of_maps(mapped: Made) -> None:
    truth = mapped.truth
    orbit = orbit_of(truth)
    a, b, c, d, e, f = truth["images"][0]["transform"]
    crs = CRS.from_wkt(truth["images"][0]["crs_wkt"])
    project = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform
    sigma0 = mapped.sigma0()
    targets = usable_targets(truth, "HH", sigma0.shape, least_db=22.0)
    assert len(targets) >= 2
    moved = []
    for target in targets:
        lon, lat = target["lon_deg"], target["lat_deg"]
        true_x, true_y = project(lon, lat)
        if mapped.spec.level != "2.1":
            t, r = geo2rdr(orbit, lon, lat, target["height_m"])
            lon, lat = rdr2geo(orbit, t, r, look=mapped.spec.look)
        x, y = project(float(lon), float(lat))
        moved.append(np.hypot(x - true_x, y - true_y) / max(target["height_m"], 1.0))
        u, v = x - c, y - f
        area = a * e - b * d
        pixel, line = (e * u - b * v) / area - 0.5, (a * v - d * u) / area - 0.5
        assert (line, pixel) == (
            pytest.approx(target["line"], abs=1e-6),
            pytest.approx(target["pixel"], abs=1e-6),
        )
        found = find_peak(sigma0, line, pixel)
        assert found == (pytest.approx(line, abs=0.1), pytest.approx(pixel, abs=0.1))
    if mapped.spec.level != "2.1" and mapped.spec.height_m:
        assert min(moved) > 1.0  # foreshortening: more than the height, at these angles
    elif mapped.spec.level == "2.1":
        assert max(moved) == 0.0


def test_patches_of_maps_have_their_sigma0(mapped: Made) -> None:
    check_patches(mapped, least=3)


def test_maps_are_zero_outside_the_data_and_only_there(make: Maker) -> None:
    for given in (MAPPED[0], MAPPED[4]):
        made = make(**given)
        numbers = made.numbers()
        truth = made.truth
        orbit = orbit_of(truth)
        data = truth["data"]
        times = [
            orbit.seconds(datetime.fromisoformat(data[k].replace("Z", "+00:00")))
            for k in ("start", "end")
        ]
        corners = np.array(
            [(p["line"], p["pixel"]) for p in truth["images"][0]["corners"]], dtype=int
        )
        assert (numbers[corners[:, 0], corners[:, 1]] == 0).all()
        a, b, c, d, e, f = truth["images"][0]["transform"]
        rng = np.random.default_rng(0)
        line, pixel = (rng.integers(0, 500, 3000) for _ in range(2))
        crs = CRS.from_wkt(truth["images"][0]["crs_wkt"])
        lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(
            a * (pixel + 0.5) + b * (line + 0.5) + c, d * (pixel + 0.5) + e * (line + 0.5) + f
        )
        height = made.spec.height_m if made.spec.level == "2.1" else 0.0
        t, r = geo2rdr(orbit, lon, lat, height)
        slack_s, slack_m = 1e-3, 5.0
        inside = (t > times[0] + slack_s) & (t < times[1] - slack_s)
        inside &= (r > data["near_range_m"] + slack_m) & (r < data["far_range_m"] - slack_m)
        outside = (t < times[0] - slack_s) | (t > times[1] + slack_s)
        outside |= (r < data["near_range_m"] - slack_m) | (r > data["far_range_m"] + slack_m)
        assert inside.sum() > 1000
        assert outside.sum() > 300
        assert (numbers[line[inside], pixel[inside]] > 0).all()
        assert (numbers[line[outside], pixel[outside]] == 0).all()


def test_the_data_touch_all_four_sides_of_a_geocoded_raster(make: Maker) -> None:
    numbers = make(**MAPPED[0]).numbers() > 0
    for side in (numbers[:3], numbers[-3:], numbers[:, :3], numbers[:, -3:]):
        assert side.any()
    assert 0.5 < numbers.mean() < 0.9


def test_georeferenced_rasters_are_full_and_turned(make: Maker) -> None:
    made = make(**MAPPED[2])
    assert (made.numbers() > 0).all()
    a, b, _, d, e, _ = made.truth["images"][0]["transform"]
    assert a * e - b * d < 0.0  # a rotation of a north-up grid, not a mirror image
    assert np.hypot(a, d) == pytest.approx(2.5)
    assert abs(b) > 0.1
    assert e < 0.0  # north is up


def test_products_of_one_seed_show_the_same_ground(make: Maker) -> None:
    slc, detected = make(**SLANT[0]).truth, make(**MAPPED[0]).truth
    first = {t["name"]: t for t in slc["point_targets"]}
    both = [t for t in detected["point_targets"] if t["name"] in first]
    assert len(both) >= 5
    for target in both:
        for key in ("lon_deg", "lat_deg", "height_m", "rcs_dbsm"):
            assert target[key] == first[target["name"]][key]
