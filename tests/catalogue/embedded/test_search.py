"""A search finds what looking at every document finds, in the same order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.errors import UsageError
from catalogue.embedded.items import FIRST_DAY, MODES, TAGS, make_item

COUNT = 300
WORLD = [make_item(number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCatalogue]:
    archive = tmp_path_factory.mktemp("archive")
    with EmbeddedCatalogue.open(archive) as opened:
        with opened.batch():
            for item in WORLD:
                opened.put(item, archive / item["id"])
        yield opened


def times(item: dict[str, Any]) -> tuple[datetime, datetime, datetime]:
    said = item["properties"]
    middle = said["datetime"]
    names = (middle, said.get("start_datetime", middle), said.get("end_datetime", middle))
    return tuple(datetime.fromisoformat(t.replace("Z", "+00:00")) for t in names)  # type: ignore[return-value]


def tokens(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.findall(r"[a-z0-9]+", plain.lower())


def has_words(item: dict[str, Any], text: str) -> bool:
    """Each word is a run of tokens, of which the last may go on."""
    said = item["properties"]
    fields = [item["id"], said["alos2:dataset"], said["sat:orbit_state"], *said["alos2:tags"]]
    there = [tokens(field) for field in fields]

    def is_there(word: list[str]) -> bool:
        return any(
            field[i : i + len(word) - 1] == word[:-1]
            and field[i + len(word) - 1 : i + len(word)]
            and field[i + len(word) - 1].startswith(word[-1])
            for field in there
            for i in range(len(field) - len(word) + 1)
        )

    return all(is_there(tokens(word)) for word in text.split())


def matches(item: dict[str, Any], query: Query) -> bool:
    said = item["properties"]
    footprint = shape(item["geometry"])
    _, start, end = times(item)
    kinds = {said["alos2:dataset"].lower(), said["alos2:type"].lower()}
    tags = {tag.lower() for tag in said["alos2:tags"]}
    off = said.get("view:off_nadir")
    return all(
        (
            not query.ids or item["id"] in query.ids,
            query.bbox is None or any(footprint.intersects(b) for b in boxes(query.bbox)),
            query.geometry is None or footprint.intersects(shape(query.geometry)),
            query.start is None or end >= query.start,
            query.end is None or start <= query.end,
            not query.kinds or any(kind.lower() in kinds for kind in query.kinds),
            not query.levels or said["alos2:level"] in query.levels,
            not query.modes or said["sar:instrument_mode"] in query.modes,
            set(query.polarizations) <= set(said["sar:polarizations"]),
            query.pass_direction in (None, said["alos2:pass"]),
            query.look in (None, said["alos2:look"]),
            not query.paths or said["alos2:path"] in query.paths,
            not query.frames or said["alos2:frame"] in query.frames,
            query.off_nadir is None
            or (off is not None and query.off_nadir[0] <= off <= query.off_nadir[1]),
            all(tag.lower() in tags for tag in query.tags),
            query.text is None or has_words(item, query.text),
        )
    )


def boxes(box: tuple[float, float, float, float]) -> list[Any]:
    west, south, east, north = box
    if west <= east:
        return [shapely.box(west, south, east, north)]
    return [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]


def key(item: dict[str, Any], name: str) -> Any:
    said = item["properties"]
    off = said.get("view:off_nadir")
    return {
        "time": times(item)[0],
        "id": item["id"],
        "path": said["alos2:path"],
        "mode": said["sar:instrument_mode"],
        "off_nadir": -1.0 if off is None else off,
    }[name]


def expected(query: Query) -> list[str]:
    found = [item for item in WORLD if matches(item, query)]
    found.sort(key=lambda item: item["id"], reverse=query.sort[0].startswith("-"))
    for name in reversed(query.sort):
        found.sort(key=lambda item: key(item, name.lstrip("-")), reverse=name.startswith("-"))
    return [item["id"] for item in found[: query.limit]]


places = st.sampled_from(
    [(138.0, 35.0), (180.0, -17.0), (-180.0, -16.0), (-60.0, 70.0), (0.0, 0.0)]
)
lons = st.floats(-180, 180).map(lambda v: round(v, 3))


@st.composite
def some_boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    lon, lat = draw(places)
    width, height = draw(st.floats(0.01, 8)), draw(st.floats(0.01, 8))
    west = lon + draw(st.floats(-6, 6))
    south = max(-90.0, min(lat + draw(st.floats(-6, 6)), 89.0))
    west, east = ((edge + 180) % 360 - 180 for edge in (west, west + width))
    return west, south, east, min(south + height, 90.0)


@st.composite
def polygons(draw: st.DrawFn) -> dict[str, Any]:
    lon, lat = draw(st.sampled_from([(138.0, 35.0), (-60.0, 70.0)]))
    points = draw(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=7))
    hull = shapely.MultiPoint([(lon + x, lat + y) for x, y in points]).convex_hull
    return dict(shapely.geometry.mapping(hull))


moments = st.integers(-100, 3100).map(lambda days: FIRST_DAY + timedelta(days=days))
words = st.sampled_from(
    ["FBD", "ascend", "ALOS201012", "flood", "nepal 2015", "ETUDE", "R1.1__A", "md", "slc MD", "é"]
)
queries = st.builds(
    Query,
    bbox=st.none() | some_boxes(),
    geometry=st.none() | st.none() | polygons(),
    start=st.none() | moments,
    end=st.none() | moments,
    kinds=st.just(()) | st.just(("alos2_SLC",)) | st.just(("ALOS2_GeoTIFF-MD", "alos2-l1.1-slc")),
    levels=st.just(()) | st.lists(st.sampled_from(["1.1", "1.5"]), max_size=2).map(tuple),
    modes=st.just(()) | st.lists(st.sampled_from(MODES), max_size=3).map(tuple),
    polarizations=st.just(()) | st.sampled_from([("HH",), ("HV", "HH"), ("VV",)]),
    pass_direction=st.none() | st.sampled_from("AD"),
    look=st.none() | st.sampled_from("LR"),
    frames=st.just(()) | st.just(("0700", "2900")),
    paths=st.just(()) | st.just(tuple(range(1, 120))),
    off_nadir=st.none() | st.just((28.2, 33.0)),
    text=st.none() | words,
    tags=st.just(()) | st.lists(st.sampled_from(TAGS), max_size=2).map(tuple),
    sort=st.sampled_from([("-time",), ("time",), ("id",), ("mode", "-time"), ("-off_nadir", "id")]),
    limit=st.none() | st.integers(1, 40),
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries)
def test_search_is_looking_at_every_document(catalogue: EmbeddedCatalogue, query: Query) -> None:
    if query.start is not None and query.end is not None and query.end < query.start:
        with pytest.raises(UsageError):
            next(catalogue.search(query))
        return
    found = list(catalogue.search(query))
    assert [hit.id for hit in found] == expected(query)
    every = Query(**{**query.__dict__, "limit": None})
    assert catalogue.count(query) == len(expected(every))
    for hit in found[:2]:
        assert hit.item == next(item for item in WORLD if item["id"] == hit.id)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries, size=st.integers(1, 23))
def test_pages_are_the_search_in_pieces(
    catalogue: EmbeddedCatalogue, query: Query, size: int
) -> None:
    if query.start is not None and query.end is not None and query.end < query.start:
        return
    pieces: list[str] = []
    token = None
    while True:
        page = catalogue.page(Query(**{**query.__dict__, "limit": size, "token": token}))
        pieces.extend(hit.id for hit in page.hits)
        token = page.token
        if token is None:
            break
        assert len(page.hits) == size
    assert pieces == expected(Query(**{**query.__dict__, "limit": None}))


@pytest.mark.parametrize(
    "limits",
    [{}, {"words._PATIENCE": 0, "words._SAMPLE": 1}, {"searching._MOST_STEPS": 300}],
    ids=["walked to the end", "given up: too rare", "given up: too far"],
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries, text=words, size=st.integers(1, 23))
def test_common_words_looked_for_row_by_row(
    catalogue: EmbeddedCatalogue,
    *,
    limits: dict[str, int],
    query: Query,
    text: str,
    size: int,
) -> None:
    if query.start is not None and query.end is not None and query.end < query.start:
        return
    query = Query(**{**query.__dict__, "text": text, "limit": size})
    package = "alos2.catalogue.embedded."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{package}words._LEAST_ITEMS", 0)
        patch.setattr(f"{package}words._ROW_STEPS", 1e-9)
        for name, value in limits.items():
            patch.setattr(package + name, value)
        found = [hit.id for hit in catalogue.page(query).hits]
    assert found == expected(query)


def test_a_word_of_every_item_is_not_taken_out_of_the_index(
    catalogue: EmbeddedCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("alos2.catalogue.embedded.words._LEAST_ITEMS", COUNT)
    with catalogue.reading() as connection:
        connection.set_trace_callback(asked.append)
        for text, is_common in (("ALOS2", True), (WORLD[7]["id"], False)):
            asked.clear()
            hits = catalogue.page(Query(text=text, limit=5)).hits
            assert [hit.id for hit in hits] == expected(Query(text=text, limit=5))
            # Both are known by what SQLite was asked.
            assert any("MATCH" in statement for statement in asked) != is_common
        connection.set_trace_callback(None)
    assert catalogue.count(Query(text="ALOS2")) == COUNT
