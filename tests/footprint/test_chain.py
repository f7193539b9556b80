from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alos2.errors import BadProduct, UsageError
from alos2.footprint import FootprintOptions, footprint_report
from alos2.footprint.chain import default_order
from alos2.geometry.rings import distance_m, footprint_geometry
from alos2.product.model import Product, SummaryCorners
from alos2.types import Json, LonLat
from fakes.sarcat import FakeSarcat, feature

SCENE = "ALOS2231410700-180905"
RING = [LonLat(-78.7, 35.75), LonLat(-78.2, 35.8), LonLat(-78.1, 35.35), LonLat(-78.6, 35.3)]
DATA = footprint_geometry(RING)
CORNERS = SummaryCorners(*RING)


def data(product: Product) -> Json:
    return DATA


def nothing(product: Product) -> None:
    return None


def asked_of(sarcat: FakeSarcat, tmp_path: Path) -> FootprintOptions:
    return FootprintOptions(
        sarcat=True, sarcat_url=sarcat.url, sarcat_budget_s=8.0, cache_dir=tmp_path / "negative"
    )


class TestOrder:
    def test_of_level_1_1(self, make: SimpleNamespace, options: FootprintOptions) -> None:
        report = footprint_report(make.slc(), options=options, raster_polygon=nothing)
        assert report.chosen.source == "geometry"
        assert [a.source for a in report.answers] == ["geometry"]
        assert set(report.failures) == {"bos_sarcat", "summary"}
        assert report.distances_m == {}

    def test_of_detected_products(self, make: SimpleNamespace, options: FootprintOptions) -> None:
        product = make.utm("FBDR2.1GUA", image_corners=CORNERS)
        report = footprint_report(product, options=options, raster_polygon=data)
        assert report.chosen.source == "raster"
        assert [a.source for a in report.answers] == ["raster", "summary", "geometry"]
        assert report.failures == {"bos_sarcat": "the catalogue is switched off (ALOS2_SARCAT=off)"}
        assert set(report.distances_m) == {"summary", "geometry"}
        assert report.distances_m["summary"] == 0.0
        box = next(a for a in report.answers if a.source == "geometry")
        assert report.distances_m["geometry"] == round(distance_m(box.geometry, DATA), 1) > 1000

    def test_without_valid_pixels_the_summary(
        self, make: SimpleNamespace, options: FootprintOptions
    ) -> None:
        product = make.utm(image_corners=CORNERS)
        report = footprint_report(product, options=options, raster_polygon=nothing)
        assert report.chosen.source == "summary"
        assert "raster" in report.failures

    def test_without_pixels_no_network(
        self, make: SimpleNamespace, sarcat: FakeSarcat, tmp_path: Path
    ) -> None:
        sarcat.features = [feature(SCENE, DATA["coordinates"][0])]
        report = footprint_report(make.slc(), options=asked_of(sarcat, tmp_path))
        assert report.chosen.source == "geometry"
        assert not sarcat.asked
        other = make.product("FBDR2.1GUA", format="geotiff", image_corners=CORNERS)
        assert footprint_report(other, options=FootprintOptions()).chosen.source == "summary"

    def test_can_be_given(self, make: SimpleNamespace, options: FootprintOptions) -> None:
        product = make.utm(image_corners=CORNERS)
        given = replace(options, order=("summary", "raster"))
        report = footprint_report(product, options=given, raster_polygon=data)
        assert [a.source for a in report.answers] == ["summary", "raster"]

    def test_every_level_has_one(self, make: SimpleNamespace) -> None:
        for name in ("FBDR1.1__A", "FBDR1.5GUA", "FBDR2.1GUA", "FBDR3.1GUA"):
            order = default_order(make.product(name), with_pixels=True)
            assert order[0] == "bos_sarcat"
            assert order[1] == ("geometry" if "1.1" in name else "raster")
            assert {"geometry", "summary"} <= set(order)


