"""sarpy reads level 1.1 CEOS (stripmap and spotlight)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from simulate.products import Made, Maker

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]

palsar2 = pytest.importorskip("sarpy.io.complex.palsar2", reason="sarpy is not installed")

PLEASED = {"compat": frozenset({"sarpy"})}
PRODUCTS: list[dict[str, Any]] = [
    {"pixels": 200, "lines": 300},
    {"pixels": 150, "lines": 200, "look": "L", "pass_direction": "D", "lat_deg": -42.0},
    {"pixels": 150, "lines": 200, "look": "L", "mode": "UBS", "lon_deg": -3.0, "lat_deg": 55.0},
    {"pixels": 150, "lines": 200, "mode": "HBQ", "pass_direction": "D"},
    {"pixels": 150, "lines": 200, "mode": "SBS"},
]


@pytest.fixture(params=PRODUCTS, ids=str)
def made(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**PLEASED, **request.param)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_sizes_and_pixels(made: Made) -> None:
    with palsar2.PALSARReader(str(made.folder)) as reader:
        polarizations = made.spec.all_polarizations
        sizes = reader.get_data_size_as_tuple()
        assert sizes == ((made.spec.pixels, made.spec.lines),) * len(polarizations)
        found = [s.ImageFormation.TxRcvPolarizationProc for s in reader.get_sicds_as_tuple()]
        assert sorted(p.replace(":", "") for p in found) == sorted(polarizations)
        for index, name in enumerate(found):
            image = reader.read(index=index).T
            wanted = made.numbers(name.replace(":", "")).astype(np.complex64)
            # It turns each line round where the antenna looks left.
            assert (image == (wanted[:, ::-1] if made.spec.look == "L" else wanted)).all()


def test_geometry(made: Made) -> None:
    truth = made.truth["images"][0]
    with palsar2.PALSARReader(str(made.folder)) as reader:
        sicd = reader.get_sicds_as_tuple()[0]
    assert sicd.SCPCOA.SideOfTrack == made.spec.look
    assert sicd.CollectionInfo.CoreName == made.truth["scene"]
    assert sicd.CollectionInfo.RadarMode.ModeID == made.spec.mode
    assert sicd.SCPCOA.IncidenceAng == pytest.approx(
        made.truth["center"]["incidence_deg"], abs=0.05
    )
    start = sicd.Timeline.CollectStart.astype("int64") / 1e6
    assert start == pytest.approx(seconds(truth["first_line_time"]), abs=1e-5)
    duration = (truth["lines"] - 1) * truth["line_interval_s"]
    assert sicd.Timeline.CollectDuration == pytest.approx(duration, abs=2e-6)
    # It starts from the rounded near range.
    middle = round(truth["near_range_m"]) + truth["pixels"] // 2 * truth["range_spacing_m"]
    assert float(sicd.RMA.INCA.R_CA_SCP) == pytest.approx(middle, abs=1e-3)
    corners = sicd.GeoData.ImageCorners.get_array(dtype="float64")
    early_near, early_far, late_far, late_near = truth["corners"]
    # Near range at the first and last line, far range at the last and first.
    wanted = [early_near, late_near, late_far, early_far]
    if made.spec.look == "L":
        # It counts the lines of left-looking images back in time from the first one, so that
        # only the first line's corners mean what the file says.
        corners, wanted = corners[[0, 3]], [early_near, early_far]
    for found, corner in zip(corners, wanted, strict=True):
        assert found[0] == pytest.approx(corner["lat_deg"], abs=3e-4)
        assert (found[1] - corner["lon_deg"] + 180.0) % 360.0 - 180.0 == pytest.approx(0, abs=3e-4)


def test_calibration_and_orbit(made: Made) -> None:
    with palsar2.PALSARReader(str(made.folder)) as reader:
        sicd = reader.get_sicds_as_tuple()[0]
    factor = sicd.Radiometric.SigmaZeroSFPoly.Coefs[0, 0]
    assert 10.0 * np.log10(factor) == pytest.approx(made.truth["calibration"]["factor_db"])
    assert sicd.RadarCollection.TxFrequency.Min == pytest.approx(
        299_792_458.0 / made.spec.parameters.wavelength_m
        - 0.5 * made.spec.parameters.range_bandwidth_hz,
        rel=1e-6,
    )
    orbit, first = made.truth["orbit"], made.truth["images"][0]["first_line_time"]
    since = seconds(first) - seconds(orbit["epoch"])
    # A state vector of the record, by sarpy's own polynomial through them.
    k = int(np.searchsorted(orbit["times_s"], since))
    position = sicd.Position.ARPPoly(orbit["times_s"][k] - since)
    assert np.linalg.norm(position - orbit["positions_m"][k]) < 0.05


def test_without_the_compatibility_switch_it_fails_as_known(make: Maker) -> None:
    made = make(pixels=150, lines=200)
    with pytest.raises(ValueError, match=r"infs or NaNs"):
        palsar2.PALSARReader(str(made.folder))


def test_detected_levels_are_not_for_it(make: Maker) -> None:
    made = make(level="1.5", pixels=100, lines=100)
    with pytest.raises((ValueError, OSError)):
        palsar2.PALSARReader(str(made.folder))
