"""summary.txt: what is borne, what is named, what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import BadSummary
from alos2.product.summary import MAX_SUMMARY_BYTES, read_summary
from alos2.product.summary_keys import SUMMARY_KEYS, known_key
from alos2.product.summary_values import parse_time
from alos2.types import LonLat, RasterShape

GOOD = b'Scs_SceneID="ALOS2015976960-140909"\nImg_OffNadirAngle="36.6"\n'


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]


def test_bears_what_real_files_have() -> None:
    text = (
        b'Pdi_NoOfPixels_1=" 9196"\r\nPdi_NoOfLines_1 = "60568 "\r\n'
        b'Ach_PRF_Check=""\r\nXyz_New="100 % of = it"\r\nPds_ResamplingMethod=NN\r\n'
        b'Pdi_ProductFormat="GeoTIFF "'
    )
    summary = read_summary(text)
    assert summary.problems == ()
    assert summary.shapes == {1: RasterShape(60568, 9196)}
    assert summary.text("Ach_PRF_Check") is None
    assert summary.values["Ach_PRF_Check"] == ""
    assert summary.values["Xyz_New"] == "100 % of = it"
    assert summary.unknown_keys == ("Xyz_New",)
    assert summary.values["Pdi_NoOfPixels_1"] == " 9196"
    assert summary.text("Pds_ResamplingMethod") == "NN"
    assert summary.text("Pdi_ProductFormat") == "GeoTIFF"


def test_repeated_keys_are_kept_and_the_last_counts() -> None:
    summary = read_summary(b'Scs_SceneShift="1"\nScs_SceneID="a"\nScs_SceneShift="-3"\n')
    assert summary.items == (
        ("Scs_SceneShift", "1"), ("Scs_SceneID", "a"), ("Scs_SceneShift", "-3"),
    )  # fmt: skip
    assert summary.integer("Scs_SceneShift") == -3


def test_second_60_rolls_over_and_says_so() -> None:
    summary = read_summary(
        b'Img_SceneCenterDateTime="20161231 23:59:60.250"\n'
        b'Img_SceneStartDateTime="20161231 23:59:55.250"\n'
    )
    assert summary.problems == ()
    assert summary.time("Img_SceneCenterDateTime") == utc(2017, 1, 1, 0, 0, 0, 250000)
    assert summary.time("Img_SceneStartDateTime") == utc(2016, 12, 31, 23, 59, 55, 250000)
    assert summary.leap_second
    assert not read_summary(GOOD).leap_second


@pytest.mark.parametrize("text", ["20140909 04:33:61", "20140230 00:00:00", "20140909", "x", ""])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_time(text)


@given(
    st.datetimes(datetime(2014, 1, 1), datetime(2049, 1, 1)).map(  # noqa: DTZ001
        lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000, tzinfo=timezone.utc)
    )
)
def test_times_come_back(when: datetime) -> None:
    text = when.strftime("%Y%m%d %H:%M:%S.") + f"{when.microsecond // 1000:03}"
    assert parse_time(text) == (when, False)
    if when.second == 59:
        assert parse_time(text.replace(":59.", ":60."))[0] - when == timedelta(seconds=1)


def test_a_bad_line_is_a_remark_and_a_bad_value_blocks() -> None:
    summary = read_summary(
        GOOD + b'<html>\nScs_SceneShift="two"\nImg_SceneCenterDateTime="20140909 25:00:00"\n'
        b'Pdi_NoOfLines_0="0x10"\nImg_FrameSceneCenterLatitude="-91.0"\nOdi_SiteDateTime="?"\n'
    )
    lines = [p for p in summary.problems if not p.blocks_ingest]
    values = [p for p in summary.problems if p.blocks_ingest]
    assert ["line 3" in p.message and "<html>" in p.message for p in lines] == [True]
    assert [p.message.split()[1] for p in values] == [
        "Scs_SceneShift", "Img_SceneCenterDateTime", "Pdi_NoOfLines_0",
        "Img_FrameSceneCenterLatitude", "Odi_SiteDateTime",
    ]  # fmt: skip
    assert summary.integer("Scs_SceneShift") is None
    assert summary.time("Img_SceneCenterDateTime") is None
    assert summary.processing is None
    assert summary.shapes == {}
    assert summary.number("Img_OffNadirAngle") == 36.6


def test_many_bad_lines_are_counted() -> None:
    summary = read_summary(GOOD + b"rubbish\n" * 40)
    assert len(summary.problems) == 6
    assert "35 more lines" in summary.problems[-1].message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no line"),
        (b"<!DOCTYPE html>\n<p>login</p>\n", "no line"),
        (GOOD + 'Lbi_Sensor="\u00e9"\n'.encode(), "0xc3 at offset"),
        (GOOD + b"\0\0\0", "0x00 at offset"),
        (b"PK\x03\x04" + GOOD, "0x03 at offset 2"),
        (b"a" * (MAX_SUMMARY_BYTES + 1), "more than"),
    ],
)
def test_what_is_no_summary(data: bytes, words: str) -> None:
    with pytest.raises(BadSummary, match=words):
        read_summary(data, "summary.txt")


def test_file_names_of_any_level_in_their_order() -> None:
    summary = read_summary(
        b'Pdi_CntOfL21ProductFileName="3"\nPdi_L21ProductFileName02="LUT-HH"\n'
        b'Pdi_L21ProductFileName01="IMG-HH"\nPdi_L21ProductFileName10=" IMG-HV "\n'
        b'Pdi_L21ProductFileName11=""\n'
    )
    assert summary.file_names == ("IMG-HH", "LUT-HH", "IMG-HV")
    assert summary.file_count == 3


def test_corners_need_all_four() -> None:
    places = {"LeftTop": (1, 2), "RightTop": (3, 2), "LeftBottom": (1, 0), "RightBottom": (3, 0)}
    lines = [
        f'Img_ImageScene{p}Longitude="{lon}.5"\nImg_ImageScene{p}Latitude="{lat}.25"\n'
        for p, (lon, lat) in places.items()
    ]
    corners = read_summary("".join(lines).encode()).image_corners
    assert corners is not None
    assert corners.right_bottom == LonLat(3.5, 0.25)
    assert corners.center is None
    assert read_summary("".join(lines[:3]).encode()).image_corners is None


def test_the_table_has_every_key_once() -> None:
    names = [key.name for key in SUMMARY_KEYS]
    assert len(names) == len(set(names)) == 66
    assert known_key("Pdi_L11ProductFileName07") == known_key("Pdi_L31ProductFileName01")
    assert known_key("Pdi_CntOfL15ProductFileName") is not None
    assert known_key("Pdi_NoOfLines_5") is not None
    assert known_key("Pdi_NoOfLines_") is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200), st.binary(max_size=3), st.integers(0, 200))
def test_damage_is_refused_or_named_never_worse(at: int, put: bytes, cut: int) -> None:
    text = GOOD + b'Img_SceneCenterDateTime="20140909 04:33:47.052"\nPdi_NoOfLines_0="13161"\n'
    damaged = (text[:at] + put + text[at + len(put) :])[: max(1, len(text) - cut)]
    try:
        summary = read_summary(damaged)
    except BadSummary:
        return
    assert summary.items
    assert summary.time("Img_SceneCenterDateTime") is None or summary.values
    for key in ("Img_OffNadirAngle", "Pdi_NoOfLines_0"):
        assert summary.number(key) is None or summary.text(key)


def test_real_summaries(real_data) -> None:
    folder = real_data / "palsar2-real" / "ALOS2146686640-170209"
    summary = read_summary((folder / "summary.txt").read_bytes())
    assert summary.problems == ()
    assert summary.unknown_keys == ()
    assert len(summary.items) == 61
    assert summary.time("Img_SceneCenterDateTime") == utc(2017, 2, 9, 5, 11, 3, 457000)
    assert summary.shapes == {0: RasterShape(13684, 14060)}
    assert summary.processing == ("EICS", utc(2017, 5, 17, 3, 27))
    assert summary.file_names[1] == "LUT-HH-ALOS2146686640-170209-FBDR1.5GUA.txt"
    assert summary.image_corners is not None
    assert summary.image_corners.left_bottom == LonLat(-70.501, -27.543)
    assert summary.frame_corners is not None
    assert summary.frame_corners.center == LonLat(-70.223, -27.160)
