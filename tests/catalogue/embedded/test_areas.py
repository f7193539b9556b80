"""Places as people give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point, shape

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded.areas import area_of_box, area_of_geometry, place_of
from alos2.errors import UsageError

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[138, 35], [139, 35], [139, 36], [138, 36], [138, 35]]],
}


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON ((138 35, 139 35, 139 36, 138 36, 138 35))",
        json.dumps(SQUARE),
        json.dumps({"type": "Feature", "properties": {}, "geometry": SQUARE}),
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": SQUARE}]}
        ),
        "POLYGON Z ((138 35 1, 139 35 1, 139 36 1, 138 36 1, 138 35 1))",
    ],
)
def test_one_place_in_many_words(text: str, tmp_path: Path) -> None:
    assert shape(place_of(text)).equals(shape(SQUARE))
    file = tmp_path / "place"
    file.write_text("\ufeff" + text, "utf-8")
    assert shape(place_of(str(file))).equals(shape(SQUARE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere", "neither a place nor a file"),
        ("POLYGON ((1 2", "no place"),
        ("{", "no place"),
        ('{"type": "Feature"}', "no place"),
        ('{"type": "Polygon", "coordinates": 3}', "no place"),
        ("POINT (10 95)", "beyond the earth"),
        ("POINT EMPTY", "empty"),
        ('{"type": "FeatureCollection", "features": []}', "empty"),
    ],
)
def test_what_is_no_place(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        place_of(text)


def test_across_the_antimeridian() -> None:
    fiji = place_of("POLYGON ((179 -18, 181 -18, 181 -16, 179 -16, 179 -18))")
    for place, is_in in (((179.5, -17), True), ((-179.5, -17), True), ((178, -17), False)):
        assert shape(fiji).intersects(Point(place)) is is_in
    assert shape(place_of("POINT (190 5)")).equals(Point(-170, 5))
    for lon in (180, -180, 540):
        meets = area_of_geometry({"type": "Point", "coordinates": [lon, 3]}).meets
        assert list(meets([Point(180, 3), Point(-180, 3), Point(0, 3)])) == [True, True, False]
    assert area_of_box((179, -1, -179, 1)).boxes == ((-180, -1, -179, 1), (179, -1, 180, 1))


def test_many_parts_are_few_boxes() -> None:
    islands: dict[str, Any] = {
        "type": "MultiPoint",
        "coordinates": [[lon, 0] for lon in (*range(170, 180), *range(-179, -170))],
    }
    assert area_of_geometry(islands).boxes == ((-179, 0, -171, 0), (170, 0, 179, 0))


@pytest.mark.parametrize("box", [(0, 50, 10, 40), (0, -91, 1, 1), (200, 0, 210, 1)])
def test_boxes_of_nowhere(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match="no box"):
        area_of_box(box)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(sort=("size",)), "sorted by"),
        (Query(limit=0), "limit"),
        (Query(polarizations=("XX",)), "polarisation"),
        (Query(pass_direction="N"), "not one of"),
        (Query(look="up"), "not one of"),
        (Query(text=" - "), "no word"),
        (Query(token="???"), "not one of ours"),
        (Query(token="W10"), "not one of ours"),
    ],
)
def test_what_cannot_be_asked(catalogue: EmbeddedCatalogue, query: Query, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        catalogue.page(query)


def test_a_token_is_of_one_search(catalogue: EmbeddedCatalogue) -> None:
    token = catalogue.page(Query(limit=2)).token
    assert token is not None
    with pytest.raises(UsageError, match="another search"):
        catalogue.page(Query(limit=2, levels=("1.1",), token=token))
    assert len(catalogue.page(Query(limit=3, token=token)).hits) == 3
    words = Query(text='"flood" OR * NOT(')
    assert list(catalogue.search(words)) == [], "people's words are no FTS5 syntax"


def test_beginnings_of_names(catalogue: EmbeddedCatalogue, items: list[dict[str, Any]]) -> None:
    scene = items[2]["properties"]["alos2:scene"]
    assert [hit.id for hit in catalogue.search(Query(names=(scene,)))] == [items[2]["id"]]
    assert len(list(catalogue.search(Query(names=("ALOS2", "x"))))) == 6
    assert not list(catalogue.search(Query(names=("LOS2",))))
