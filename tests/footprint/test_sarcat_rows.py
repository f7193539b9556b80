from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.footprint.provider import NoAnswer
from alos2.footprint.sarcat_rows import clean_geometry, parse_answer, rows_about
from alos2.naming import ProductId, SceneId
from alos2.product.model import Product
from fakes.sarcat import SERVICE_EXCEPTION, feature

SCENE = "ALOS2231410700-180905"
RING = [[-78.3, 35.2], [-77.5, 35.3], [-77.7, 35.9], [-78.4, 35.8], [-78.3, 35.2]]


def product(name: str = "FBDR1.1__A", scene: str = SCENE) -> Product:
    return Product(SceneId.parse(scene), ProductId.parse(name), "1.1", "ceos", (), ())


class TestAnswers:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (SERVICE_EXCEPTION.encode(), "ServiceException"),
            (b"\xef\xbb\xbf\n<html><title>503</title></html>", "web page"),
            (b"<?xml version='1.0'?><other/>", "XML"),
            (b'{"features": [', "cut off"),
            (b"", "cut off"),
            (b"\xff\xfe\x00", "not JSON"),
            (b"[1, 2]", "without features"),
            (b'{"features": null}', "without features"),
            (b"[" * 100_000, "not JSON"),
        ],
    )
    def test_each_fault_has_its_sentence(self, body: bytes, said: str) -> None:
        answer = parse_answer(body, "application/json")
        assert isinstance(answer, NoAnswer)
        assert said in answer.reason

    @given(st.binary(max_size=200))
    def test_no_bytes_raise(self, body: bytes) -> None:
        assert isinstance(parse_answer(body, ""), (list, NoAnswer))

    def test_a_real_answer(self, real_data: Path) -> None:
        features = parse_answer((real_data / "bos-sarcat" / "alos2.json").read_bytes(), "")
        assert isinstance(features, list)
        (row,) = rows_about(features, product())
        assert row.taken
        assert row.orbit_agrees
        assert row.disagreements == ()
        assert row.geometry is not None
        corners = {tuple(p) for p in row.geometry["coordinates"][0]}
        assert corners == {
            (-78.276, 35.18),
            (-77.519, 35.291),
            (-77.651, 35.912),
            (-78.414, 35.801),
        }
        assert row.details["beam_swath"] == "F2-6"
        assert row.details["bos_ingest"] == "2018-09-02T00:19:01.418Z"
        (other,) = rows_about(features, product(scene="ALOS2229340700-180822"))
        assert not other.taken


class TestRanking:
    def best(self, *features: dict[str, Any], of: str = "FBDR1.1__A") -> dict[str, Any]:
        return rows_about(features, product(of))[0].details

    def test_what_was_taken_goes_before_what_was_planned(self) -> None:
        planned = feature(SCENE, RING, status="planned", bos_ingest="2019-01-01T00:00:00Z")
        for status in ("archived", "acquired"):
            taken = feature(SCENE, RING, status=status)
            assert self.best(planned, taken)["status"] == status
            assert self.best(taken, planned)["status"] == status

    def test_what_agrees_goes_before_what_does_not(self) -> None:
        wrong = feature(SCENE, RING, look_direction="L", bos_ingest="2019-01-01T00:00:00Z")
        right = feature(SCENE, RING, status="planned")
        assert self.best(wrong, right)["status"] == "planned"

    def test_the_latest_of_equals(self) -> None:
        days = ("2018-09-01", "2018-09-03T00:00:00Z", "2018-09-03T00:00:00.5+01:00", None, "soon")
        rows = [feature(SCENE, RING, bos_ingest=day) for day in days]
        assert self.best(*rows)["bos_ingest"] == "2018-09-03T00:00:00Z"

    def test_a_row_with_a_geometry_goes_before_one_without(self) -> None:
        without = feature(SCENE, None, bos_ingest="2019-01-01T00:00:00Z")
        assert self.best(without, feature(SCENE, RING, status="planned"))["status"] == "planned"

    def test_other_scenes_are_not_about_this_one(self) -> None:
        others: list[Any] = [
            feature("ALOS2229340700-180822", RING),
            {"properties": {"identifier": [SCENE]}},
            {"properties": None},
            "text",
            None,
        ]
        assert rows_about(others, product()) == []


class TestAgreement:
    @pytest.mark.parametrize(
        ("properties", "said"),
        [
            ({"look_direction": "L"}, "look side L, not R"),
            ({"look_direction": None}, "look side unknown"),
            ({"flight_direction": "Descending"}, "pass D, not A"),
            ({"start_time": "2018-09-19T05:07:08Z", "stop_time": None}, "date 2018-09-19"),
            ({"start_time": 5, "stop_time": "x"}, "date unknown"),
            ({"start_time": "2018-13-41T05:07:08Z", "stop_time": {}}, "date unknown"),
        ],
    )
    def test_each_difference_is_said(self, properties: dict[str, Any], said: str) -> None:
        (row,) = rows_about([feature(SCENE, RING, **properties)], product())
        assert len(row.disagreements) == 1
        assert said in row.disagreements[0]

    def test_a_scene_at_midnight_has_two_days(self) -> None:
        times = {"start_time": "2018-09-04T23:59:58Z", "stop_time": "2018-09-05T00:00:08Z"}
        (row,) = rows_about([feature(SCENE, RING, **times)], product())
        assert row.disagreements == ()

    def test_words_agree_as_letters_do(self) -> None:
        words = {"look_direction": "right", "flight_direction": "ASCENDING"}
        (row,) = rows_about([feature(SCENE, RING, **words)], product())
        assert row.disagreements == ()

    def test_what_is_recorded_is_short_and_plain(self) -> None:
        odd = {"status": "a" * 500, "beam_mode": "\x1b[31m", "frame": math.inf, "polarization": []}
        (row,) = rows_about([feature(SCENE, RING, **odd)], product())
        assert len(row.details["status"]) == 100
        assert row.details["beam_mode"] == "[31m"
        assert "frame" not in row.details
        assert "polarization" not in row.details


