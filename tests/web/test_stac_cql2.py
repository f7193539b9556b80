# ruff: noqa: E501 - a case a line
"""CQL2 over HTTP, in text and JSON, against what Python says of the same items.

Cases follow the conformance classes that the landing page claims (OGC 21-065r2, annex A).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import cql2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import box, shape

from alos2.catalogue.search.cql2 import parse
from alos2.catalogue.search.embedded import EmbeddedSearch
from alos2.catalogue.search.model import Search
from alos2.catalogue.search.times import instant, interval, utc_text
from alos2.errors import NoResource

Test = Callable[[dict[str, Any]], bool]


def prop(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda item: item["properties"].get(name)


MODE, PATH, ANGLE = prop("sar:instrument_mode"), prop("sat:relative_orbit"), prop("view:off_nadir")
POLS, LEVEL, GSD = prop("sar:polarizations"), prop("alos2:level"), prop("gsd")
PLACE = "POLYGON((139.1 35.1, 139.4 35.1, 139.3 35.4, 139.1 35.1))"
JAPAN = box(139.1, 35.1, 139.4, 35.4)


def when(item: dict[str, Any], name: str = "datetime") -> str:
    text: str = item["properties"][name]
    return text


CASES: list[tuple[str, Test]] = [
    # basic-cql2
    ("sar:instrument_mode = 'FBD'", lambda i: MODE(i) == "FBD"),
    ("sar:instrument_mode <> 'FBD'", lambda i: MODE(i) != "FBD"),
    ("sat:relative_orbit > 97 AND sat:relative_orbit <= 161", lambda i: 97 < PATH(i) <= 161),
    ("alos2:path < 100 OR alos2:path >= 200", lambda i: PATH(i) < 100 or PATH(i) >= 200),
    ("NOT (sar:instrument_mode = 'FBD' OR sar:instrument_mode = 'WBD')", lambda i: MODE(i) == "UBS"),
    ("view:off_nadir IS NULL", lambda i: ANGLE(i) is None),
    ("view:off_nadir IS NOT NULL", lambda i: ANGLE(i) is not None),
    ("NOT view:off_nadir > 30", lambda i: ANGLE(i) is not None and ANGLE(i) <= 30),
    ("datetime >= TIMESTAMP('2017-01-01T00:00:00Z')", lambda i: when(i) >= "2017-01-01"),
    ("datetime < DATE('2015-03-30')", lambda i: when(i) < "2015-03-30"),
    ("datetime = DATE('2015-03-29')", lambda i: when(i).startswith("2015-03-29")),
    ("datetime > '2017-03-09T23:59:59Z'", lambda i: when(i) > "2017-03-09T23:59:59Z"),
    ("true", lambda i: True),
    ("false", lambda i: False),
    ("collection = 'ALOS2_CEOS'", lambda i: i["properties"]["alos2:dataset"] == "ALOS2_CEOS"),
    ("\"properties.alos2:level\" = '2.1'", lambda i: LEVEL(i) == "2.1"),
    ("eo:cloud_cover < 10", lambda i: False),
    ("eo:cloud_cover IS NULL", lambda i: True),
    ("alos2:repacked = TRUE", lambda i: i["properties"]["alos2:repacked"] is True),
    # advanced-comparison-operators
    ("sar:instrument_mode LIKE '_B%'", lambda i: MODE(i)[1] == "B"),
    ("sar:instrument_mode NOT LIKE 'F%'", lambda i: MODE(i)[0] != "F"),
    ("id LIKE '%[A-Z]%'", lambda i: False),
    ("view:off_nadir BETWEEN 29 AND 30", lambda i: ANGLE(i) is not None and 29 <= ANGLE(i) <= 30),
    ("sar:instrument_mode IN ('UBS', 'WBD')", lambda i: MODE(i) in ("UBS", "WBD")),
    ("sar:instrument_mode NOT IN ('UBS')", lambda i: MODE(i) != "UBS"),
    # case- and accent-insensitive comparison
    ("CASEI(sar:instrument_mode) = CASEI('fbd')", lambda i: MODE(i) == "FBD"),
    ("CASEI(sar:instrument_mode) LIKE CASEI('u%')", lambda i: MODE(i) == "UBS"),
    ("ACCENTI(sar:instrument_mode) = ACCENTI('ÚBS')", lambda i: MODE(i) == "UBS"),
    # spatial functions
    (f"S_INTERSECTS(geometry, {PLACE})", lambda i: shape(i["geometry"]).intersects(JAPAN)),
    (f"NOT S_INTERSECTS(geometry, {PLACE})", lambda i: not shape(i["geometry"]).intersects(JAPAN)),
    ("S_INTERSECTS(geometry, BBOX(-70, -30, -60, -20))", lambda i: i["bbox"][0] < -60),
    ("S_INTERSECTS(geometry, POINT(139.5 35.5))",
     lambda i: shape(i["geometry"]).intersects(shape({"type": "Point", "coordinates": [139.5, 35.5]}))),
    (f"S_DISJOINT(geometry, {PLACE})", lambda i: not shape(i["geometry"]).intersects(JAPAN)),
    ("S_WITHIN(geometry, BBOX(138, 34, 141, 37))",
     lambda i: shape(i["geometry"]).within(box(138, 34, 141, 37))),
    ("S_CONTAINS(geometry, POINT(141 34))",
     lambda i: shape(i["geometry"]).contains(box(140.9999, 33.9999, 141.0001, 34.0001))),
    ("S_OVERLAPS(geometry, BBOX(138, 34, 139.5, 37))",
     lambda i: shape(i["geometry"]).overlaps(box(138, 34, 139.5, 37))),
    ("S_CROSSES(geometry, LINESTRING(138 35.5, 150 35.5))",
     lambda i: shape(i["geometry"]).intersects(box(138, 35.49, 150, 35.51))),
    ("S_TOUCHES(geometry, POINT(0 0))", lambda i: False),
    ("S_EQUALS(geometry, POINT(0 0))", lambda i: False),
    # temporal functions
    ("T_AFTER(datetime, TIMESTAMP('2017-01-01T00:00:00Z'))", lambda i: when(i) > "2017-01-01"),
    ("T_BEFORE(datetime, DATE('2015-03-15'))", lambda i: when(i) < "2015-03-15"),
    ("T_INTERSECTS(datetime, INTERVAL('2015-03-15T00:00:00Z', '2015-03-30T00:00:00Z'))",
     lambda i: "2015-03-15" <= when(i) <= "2015-03-30"),
    ("T_INTERSECTS(datetime, INTERVAL('..', '2015-03-30'))", lambda i: when(i) < "2015-03-31"),
    ("T_DISJOINT(datetime, INTERVAL('2015-01-01', '..'))", lambda i: when(i) < "2015"),
    ("T_DURING(INTERVAL(start_datetime, end_datetime), INTERVAL('2015-01-01', '2016-01-01'))",
     lambda i: "2015" < when(i) < "2016"),
    ("T_CONTAINS(INTERVAL(start_datetime, end_datetime), datetime)",
     lambda i: when(i, "start_datetime") < when(i) < when(i, "end_datetime")),
    ("T_EQUALS(datetime, datetime)", lambda i: True),
    ("T_MEETS(INTERVAL(start_datetime, end_datetime), INTERVAL(end_datetime, '..'))", lambda i: True),
    ("T_STARTS(INTERVAL(start_datetime, datetime), INTERVAL(start_datetime, '..'))", lambda i: True),
    ("T_FINISHES(INTERVAL(start_datetime, end_datetime), INTERVAL('..', end_datetime))",
     lambda i: True),
    ("T_OVERLAPS(INTERVAL('2000-01-01', datetime), INTERVAL(start_datetime, '..'))",
     lambda i: when(i, "start_datetime") < when(i)),
    # array functions
    ("A_CONTAINS(sar:polarizations, ('HV'))", lambda i: "HV" in POLS(i)),
    ("A_EQUALS(sar:polarizations, ('HV', 'HH'))", lambda i: set(POLS(i)) == {"HH", "HV"}),
    ("A_CONTAINEDBY(sar:polarizations, ('HH', 'XX'))", lambda i: set(POLS(i)) <= {"HH"}),
    ("A_OVERLAPS(sar:polarizations, ('VV', 'HH'))", lambda i: bool({"VV", "HH"} & set(POLS(i)))),
    ("A_CONTAINS(alos2:tags, ('flood'))", lambda i: "flood" in i["properties"]["alos2:tags"]),
    ("A_OVERLAPS(keywords, ('SAR', 'x'))", lambda i: "SAR" in i["properties"]["keywords"]),
    # property-property, arithmetic
    ("start_datetime < end_datetime", lambda i: when(i, "start_datetime") < when(i, "end_datetime")),
    ("sat:relative_orbit = alos2:path", lambda i: True),
    ("sat:relative_orbit * 2 + 6 > 200", lambda i: PATH(i) * 2 + 6 > 200),
    ("sat:relative_orbit % 2 = 1", lambda i: PATH(i) % 2 == 1),
    ("sat:relative_orbit div 100 = 1", lambda i: PATH(i) // 100 == 1),
    ("sat:relative_orbit / 2 > 80.4", lambda i: PATH(i) / 2 > 80.4),
    ("sat:relative_orbit ^ 2 > 30000", lambda i: PATH(i) ** 2 > 30000),
    ("gsd < 5", lambda i: GSD(i) is not None and GSD(i) < 5),
]  # fmt: skip


@pytest.mark.parametrize(("text", "holds"), CASES, ids=[text for text, _ in CASES])
def test_text_and_json_find_what_python_finds(served: Any, text: str, holds: Test) -> None:
    expected = sorted(item["id"] for item in served.items if holds(item))
    by_text = served.ids("/stac/search", params={"filter": text, "limit": 100})
    tree = cql2.parse_text(text).to_json()
    by_json = served.post("/stac/search", {"filter": tree, "limit": 100})
    assert sorted(by_text) == expected
    assert sorted(one["id"] for one in by_json.json()["features"]) == expected


def test_some_cases_tell_items_apart(served: Any) -> None:
    told = [0 < sum(holds(item) for item in served.items) < len(served.items) for _, holds in CASES]
    assert sum(told) > 40


NUMBERS = st.sampled_from(["sat:relative_orbit", "view:off_nadir", "gsd", "sat:absolute_orbit"])
WORDS = st.sampled_from(["sar:instrument_mode", "alos2:level", "alos2:frame", "id", "platform"])
COMPARED = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def leaf() -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.builds(
        lambda op, name, value: {"op": op, "args": [{"property": name}, value]},
        COMPARED, NUMBERS, st.sampled_from([0, 5.0, 29.1, 36.6, 97, 161, 207, 5000]),
    )  # fmt: skip
    words = st.builds(
        lambda op, name, value: {"op": op, "args": [{"property": name}, value]},
        COMPARED, WORDS, st.sampled_from(["FBD", "UBS", "2.1", "2900", "alos-2", "ALOS2", ""]),
    )  # fmt: skip
    empty = st.builds(lambda name: {"op": "isNull", "args": [{"property": name}]}, NUMBERS)
    return st.one_of(numbers, words, empty)


TREES = st.recursive(
    leaf(),
    lambda inner: st.one_of(
        st.builds(
            lambda args: {"op": "and", "args": args}, st.lists(inner, min_size=2, max_size=3)
        ),
        st.builds(lambda args: {"op": "or", "args": args}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda one: {"op": "not", "args": [one]}, inner),
    ),
    max_leaves=6,
)


def truth(node: dict[str, Any], item: dict[str, Any]) -> bool | None:
    """Three-valued logic, as the standard has it."""
    op, args = node["op"], node["args"]
    if op in ("and", "or"):
        parts = [truth(one, item) for one in args]
        decisive = op == "or"
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if op == "not":
        inner = truth(args[0], item)
        return None if inner is None else not inner
    name = args[0]["property"]
    value = item["id"] if name == "id" else item["properties"].get(name)
    if op == "isNull":
        return value is None
    if value is None:
        return None
    said = args[1]
    return bool(
        {"=": value == said, "<>": value != said, "<": value < said,
         "<=": value <= said, ">": value > said, ">=": value >= said}[op]
    )  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=TREES)
def test_any_tree_means_the_same_to_sqlite_as_to_the_standard(
    small: Any, tree: dict[str, Any]
) -> None:

    archive, items = small
    catalogue = EmbeddedSearch(archive)
    try:
        found = catalogue.search(Search(filter=parse(tree), limit=100)).ids
    finally:
        catalogue.close()
    assert sorted(found) == sorted(item["id"] for item in items if truth(tree, item))


@pytest.mark.parametrize(
    "text",
    ["(" * 6000 + "a=1" + ")" * 6000, "NOT " * 6000 + "a=1", "a=" + "-" * 6000 + "1",
     "a IN (" + "(" * 6000 + "1" + ")" * 6000 + ")", "a=" + "casei(" * 6000 + "'x'" + ")" * 6000,
     "a = 1e999", "a = " + "9" * 400, " OR ".join(["a=1"] * 9000), "a LIKE b", "a = b = c",
     "S_INTERSECTS(geometry, 3)", "S_INTERSECTS(id, POINT(1 1))", "geometry = 3", "nothing(a)",
     "id > 3", "sat:relative_orbit = 'x'", "datetime = 'yesterday'", "datetime > TIMESTAMP('x')",
     "T_AFTER(id, DATE('2015-01-01'))", "T_AFTER(datetime, DATE('2015-13-01'))", "sar:polarizations",
     "S_INTERSECTS(geometry, BBOX(1,2,3))", "S_INTERSECTS(geometry, POINT(500 500))", "'text'", "1"],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_what_is_too_deep_or_means_nothing_is_refused(served: Any, text: str) -> None:
    body = {"filter": text, "filter-lang": "cql2-text"}
    answer = served.post("/stac/search", body)
    assert answer.status_code == 400, answer.text
    assert served.get("/stac/conformance").status_code == 200


def test_a_deep_tree_of_json_is_refused(served: Any) -> None:
    tree: Any = {"op": "=", "args": [{"property": "a"}, 1]}
    for _ in range(100):
        tree = {"op": "not", "args": [tree]}
    assert served.post("/stac/search", {"filter": tree}).status_code == 400
    answer = served.get("/stac/search", params={"filter": json.dumps(tree)})
    assert "deeper" in answer.json()["description"]


def test_a_filter_that_takes_too_long_is_ended(small: Any) -> None:

    catalogue = EmbeddedSearch(small[0], patience_s=-1.0)
    tree = parse(" OR ".join(f"CASEI(id) = CASEI('{n}')" for n in range(300)))
    with pytest.raises(NoResource, match="took more than"):
        catalogue.search(Search(filter=tree))
    catalogue.close()


def test_dates_are_whole_days_and_times_are_cut_to_microseconds() -> None:

    assert utc_text(instant("2020-07-23T00:00:00.012345678+03:00")) == "2020-07-22T21:00:00.012345Z"
    assert instant("1990-12-31T23:59:60Z") == instant("1991-01-01T00:00:00Z")
    day = interval("2018-09-05", dates=True)
    assert [end and end.isoformat() for end in day] == [
        "2018-09-05T00:00:00+00:00", "2018-09-05T23:59:59.999999+00:00",
    ]  # fmt: skip
    assert isinstance(day.start, datetime)
