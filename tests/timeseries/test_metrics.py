"""Names and ranges of metrics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alos2.errors import UsageError
from alos2.timeseries.metrics import METRICS, TABLE, expand_metrics
from alos2.timeseries.outliers import sorting_network, tail_lengths


def test_groups_stand_for_their_metrics_and_each_comes_once() -> None:
    assert expand_metrics(["percentiles", "avg", "p5"]) == ("avg", "p5", "p95")
    assert expand_metrics(["harmonics"]) == (
        "amplitude", "phase", "trend", "model_mean", "residuals",
    )  # fmt: skip
    assert expand_metrics([*METRICS, "harmonics", "percentiles"]) == METRICS


def test_unknown_metrics_are_named() -> None:
    with pytest.raises(UsageError, match="no metric mean, p10"):
        expand_metrics(["avg", "p10", "mean"])
    with pytest.raises(UsageError, match="at least one"):
        expand_metrics([])


def test_ranges_are_those_of_opensartoolkit() -> None:
    ranges = {name: metric.limits("uint16") for name, metric in TABLE.items()}
    for name in ("avg", "max", "min", "median", "p5", "p95", "model_mean"):
        assert ranges.pop(name) == (-30, 5)
    assert ranges == {
        "std": (1e-5, 0.2),
        "cov": (1e-5, 1),
        "amplitude": (-5, 5),
        "phase": (-math.pi, math.pi),
        "residuals": (-10, 10),
        "trend": (-5, 5),
        "count": (1, 65535),
    }
    assert TABLE["count"].limits("uint8") == (1, 255)


@pytest.mark.parametrize("count", [*range(18), 30, 33, 64, 100])
def test_the_network_sorts(count: int) -> None:
    numbers = np.random.default_rng(count).integers(0, 9, (count, 200))
    expected = np.sort(numbers, 0)
    for first, second in sorting_network(count):
        assert first < second < count
        low = np.minimum(numbers[first], numbers[second])
        numbers[second] = np.maximum(numbers[first], numbers[second])
        numbers[first] = low
    assert (numbers == expected).all()


def test_tails_end_where_the_percentiles_lie() -> None:
    tails = tail_lengths(200)
    assert tails[:2].tolist() == [0, 0]
    for count in range(2, 201):
        values = np.arange(count, dtype=float) ** 1.5
        low, high = np.percentile(values, [5, 95])
        # What numpy's rounding puts on a value lies on it.
        assert (values < low * (1 - 1e-12)).sum() == tails[count]
        assert (values > high * (1 + 1e-12)).sum() == tails[count]
