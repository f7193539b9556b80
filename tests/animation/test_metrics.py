"""Quick looks of metrics, their colours and colour bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alos2.animation import LOOKS, metric_quicklooks
from alos2.animation.colours import NO_DATA, oklab, paint, table
from alos2.animation.metrics import PHASE_TICKS, ticks
from alos2.errors import UsageError
from alos2.timeseries.model import Encoding
from animation.conftest import GRID, write

TIMES = 3

# Brettel, Vienot & Mollon 1997 as simplified by Vienot, Brettel & Mollon 1999: what people without
# the long- or the middle-wave cones see, on linear RGB.
BLIND = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def seen(colours: Any, eye: str | None) -> Any:
    if eye is None:
        return oklab(colours)
    light = (colours / 255.0) ** 2.2 @ np.array(BLIND[eye]).T
    return oklab(np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8))


def value_picture(path: Path) -> Any:
    return np.asarray(Image.open(path)).astype(int)[: 90 * TIMES]


@pytest.fixture
def slope() -> Any:
    values = np.tile(np.linspace(0, 1, 120, dtype=np.float32), (90, 1))
    values[:10, :100] = np.nan
    return values


def test_every_metric_has_a_picture(slope: Any, tmp_path: Path) -> None:
    metrics = {
        metric: write(
            tmp_path / f"bs.HH.{metric}.tif",
            (10 * slope - 15 if look.unit == "dB" else 4 * slope).astype(np.float32),
            unit=look.unit,
        )
        for metric, look in LOOKS.items()
    }
    written = metric_quicklooks(metrics, tmp_path / "looks", title="P126 HH")
    assert [path.name for path in written] == [f"bs.HH.{metric}.png" for metric in LOOKS]
    for path in written:
        picture = np.asarray(Image.open(path)).astype(int)
        assert picture.shape[1] == 120 * TIMES
        assert picture.shape[0] > 90 * TIMES + 40, "title and colour bar are below"
        assert (picture[: 10 * TIMES, : 100 * TIMES] == NO_DATA).all()
        assert len(np.unique(picture[90 * TIMES :].reshape(-1, 3), axis=0)) > 60, "a colour bar"
    again = metric_quicklooks(metrics, tmp_path / "again", title="P126 HH")
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in written]


def test_metrics_of_backscatter_share_their_colours(slope: Any, tmp_path: Path) -> None:
    metrics = {
        name: write(tmp_path / f"{name}.tif", (slope * 10 - offset).astype(np.float32), unit="dB")
        for name, offset in (("avg", 15), ("max", 11), ("min", 19))
    }
    drawn = dict(zip(metrics, metric_quicklooks(metrics, tmp_path), strict=True))
    low, high = np.percentile(10 * slope[20] - 19, 2), np.percentile(10 * slope[20] - 11, 98)
    for name, offset in (("avg", 15), ("max", 11), ("min", 19)):
        expected = paint((slope * 10 - offset).astype(np.float32), low, high, "sequential")
        shown = value_picture(drawn[name])[::TIMES, ::TIMES]
        assert np.abs(shown - expected).max() <= 6


def test_trends_part_at_nought_and_phases_meet(slope: Any, tmp_path: Path) -> None:
    trend = write(tmp_path / "trend.tif", 3 * slope - 1, unit="dB a year")
    phase = write(tmp_path / "phase.tif", (2 * slope - 1) * np.float32(np.pi), unit="rad")
    drawn = metric_quicklooks({"trend": trend, "phase": phase}, tmp_path / "out")
    shown = value_picture(drawn[0])[50 * TIMES, ::TIMES]
    np.testing.assert_allclose(shown[40], table("diverging")[127], atol=8)
    turned = value_picture(drawn[1])[50 * TIMES, ::TIMES]
    np.testing.assert_allclose(turned[0], turned[-1], atol=2)
    np.testing.assert_allclose(turned[60], table("cyclic")[128], atol=8)


def test_codes_are_read_by_who_knows_them(slope: Any, tmp_path: Path) -> None:
    encoding = Encoding("db", "uint8")
    level = (10 * slope - 15).astype(np.float32)
    codes = write(tmp_path / "codes.tif", encoding.encode(10 ** (level / 10)), unit="dB")
    plain = write(tmp_path / "plain.tif", level, unit="dB")
    (one,) = metric_quicklooks({"avg": codes}, tmp_path / "a", decode={"avg": encoding.decode})
    (other,) = metric_quicklooks({"avg": plain}, tmp_path / "b")
    assert np.abs(value_picture(one) - value_picture(other)).max() <= 8
    with pytest.raises(UsageError, match="uint8 numbers are codes"):
        metric_quicklooks({"avg": codes}, tmp_path / "c")
    with pytest.raises(UsageError, match="how to draw 'mean'"):
        metric_quicklooks({"mean": plain}, tmp_path / "c")


def test_a_metric_without_data_has_no_picture(tmp_path: Path) -> None:
    empty = write(tmp_path / "avg.tif", np.full(GRID.shape, np.nan, np.float32), unit="dB")
    assert metric_quicklooks({"avg": empty}, tmp_path / "out") == []


@pytest.mark.parametrize("eye", [None, "protan", "deutan"])
def test_colours_are_told_apart_whatever_the_colour_vision(eye: str | None) -> None:
    sequential = seen(table("sequential"), eye)
    assert (np.diff(sequential[:, 0]) > -0.004).all(), "ever lighter"
    assert sequential[-1, 0] - sequential[0, 0] > 0.6
    diverging = seen(table("diverging"), eye)
    apart = np.linalg.norm(diverging[:100] - diverging[:-101:-1], axis=1)
    assert (apart[:80] > 0.08).all(), "both sides of nought differ"
    cyclic = seen(table("cyclic"), eye)
    quarters = cyclic[[0, 64, 128, 191]]
    for one in range(4):
        for other in range(one):
            assert np.linalg.norm(quarters[one] - quarters[other]) > 0.1
    np.testing.assert_allclose(cyclic[0], cyclic[-1], atol=0.01)


def test_both_sides_of_nought_are_as_light() -> None:
    lightness = oklab(table("diverging"))[:, 0]
    np.testing.assert_allclose(lightness, lightness[::-1], atol=0.02)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-22.3, -2.7, [-20, -15, -10, -5]),
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (0, 0.71, [0, 0.2, 0.4, 0.6]),
        (-0.03, 0.03, [-0.03, -0.02, -0.01, 0, 0.01, 0.02, 0.03]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected, abs=1e-12)


def test_phase_ticks_are_where_the_cycle_is_highest() -> None:
    months = {"Jan": 0.0, "Apr": 0.25, "Jul": 0.5, "Oct": 0.75}
    years = np.arange(0, 1, 1 / 1200)
    for phase, text in PHASE_TICKS:
        highest = years[np.argmax(np.cos(2 * np.pi * years - phase))]
        assert highest == pytest.approx(months[text[:3]], abs=0.01)
