"""JAXA's equations with numbers done by hand, and LUTs that are none."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import BadProduct
from alos2.radiometry import (
    Factor,
    Lut,
    beta0,
    digital_power,
    factor_for,
    from_db,
    gamma0,
    lut_bytes,
    lut_sigma0,
    multilook,
    read_lut,
    sigma0,
    sigma0_db,
    to_db,
)
from alos2.types import Level

REAL_LUT = "LUT-HH-ALOS2146686640-170209-FBDR1.5GUA.txt"


def test_power_of_amplitudes_and_complex_samples() -> None:
    amplitude = np.array([[0, 1, 300, 65535]], dtype=np.uint16)
    power = digital_power(amplitude)
    assert power.dtype == np.float32
    assert np.isnan(power[0, 0]), "0 is no data"
    assert power[0, 1:].tolist() == [1.0, 90000.0, np.float32(65535.0**2)]
    slc = np.array([3 + 4j, 0j, -2j], dtype=np.complex64)
    assert digital_power(slc)[[0, 2]].tolist() == [25.0, 4.0]
    assert np.isnan(digital_power(slc)[1])
    assert digital_power(np.array([20000], dtype=np.int16)).tolist() == [4e8]


def test_detected_products_by_hand() -> None:
    """DN 5000 with CF -83: 20 log10(5000) = 73.979, so sigma nought is -9.021 dB."""
    factor = factor_for("1.5", -83.0)
    assert factor == Factor(-83.0, "leader")
    assert sigma0_db(5000.0**2, factor.db) == pytest.approx(-9.0206, abs=1e-4)
    linear = sigma0(digital_power(np.array([5000], np.uint16)), factor.db)
    assert linear.dtype == np.float32
    assert linear[0] == pytest.approx(0.125297, rel=1e-5)


def test_level_11_by_hand() -> None:
    """The same power reads 32 dB lower: CF - 32."""
    factor = factor_for("1.1", -83.0)
    assert factor == Factor(-115.0, "leader")
    assert sigma0_db(1e10, factor.db) == pytest.approx(-15.0)


@pytest.mark.parametrize("level", ["1.5", "2.1", "3.1"])
def test_levels_without_an_offset(level: Level) -> None:
    assert factor_for(level, -82.5).db == -82.5


@pytest.mark.parametrize("blank", [None, 0.0])
def test_a_blank_leader(blank: float | None) -> None:
    assert factor_for("2.1", blank) == Factor(-83.0, "default")
    assert factor_for("1.1", blank) == Factor(-115.0, "default")


def test_a_published_exception_goes_first() -> None:
    exception = Factor(-81.6, "JAXA notice of 2099-01-01")
    assert factor_for("1.5", -83.0, instead=exception) == exception
    assert factor_for("1.1", -83.0, instead=exception).db == pytest.approx(-113.6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 4000.0, -1e9])
def test_factors_that_are_none(bad: float) -> None:
    with pytest.raises(BadProduct, match=r"calibration factor of .*\(from leader\) cannot be one"):
        factor_for("1.5", bad)


def test_mean_before_logarithm() -> None:
    """One-look speckle: the mean of dB is 2.5 dB too low, the dB of the mean is right."""
    rng = np.random.default_rng(3)
    power = rng.exponential(1000.0, (400, 400))
    assert float(to_db(multilook(power, 400, 400))[0, 0]) == pytest.approx(30.0, abs=0.03)
    assert float(to_db(power).mean()) == pytest.approx(30.0 - 2.507, abs=0.05)


def test_multilook_by_hand() -> None:
    power = np.array([[1.0, 3.0, 5.0], [np.nan, 8.0, 7.0], [9.0, 9.0, 9.0]], dtype=np.float32)
    mean = multilook(power, 2, 2)
    assert mean.shape == (1, 1)
    assert mean.dtype == np.float32
    assert mean[0, 0] == 4.0
    assert np.isnan(multilook(np.full((4, 4), np.nan), 2, 2)).all()
    assert multilook(power, 4, 1).shape == (0, 3)
    with pytest.raises(ValueError, match="block of 0 x 2"):
        multilook(power, 0, 2)


def test_decibels_of_nothing() -> None:
    assert np.isnan(to_db(np.array([0.0, -1.0, np.nan]))).all()
    assert to_db(np.array([100.0], np.float32)).dtype == np.float32


@given(st.floats(-120.0, 120.0))
def test_decibels_there_and_back(db: float) -> None:
    assert to_db(from_db(db)) == pytest.approx(db, abs=1e-9)


def test_gamma_and_beta_by_hand() -> None:
    assert gamma0(0.1, 60.0) == pytest.approx(0.2)
    assert beta0(0.1, 30.0) == pytest.approx(0.2)
    assert gamma0(np.array([0.1, np.nan]), 0.0)[0] == pytest.approx(0.1)
    angle = np.array([25.0, 40.0])
    ratio = gamma0(np.ones(2), angle) / beta0(np.ones(2), angle)
    assert np.allclose(ratio, np.tan(np.radians(angle)))


@pytest.mark.parametrize("angle", [-1.0, 90.0, 120.0])
def test_gamma_out_of_bounds(angle: float) -> None:
    with pytest.raises(ValueError, match="gamma"):
        gamma0(0.1, angle)


@pytest.mark.parametrize("angle", [0.0, -5.0, 91.0])
def test_beta_out_of_bounds(angle: float) -> None:
    with pytest.raises(ValueError, match="beta"):
        beta0(0.1, angle)


def test_lut_of_a_detected_product() -> None:
    """sigma0 = (DN^2 + B) / A[column]: range-dependent gains, an offset that is not zero."""
    lut = Lut(-100.0, np.array([100.0, 200.0, 400.0]))
    power = np.array([[300.0, 300.0, np.nan], [500.0, 900.0, 4100.0]])
    expected = np.array([[2.0, 1.0, np.nan], [4.0, 4.0, 10.0]])
    assert np.array_equal(lut_sigma0(power, lut, complex_samples=False), expected, equal_nan=True)
    part = lut_sigma0(power[:, 1:], lut, slice(1, 3), complex_samples=False)
    assert np.array_equal(part, expected[:, 1:], equal_nan=True)
    picked = lut_sigma0(power[:, [2, 0]], lut, [2, 0], complex_samples=False)
    assert np.array_equal(picked, expected[:, [2, 0]], equal_nan=True)


def test_lut_of_level_11() -> None:
    """sigma0 = (I^2 + Q^2) / A^2."""
    lut = Lut(0.0, np.array([10.0, 20.0]))
    assert lut_sigma0(np.array([[100.0, 100.0]]), lut, complex_samples=True).tolist() == [
        [1.0, 0.25]
    ]
    single = np.array([[100.0, 100.0]], np.float32)
    assert lut_sigma0(single, lut, complex_samples=True).dtype == np.float32


def test_lut_of_other_columns() -> None:
    lut = Lut(0.0, np.ones(3))
    with pytest.raises(ValueError, match="3 gains for 2 columns"):
        lut_sigma0(np.ones((4, 2)), lut, complex_samples=False)


def test_real_lut(real_data: Path) -> None:
    """Geocoded: 14060 equal gains, those of -83 dB."""
    path = real_data / "palsar2-real" / "ALOS2146686640-170209" / REAL_LUT
    with path.open("rb") as file:
        lut = read_lut(file, REAL_LUT, columns=14060)
    assert lut.offset == 0.0
    assert lut.gains.shape == (14060,)
    assert lut.is_uniform
    power = digital_power(np.array([[4321] * 3], np.uint16)).astype(float)
    by_lut = to_db(lut_sigma0(power, lut, slice(0, 3), complex_samples=False))
    assert np.allclose(by_lut, sigma0_db(power, -83.0), atol=1e-9)
    assert lut_bytes(lut) == path.read_bytes()


def test_lut_there_and_back() -> None:
    gains = np.random.default_rng(5).uniform(1e8, 3e8, 500)
    again = read_lut(io.BytesIO(lut_bytes(Lut(12.5, gains))), "LUT", columns=500)
    assert again.offset == 12.5
    assert np.allclose(again.gains, gains, rtol=1e-15)
    assert not again.is_uniform


def test_line_ends_and_blank_end() -> None:
    assert read_lut(b" 0.0E+00\r\n 2.0E+08\r\n\r\n", "LUT").gains.tolist() == [2e8]


GOOD = b" 0.000000000000000E+00\n" + b" 1.995262314968883E+08\n" * 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no LUT: it has 0 lines"),
        (b" 0.0\n", "is no LUT: it has 1 lines"),
        (b"<html>\n<body>\n", "line 1: '<html>' is not a number"),
        (GOOD.replace(b"1.9952", b"1.99x2", 1), r"line 2: .* is not a number"),
        (GOOD + b"\n\n 1.0", "line 6: '' is not a number"),
        (GOOD + b"nan", "line 6: 'nan' is not a number"),
        (GOOD + b"1_0", "line 6: '1_0' is not a number"),
        (GOOD + b"\xff\xfe", "line 6: .* is not a number"),
        (GOOD + b"1.0 2.0", "line 6: '1.0 2.0' is not a number"),
        (GOOD[:-23] + b"0.0", "line 5: a gain of 0.0 is not positive"),
        (GOOD[:-23] + b"-1.0", "line 5: a gain of -1.0 is not positive"),
        (GOOD * 2, "10 lines, 5 are due for 4 columns"),
        (GOOD[:70], "lines, 5 are due for 4 columns"),
        (b"1\n" * 8_000_001, "too long for a LUT"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_luts_that_are_none(data: bytes, words: str) -> None:
    with pytest.raises(BadProduct, match=f"^LUT-HH-x.txt.*{words}"):
        read_lut(io.BytesIO(data), "LUT-HH-x.txt", columns=4)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_lut_or_a_named_error(data: bytes) -> None:
    try:
        lut = read_lut(data, "LUT")
    except BadProduct:
        return
    assert (lut.gains > 0.0).all()
