"""On the real deliveries: their own geometry against what JAXA wrote into them."""

from __future__ import annotations

from pathlib import Path

from alos2.footprint import FootprintOptions, footprint_report
from alos2.geometry.rings import area_m2
from alos2.product.recognise import recognise


def test_level_1_5_ceos_is_a_rectangle_in_slant_range(real_data: Path) -> None:
    delivery = real_data / "palsar2-real" / "0000022708_001001_ALOS2015976960-140909.zip"
    with recognise(delivery) as found:
        (product,) = found.products
        report = footprint_report(product, options=FootprintOptions(sarcat=False))
    assert report.chosen.source == "geometry"
    assert "range-Doppler" in report.chosen.method
    assert report.chosen.details["misfit_m"] < 100.0
    summary = next(a for a in report.answers if a.source == "summary")
    ours, theirs = (a.geometry["coordinates"][0] for a in (report.chosen, summary))
    assert len(ours) == len(theirs) == 5
    for ours_at, theirs_at in zip(ours, theirs, strict=True):
        assert abs(ours_at[0] - theirs_at[0]) < 0.0005 * 1.06  # 55 m, JAXA's rounding
        assert abs(ours_at[1] - theirs_at[1]) < 0.0005
    assert report.distances_m["summary"] < 55.0
    assert 4.0e9 < area_m2(report.chosen.geometry) < 5.5e9


def test_level_1_5_geotiff_without_rasters_has_its_summary(real_data: Path) -> None:
    with recognise(real_data / "palsar2-real" / "ALOS2146686640-170209") as found:
        (product,) = found.products
        report = footprint_report(product, options=FootprintOptions(sarcat=False))
    assert report.chosen.source == "summary"
    assert report.chosen.method == "image corners of summary.txt"
    assert "georeferencing" in report.failures["geometry"]
