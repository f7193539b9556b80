from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from alos2.errors import UsageError
from alos2.naming import MODES, ProductId
from alos2.simulate import SimulationSpec
from alos2.simulate.modes import parameters


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"level": "1.0"}, "level '1.0'"),
        ({"format": "netcdf"}, "format 'netcdf'"),
        ({"mode": "XYZ"}, "mode 'XYZ'"),
        ({"look": "B"}, "look side 'B'"),
        ({"pass_direction": "N"}, "pass 'N'"),
        ({"pixels": 8}, "8 pixels"),
        ({"pixels": 130_000}, "130000 pixels"),
        ({"lines": 1_000_000}, "1000000 lines"),
        ({"seed": -1}, "seed -1"),
        ({"lat_deg": 91.0}, "latitude 91"),
        ({"lat_deg": float("nan")}, "latitude nan"),
        ({"lon_deg": 181.0}, "longitude 181"),
        ({"off_nadir_deg": 80.0}, "off-nadir angle 80"),
        ({"height_m": 1e5}, "height of the ground"),
        ({"level": "1.5", "spacing_m": 0.0}, "pixel spacing 0"),
        ({"level": "2.1", "option": "R"}, "always geocoded"),
        ({"mode": "WBD", "format": "geotiff"}, "no GeoTIFF of ScanSAR"),
        ({"mode": "FBS", "polarizations": ("HH", "HV")}, "does not give the polarisations HH+HV"),
        ({"polarizations": ("HH", "XX")}, "polarisation 'XX'"),
        ({"date": date(2014, 6, 1)}, "2014-06-01 is not between"),
        ({"date": date(2016, 12, 31)}, "leap second"),
        ({"compat": frozenset({"gdal"})}, "compatibility switch 'gdal' is not one of sarpy"),
        ({"zip": "asf"}, "kind of zip 'asf' is not one of auig2"),
    ],
)
def test_refuses_what_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        SimulationSpec(**given)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_parameters_and_polarizations(mode: Any) -> None:
    spec = SimulationSpec(mode=mode)
    found = parameters(mode)
    assert len(spec.all_polarizations) == {"S": 1, "D": 2, "Q": 4}[mode[2]]
    assert len(found.prf_hz) == {"WB": 5, "WW": 5, "VB": 7}.get(mode[:2], 1)
    assert found.range_bandwidth_hz < found.sampling_rate_hz
    assert max(found.azimuth_bandwidth_hz for _ in found.prf_hz) < min(found.prf_hz)
    assert spec.spacing == found.spacings_m[0]


@pytest.mark.parametrize(
    ("mode", "spacing"),
    [("SBS", 1.4304), ("UBD", 1.4304), ("HBQ", 2.8608), ("FBD", 4.2913), ("WBD", 8.5825)],
)
def test_slant_range_spacing_is_that_of_real_products(mode: str, spacing: float) -> None:
    assert parameters(mode).range_spacing_m == pytest.approx(spacing, abs=6e-5)


def test_fine_mode_is_that_of_the_real_leader() -> None:
    fine = parameters("FBD")
    assert fine.wavelength_m == pytest.approx(0.2424525, abs=5e-8)
    assert fine.chirp_rate_hz_s == pytest.approx(8.0733624e11, rel=1e-6)
    assert fine.prf_hz == (2122.318448518,)


def test_product_id() -> None:
    assert str(SimulationSpec().product_id) == "FBDR1.1__A"
    spec = SimulationSpec(level="1.5", mode="WWD", look="L", pass_direction="D", projection="P")
    assert spec.product_id == ProductId.parse("WWDL1.5GPD")
