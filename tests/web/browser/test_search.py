"""Asking: areas, dates, filters with counts, words; the list and the timeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.archive import FakeArchive

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
Show = Callable[..., Any]
JAPAN = "128,30,146,46"


def count(page: Any, number: int) -> None:
    expect(page.locator("#count-scenes")).to_have_text(str(number))


def test_all_scenes_are_listed_newest_first(show: Show, scenes: FakeArchive) -> None:
    page = show()
    count(page, scenes.count)
    assert scenes.count >= 40
    rows = page.locator("#list li")
    expect(rows.first).to_contain_text("2024-06-01")
    assert rows.first.get_attribute("aria-setsize") == str(scenes.count)
    # Only what can be seen is there.
    assert rows.count() < scenes.count
    page.locator("#list-scroll").evaluate("e => { e.scrollTop = e.scrollHeight }")
    expect(page.locator(f'#list li[aria-posinset="{scenes.count}"]')).to_contain_text("2015-09-20")
    assert page.locator("#list img").first.evaluate("e => e.complete && e.naturalWidth") > 0


def test_filters_count_live_and_can_be_taken_away(show: Show, scenes: FakeArchive) -> None:
    page = show("#tab=filters")
    mode = page.locator("#filter-mode")
    expect(mode.locator("label", has_text="WBD").locator(".value-count")).to_have_text("6")
    mode.get_by_label("FBD").check()
    count(page, 25)
    # Its own values go on being counted as if it were not there; the others change.
    expect(mode.locator("label", has_text="WBD").locator(".value-count")).to_have_text("6")
    expect(page.locator("#filter-pass label", has_text="Descending")).to_contain_text("6")
    mode.get_by_label("WBD").check()
    count(page, 31)
    page.locator("#filter-pass").get_by_label("Descending").check()
    count(page, 11)
    assert "mode=FBD,WBD" in page.url
    assert "pass=D" in page.url
    page.get_by_role("button", name="Take away: FBD").click()
    count(page, 5)
    page.get_by_role("button", name="Clear all").click()
    count(page, scenes.count)
    page.go_back()
    count(page, 5)


def test_area_is_typed_drawn_dropped_and_refused(show: Show, tmp_path: Path) -> None:
    page = show(f"#area={JAPAN}")
    in_japan = int(page.locator("#count-scenes").inner_text())
    assert 30 < in_japan < 46
    page.fill("#area-text", "178,-20,-178,-15")
    page.keyboard.press("Enter")
    count(page, 3)
    page.fill("#area-text", "POINT(138.6 35.3)")
    page.keyboard.press("Enter")
    expect(page.locator("#chips")).to_contain_text("Point 138.6, 35.3")
    expect(page.locator(".area-line").first).to_be_attached()
    page.fill("#area-text", "POLYGON((1 2")
    page.keyboard.press("Enter")
    expect(page.locator("#area-note")).to_contain_text("cut short")
    page.fill("#area-text", "")
    page.keyboard.press("Enter")
    ring = [[128, 30], [146, 30], [146, 46], [128, 46], [128, 30]]
    file = tmp_path / "japan.geojson"
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    page.set_input_files("#area-file-input", file)
    count(page, in_japan)
    expect(page.locator("#chips")).to_contain_text("Polygon of 4 corners")


def test_rectangle_and_polygon_are_drawn_on_the_map(show: Show) -> None:
    page = show("#map=5/36/138")
    page.get_by_role("button", name="Draw a rectangle").click()
    page.mouse.move(700, 300)
    page.mouse.down()
    page.mouse.move(1000, 520, steps=4)
    page.mouse.up()
    expect(page.locator("#chips")).to_contain_text("Box")
    west, south, east, north = map(float, page.input_value("#area-text").split(","))
    assert 125 < west < 135 < east < 150
    assert 28 < south < 36 < north < 45
    expect(page.locator("#count-scenes")).not_to_have_text("46")
    drawn = page.locator("#count-scenes").inner_text()
    page.keyboard.press("g")
    for x, y in ((700, 300), (1000, 300), (1000, 520), (700, 520)):
        page.mouse.click(x, y)
    page.keyboard.press("Enter")
    expect(page.locator("#chips")).to_contain_text("Polygon of 4 corners")
    count(page, int(drawn))
    page.keyboard.press("r")
    expect(page.locator("#draw-box")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#draw-box")).to_have_attribute("aria-pressed", "false")


def test_dates_are_typed_and_brushed(show: Show) -> None:
    page = show()
    page.fill("#from", "2020-01-01")
    page.fill("#to", "2020-12-31")
    page.keyboard.press("Tab")
    count(page, 11)
    handle = page.get_by_role("slider", name="First month")
    handle.focus()
    # The timeline shows all months still; the brush covers the year.
    assert handle.get_attribute("aria-valuetext") == "January 2020"
    page.keyboard.press("ArrowRight")
    expect(page.locator("#from")).to_have_value("2020-02-01")
    expect(page.get_by_role("slider", name="First month")).to_be_focused()
    page.get_by_role("button", name="All dates").click()
    count(page, 46)
    box = page.locator("svg.months").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20, steps=3)
    page.mouse.up()
    expect(page.locator("#chips")).to_contain_text("to 2024-06-30")
    count(page, 6)


def test_words_find_scenes_and_nothing_is_said(show: Show, scenes: FakeArchive) -> None:
    page = show("#tab=scenes")
    page.keyboard.press("/")
    page.keyboard.type("forest")
    count(page, 1)
    expect(page.locator("#list")).to_contain_text("metadata only")
    page.fill("#q", "nothing has this word")
    count(page, 0)
    expect(page.locator("#list-empty")).to_contain_text("No scene matches")
    expect(page.locator("#live")).to_have_text("No scene found")


def test_permalink_and_history(show: Show, page_of: Callable[..., Any]) -> None:
    page = show(f"#mode=FBD&pass=A&from=2020-01-01&area={JAPAN}&tab=filters&map=6.5/36/137")
    number = page.locator("#count-scenes").inner_text()
    page.get_by_role("button", name="Copy a link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    other = page_of(link)
    expect(other.locator("#count-scenes")).to_have_text(number)
    expect(other.locator("#tab-filters")).to_have_attribute("aria-selected", "true")
    assert "map=6.5/36/137" in other.url
    broken = show("#area=POLYGON((1&map=x/y&compare=wipe&sel=&show=:::&view=nowhere")
    count(broken, 46)
