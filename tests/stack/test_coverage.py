from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping, shape

from alos2.geometry.measures import area_m2
from alos2.stack.planning.coverage import cover, warnings_of
from alos2.stack.planning.grouping import tracks_of
from alos2.stack.planning.plane import Sheet, only_area, union_of
from stack.planned import later, planned


def box(west: float, south: float, east: float, north: float) -> dict[str, object]:
    return mapping(shapely.box(west, south, east, north))


def test_shares_are_those_of_areas_on_the_ellipsoid() -> None:
    # The footprint is 137.7..138.3 x 34.7..35.3: half of the area's width, all of its height.
    (track,) = tracks_of([planned(0), planned(1)])
    area = box(138.0, 34.8, 138.6, 35.2)
    coverage = cover([track], area)
    assert coverage.covered == pytest.approx(0.5, abs=1e-4)
    assert coverage.tracks[track.name].of_area == pytest.approx(0.5, abs=1e-4)
    assert coverage.tracks[track.name].shares == pytest.approx({"20200615": 1.0, "20200629": 1.0})
    assert coverage.holes.area == pytest.approx(0.5 * area_m2(area), rel=1e-4)
    assert coverage.area is not None
    assert coverage.area.area == pytest.approx(area_m2(area), rel=1e-6)


def test_a_date_of_one_frame_of_two_covers_a_part() -> None:
    scenes = [planned(n, f) for n in range(3) for f in (680, 690) if (n, f) != (1, 690)]
    (track,) = tracks_of(scenes)
    coverage = cover([track], None)
    whole = area_m2(union_of([s.geometry for s in scenes]))
    share = area_m2(planned(1, 680).geometry) / whole
    assert coverage.tracks[track.name].shares["20200629"] == pytest.approx(share, rel=1e-4)
    assert coverage.tracks[track.name].always == pytest.approx(share, rel=1e-4)
    (warning,) = warnings_of([track], coverage)
    assert warning.code == "partial_date"
    assert "20200629" in warning.message
    assert "without frame 0690" in warning.message
    assert warning.scenes == (planned(1, 680).scene,)


def test_holes_and_lone_dates_are_told() -> None:
    tracks = tracks_of([planned(0)])
    found = warnings_of(tracks, cover(tracks, box(138.0, 34.8, 138.6, 35.2)))
    assert [w.code for w in found] == ["never_covered", "single_date"]
    assert "50 % of the area" in found[0].message
    # Some hundred metres aside are no hole.
    inside = warnings_of(tracks, cover(tracks, box(137.7, 34.7, 138.3001, 35.3)))
    assert [w.code for w in inside] == ["single_date"]


def test_dates_that_lie_near_are_told() -> None:
    # Repeat 1 of the path, dated ten minutes after repeat 0: such times are wrong somewhere.
    tracks = tracks_of([planned(0), later(planned(1), 600 - 14 * 86400), planned(3)])
    (warning,) = warnings_of(tracks, cover(tracks, None))
    assert warning.code == "near_duplicate_dates"
    assert "10 minutes apart" in warning.message
    assert len(warning.scenes) == 2


def test_a_frame_that_begins_elsewhere_by_a_kilometre_is_whole() -> None:
    tracks = tracks_of([planned(0), planned(1, aside=(0.0, 0.01)), planned(2)])
    assert warnings_of(tracks, cover(tracks, None)) == []


def test_a_point_of_interest_has_no_holes() -> None:
    (track,) = tracks_of([planned(0), planned(1)])
    coverage = cover([track], {"type": "Point", "coordinates": [138.0, 35.0]})
    assert coverage.area is None
    assert coverage.covered == 1.0
    assert warnings_of([track], coverage) == []


@pytest.mark.parametrize("lat", [-17.0, 84.5])
def test_at_the_antimeridian(lat: float) -> None:
    track = tracks_of([planned(0, at=(180.0, lat)), planned(1, at=(180.0, lat))])[0]
    parts = [
        shapely.box(179.5, lat - 0.1, 180, lat + 0.1),
        shapely.box(-180, lat - 0.1, -179.5, lat + 0.1),
    ]
    area = mapping(shapely.union_all(parts))
    coverage = cover([track], area)
    assert coverage.covered == pytest.approx(0.6, abs=2e-3)
    assert coverage.area is not None
    assert coverage.area.geom_type == "Polygon"


def test_the_sheet_keeps_areas() -> None:
    for lon, lat in ((10.0, 50.0), (179.9, -70.0), (0.0, 0.0)):
        geometry = planned(at=(lon, lat)).geometry
        assert Sheet([geometry]).put(geometry).area == pytest.approx(area_m2(geometry), rel=1e-6)


def test_only_areas_are_left_of_what_touches() -> None:
    square = shapely.box(0, 0, 1, 1)
    touching = square.intersection(shapely.box(1, 0, 2, 1))
    assert only_area(touching).is_empty
    mixed = shapely.GeometryCollection([square, shapely.LineString([(2, 2), (3, 3)])])
    assert only_area(mixed).equals(square)
    assert np.isclose(shape(union_of([mapping(square), mapping(square)])).area, 1.0)
