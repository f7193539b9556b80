from __future__ import annotations

import math

import numpy as np
import pytest

from alos2.ceos.document import ALL_LAYOUTS
from alos2.ceos.fields import Field, Group
from alos2.ceos.layout import HEADER_BYTES, RecordLayout
from alos2.ceos.leader import PLATFORM_POSITION
from alos2.errors import BadRecord

TABLES = [layout for layouts in ALL_LAYOUTS.values() for layout in layouts]

POINTS = RecordLayout(
    "points",
    (1, 2, 3, 4),
    60,
    (
        Field("name", 12, "A4", default="DFLT"),
        Field("pair", 16, "I4", count=2, stride=6),
        Field("n", 26, "I2"),
        Group("items", 28, 8, "n", (Field("a", 0, "I4"), Field("b", 4, "F4.1", default=1.0))),
    ),
)


@pytest.mark.parametrize("layout", TABLES, ids=lambda layout: layout.name)
def test_table_is_sound(layout: RecordLayout) -> None:
    names = [item.name for item in layout.items]
    assert len(set(names)) == len(names)
    assert layout.length is not None
    values = {
        item.name: [{}] * (item.count if isinstance(item.count, int) else 1)
        for item in layout.items
        if isinstance(item, Group)
    }
    taken = bytearray(layout.length)
    for name, place in layout.spans(values):
        assert 0 <= place.start < place.stop <= layout.length, name
        assert not any(taken[place]), f"{name} overlaps another field"
        taken[place] = b"\1" * (place.stop - place.start)
    for item in layout.items:
        for field in item.fields if isinstance(item, Group) else (item,):
            assert field.meaning, field.name
            assert field.evidence in ("seen", "readers", "guessed")
            assert field.offset >= HEADER_BYTES or isinstance(item, Group)
            if isinstance(item, Group):
                assert field.end <= item.stride


@pytest.mark.parametrize("layout", TABLES, ids=lambda layout: layout.name)
def test_an_empty_record_is_written_and_read(layout: RecordLayout) -> None:
    data = layout.encode({}, sequence=3)
    assert len(data) == layout.length
    values = layout.decode(data, where="here")
    assert values["record_number"] == 3
    assert values["record_length"] == layout.length
    assert layout.encode(values, sequence=3) == data


def test_values_defaults_groups_and_counts() -> None:
    data = POINTS.encode(
        {"pair": np.array([1, 2]), "items": [{"a": 5}, {"a": -6, "b": None}]}, sequence=1
    )
    assert data[12:44] == b"DFLT   1     2 2   5 1.0  -6    "
    values = POINTS.decode(data, where="here")
    assert values["name"] == "DFLT"
    assert values["pair"] == [1, 2]
    assert values["items"] == [{"a": 5, "b": 1.0}, {"a": -6, "b": None}]


def test_none_blanks_a_default_and_one_value_fills_a_list() -> None:
    data = POINTS.encode({"name": None, "pair": 7}, sequence=1)
    assert data[12:26] == b"       7     7"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nam": "x"}, "no field nam"),
        ({"name": "too long"}, "name: .*does not fit A4"),
        ({"pair": [1]}, "pair has 1 values, expected 2"),
        ({"n": 3, "items": [{}]}, "items has 1 items, its count says 3"),
        ({"items": [{}] * 5}, "5 items do not fit, 4 would"),
        ({"items": [{"c": 1}]}, "items has no field c"),
    ],
)
def test_encode_refuses(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        POINTS.encode(values, sequence=1)


def test_encode_refuses_a_length_that_is_too_short() -> None:
    with pytest.raises(ValueError, match="cannot have 20 bytes"):
        POINTS.encode({}, sequence=1, length=20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:20], "LED-x, offset 720: the points record has 20 bytes, expected at least"),
        (lambda d: d[:4] + b"\1\2\3\5" + d[8:], "type is 1,2,3,5, expected 1,2,3,4"),
        (lambda d: d[:16] + b"abcd" + d[20:], "field pair at byte 16 .* b'abcd', expected a whole"),
        (lambda d: d[:26] + b"99" + d[28:], "announces 99 items, expected 0 to 4"),
        (lambda d: d[:26] + b"-1" + d[28:], "announces -1 items"),
    ],
)
def test_decode_names_what_is_wrong(change: object, message: str) -> None:
    data = POINTS.encode({"pair": 0}, sequence=1)
    with pytest.raises(BadRecord, match=message):
        POINTS.decode(change(data), where="LED-x, offset 720")  # type: ignore[operator]


def test_nan_is_none_unless_kept() -> None:
    layout = RecordLayout("r", None, 20, (Field("v", 12, "F8.3"),))
    data = layout.encode({"v": math.nan}, sequence=1)
    assert data[12:] == b"     NAN"
    assert layout.decode(data, where="")["v"] is None
    assert math.isnan(layout.decode(data, where="", keep_nan=True)["v"])


def test_a_group_ends_where_the_next_field_begins() -> None:
    points = [{"x_m": 1.0}] * 29
    with pytest.raises(ValueError, match="29 points do not fit, 28 would"):
        PLATFORM_POSITION.encode({"points": points}, sequence=4)
    data = bytearray(PLATFORM_POSITION.encode({"points": points[1:]}, sequence=4))
    data[140:144] = b"  29"
    with pytest.raises(BadRecord, match="announces 29 points, expected 0 to 28 in its 4680 bytes"):
        PLATFORM_POSITION.decode(bytes(data), where="LED")


def test_field_by_name() -> None:
    assert POINTS.field("n").offset == 26
    assert POINTS.field("record_length").offset == 8
    with pytest.raises(KeyError):
        POINTS.field("items")


def test_numpy_view_is_the_same_table() -> None:
    (prefix,) = [layout for layout in TABLES if layout.name == "signal data"]
    lines = np.zeros(3, prefix.dtype())
    lines["record_number"] = [2, 3, 4]
    lines["record_codes"] = prefix.codes
    lines["record_length"] = 600
    lines["lat_first_udeg"] = -11_423_305
    lines["us_of_day"] = 86_399_999_999
    data = lines.tobytes()
    assert len(data) == 3 * 544
    values = {"lat_first_udeg": -11_423_305, "us_of_day": 86_399_999_999}
    assert data[544 : 2 * 544] == prefix.encode(values, sequence=3, length=600)
    with pytest.raises(ValueError, match="groups"):
        POINTS.dtype()