class TestCatalogue:
    def test_is_taken_when_it_agrees(
        self, make: SimpleNamespace, sarcat: FakeSarcat, tmp_path: Path
    ) -> None:
        ring = [[lon + 0.01, lat] for lon, lat in DATA["coordinates"][0]]
        sarcat.features = [feature(SCENE, ring)]
        report = footprint_report(
            make.utm(), options=asked_of(sarcat, tmp_path), raster_polygon=data
        )
        assert report.chosen.source == "bos_sarcat"
        assert report.chosen.details["compared_with"] == "raster"
        assert report.distances_m["raster"] == pytest.approx(900, abs=50)

    def test_is_recorded_when_it_does_not(
        self, make: SimpleNamespace, sarcat: FakeSarcat, tmp_path: Path
    ) -> None:
        ring = [[lon + 0.5, lat] for lon, lat in DATA["coordinates"][0]]
        sarcat.features = [feature(SCENE, ring)]
        report = footprint_report(
            make.utm(), options=asked_of(sarcat, tmp_path), raster_polygon=data
        )
        assert report.chosen.source == "raster"
        refused = report.answers[0]
        assert refused.source == "bos_sarcat"
        assert not refused.accepted
        assert "overlaps" in refused.reason
        assert report.distances_m["bos_sarcat"] > 10_000

    def test_alone_is_not_believed(
        self, make: SimpleNamespace, sarcat: FakeSarcat, tmp_path: Path
    ) -> None:
        sarcat.features = [feature(SCENE, DATA["coordinates"][0])]
        product = make.product("FBDR2.1GUA", format="geotiff")
        with pytest.raises(BadProduct, match="nobody knows") as caught:
            footprint_report(product, options=asked_of(sarcat, tmp_path), raster_polygon=nothing)
        assert "gives no footprint to compare with" in str(caught.value)

    def test_forced_it_is_still_measured(
        self, make: SimpleNamespace, sarcat: FakeSarcat, tmp_path: Path
    ) -> None:
        options = asked_of(sarcat, tmp_path)
        sarcat.features = [feature(SCENE, DATA["coordinates"][0], look_direction="L")]
        with pytest.raises(BadProduct, match="look side"):
            footprint_report(make.utm(), choice="bos_sarcat", options=options, raster_polygon=data)
        sarcat.features = [feature(SCENE, DATA["coordinates"][0])]
        report = footprint_report(
            make.utm(), choice="bos_sarcat", options=options, raster_polygon=data
        )
        assert report.chosen.source == "bos_sarcat"


class TestChoice:
    def test_is_taken_and_the_others_recorded(
        self, make: SimpleNamespace, options: FootprintOptions
    ) -> None:
        product = make.utm(image_corners=CORNERS)
        report = footprint_report(product, choice="summary", options=options, raster_polygon=data)
        assert report.chosen.source == "summary"
        assert [a.source for a in report.answers] == ["summary", "raster", "geometry"]

    @pytest.mark.parametrize(
        ("choice", "said"),
        [
            ("raster", "slant range"),
            ("summary", "no corners"),
            ("bos_sarcat", "ALOS2_SARCAT=off"),
            ("isce", "not installed"),
        ],
    )
    def test_that_fails_says_why(
        self, make: SimpleNamespace, options: FootprintOptions, choice: str, said: str
    ) -> None:
        with pytest.raises(BadProduct, match=said) as caught:
            footprint_report(
                make.slc(),
                choice=choice,  # type: ignore[arg-type]
                options=replace(options, isce_program="no-such-alos2App.py"),
                raster_polygon=nothing,
            )
        assert caught.value.exit_code == 3
        assert SCENE in str(caught.value)

    def test_nobody_knows(self, make: SimpleNamespace, options: FootprintOptions) -> None:
        with pytest.raises(
            BadProduct, match=r"nobody knows where ALOS2231410700-180905-FBDR1\.1__A"
        ):
            footprint_report(make.product("FBDR1.1__A"), options=options)


class TestOptions:
    def test_the_default_is_the_environments(
        self, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALOS2_SARCAT", "off")
        report = footprint_report(make.slc(), raster_polygon=nothing)
        assert "switched off" in report.failures["bos_sarcat"]

    @pytest.mark.parametrize(
        "chosen",
        [
            {"min_overlap": 0.0},
            {"min_overlap": float("nan")},
            {"min_overlap": 1.1},
            {"sarcat_url": "file:///etc/passwd"},
            {"sarcat_url": "portal"},
        ],
    )
    def test_nonsense_is_refused(self, chosen: dict[str, Any]) -> None:
        with pytest.raises(UsageError):
            FootprintOptions(**chosen)