class TestGeometry:
    def test_a_polygon_is_closed_and_right_handed(self) -> None:
        made = clean_geometry({"type": "Polygon", "coordinates": [RING[::-1]]})
        assert not isinstance(made, NoAnswer)
        ring = made["coordinates"][0]
        assert ring[0] == ring[-1]
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))
        assert area > 0

    @pytest.mark.parametrize("shift", [0.0, 360.0, -360.0])
    def test_the_antimeridian_in_every_spelling(self, shift: float) -> None:
        ring = [[179.5, 10.0], [180.5, 10.0], [180.5, 11.0], [179.5, 11.0], [179.5, 10.0]]
        moved = [[lon + (shift if abs(lon + shift) <= 360 else 0), lat] for lon, lat in ring]
        made = clean_geometry({"type": "Polygon", "coordinates": [moved]})
        assert not isinstance(made, NoAnswer)
        assert made["type"] == "MultiPolygon"
        lons = {p[0] for part in made["coordinates"] for p in part[0]}
        assert lons == {179.5, 180.0, -180.0, -179.5}

    def test_a_multipolygon_cut_there_stays(self) -> None:
        east = [[179.5, 10.0], [180.0, 10.0], [180.0, 11.0], [179.5, 11.0], [179.5, 10.0]]
        west = [[-180.0, 10.0], [-179.5, 10.0], [-179.5, 11.0], [-180.0, 11.0], [-180.0, 10.0]]
        made = clean_geometry({"type": "MultiPolygon", "coordinates": [[east], [west]]})
        assert not isinstance(made, NoAnswer)
        assert len(made["coordinates"]) == 2

    def test_a_multipolygon_of_one_part_is_a_polygon(self) -> None:
        made = clean_geometry({"type": "MultiPolygon", "coordinates": [[RING]]})
        assert not isinstance(made, NoAnswer)
        assert made["type"] == "Polygon"

    @pytest.mark.parametrize(
        ("geometry", "said"),
        [
            (None, "null"),
            ({"type": "Point", "coordinates": [1, 2]}, "no polygon (Point)"),
            ({"type": ["Polygon"]}, "no polygon"),
            ("Polygon", "no polygon"),
            ({"type": "Polygon", "coordinates": None}, "number of corners"),
            ({"type": "Polygon", "coordinates": []}, "number of corners"),
            ({"type": "Polygon", "coordinates": [RING[:3]]}, "number of corners"),
            ({"type": "Polygon", "coordinates": [RING * 200]}, "number of corners"),
            ({"type": "MultiPolygon", "coordinates": []}, "number of parts"),
            ({"type": "MultiPolygon", "coordinates": [[RING]] * 9}, "number of parts"),
            ({"type": "Polygon", "coordinates": [[[1, 2]] * 5]}, "three different corners"),
            ({"type": "Polygon", "coordinates": [[*RING, ["1", 2]]]}, "not a longitude"),
            ({"type": "Polygon", "coordinates": [[*RING, [math.nan, 2]]]}, "not a longitude"),
            ({"type": "Polygon", "coordinates": [[*RING, [1, 91]]]}, "not a longitude"),
            ({"type": "Polygon", "coordinates": [[*RING, [True, 2]]]}, "not a longitude"),
            ({"type": "Polygon", "coordinates": [[*RING, [1e308, 2]]]}, "not a longitude"),
            ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [3, 3]]]}, "no area"),
            (
                {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 1], [0, 0]]]},
                "crosses itself",
            ),
        ],
    )
    def test_what_is_no_footprint(self, geometry: Any, said: str) -> None:
        made = clean_geometry(geometry)
        assert isinstance(made, NoAnswer)
        assert said in made.reason

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=6)
                | st.dictionaries(st.sampled_from(["type", "coordinates"]), inner, max_size=2)
            ),
            max_leaves=20,
        ),
        st.sampled_from(["Polygon", "MultiPolygon"]),
    )
    def test_no_json_raises(self, value: Any, kind: str) -> None:
        for geometry in (value, {"type": kind, "coordinates": value}):
            made = clean_geometry(geometry)
            assert isinstance(made, (dict, NoAnswer))
            row = feature(SCENE, None)
            row["geometry"] = geometry
            row["properties"]["bos_ingest"] = value
            assert len(rows_about([row], product())) == 1

    def test_a_huge_integer_is_refused(self) -> None:
        text = '{"type": "Polygon", "coordinates": [[[1' + "0" * 400 + ", 2], [1,2],[3,4],[5,6]]]}"
        assert isinstance(clean_geometry(json.loads(text)), NoAnswer)
