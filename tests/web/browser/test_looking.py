"""Looking: list and map together, pictures, comparing, stacks, the page of a scene, downloads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fakes.archive import FakeArchive
from web.browser.conftest import FUJI, FUJI_STACK, GEOTIFF

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
Show = Callable[..., Any]
OTHER = "ALOS2373120700-210420-FBDR1.5GUA-ceos"
PAIR = f"show={FUJI}:RGB:100,{OTHER}:HH:60"
FUJI_VIEW = "map=10/35.36/138.73"
MIDDLE = (870, 400)
"""Of the map on a desktop without details."""


def test_another_base_map_is_asked_only_when_chosen_and_told_the_host_alone(
    browser: Any, address: str
) -> None:
    asked: list[dict[str, str]] = []
    context = browser.new_context()
    try:

        def answer(route: Any) -> None:
            asked.append(route.request.all_headers())
            route.fulfill(status=200, content_type="image/png", body=b"")

        context.route("https://tile.openstreetmap.org/**", answer)
        page = context.new_page()
        page.goto(f"{address}/#{FUJI_VIEW}")
        expect(page.locator("#list li").first).to_be_visible()
        assert asked == []
        page.get_by_role("combobox", name="Base map").select_option("osm")
        page.wait_for_event("requestfinished", lambda r: "openstreetmap" in r.url)
        assert {headers.get("referer") for headers in asked} == {f"{address}/"}
    finally:
        context.close()


def test_list_and_map_point_at_each_other(show: Show) -> None:
    page = show(f"#{FUJI_VIEW}&mode=FBD&pass=A")
    page.mouse.move(*MIDDLE)
    pointed = page.locator("#list li.pointed")
    expect(pointed).to_have_count(1)
    expect(page.locator("#readout-scene")).to_contain_text("path 131 frame 0700")
    name = pointed.get_attribute("data-id")
    page.mouse.click(*MIDDLE)
    expect(page.locator("#detail")).to_contain_text(name)
    # Twelve scenes lie on each other: the next click opens the next of them. The details have
    # taken their part of the map.
    page.mouse.click(656, 400)
    expect(page.locator("#detail .mono").first).not_to_have_text(name)
    page.locator(f'#list li[data-id="{FUJI}"] .row-main').hover()
    expect(page.locator("#list li.pointed")).to_have_attribute("data-id", FUJI)


def test_pictures_have_layers_opacity_and_native_zooms(show: Show) -> None:
    page = show(f"#{FUJI_VIEW}")
    page.get_by_role("button", name=f"Show the picture of {FUJI}").click()
    tiles = page.locator(".scene-tile img")
    expect(tiles.first).to_be_visible()
    assert f"/tiles/{FUJI}/RGB/10/" in tiles.first.get_attribute("src")
    page.locator(".layers-choice").select_option("HV")
    expect(page.locator(f'.scene-tile img[src*="{FUJI}/HV/"]').first).to_be_visible()
    page.get_by_role("slider", name="opacity").fill("40")
    assert f"show={FUJI}:HV:40" in page.url
    layer = page.locator(".leaflet-tiles-pane .leaflet-layer").first
    expect(layer).to_have_css("opacity", "0.4")
    # Deeper than the tiles go, the deepest are enlarged and no others asked for.
    page.evaluate("location.hash = location.hash.replace('map=10/', 'map=13/')")
    expect(page.locator('.scene-tile img[src*="/HV/11/"]').first).to_be_visible()
    page.get_by_role("button", name="Take all pictures away").click()
    expect(page.locator(".scene-tile img")).to_have_count(0)


def test_backscatter_below_the_pointer(show: Show) -> None:
    page = show(f"#show={FUJI}:HH:100&{FUJI_VIEW}")
    expect(page.locator(".scene-tile img").first).to_be_visible()
    page.mouse.move(*MIDDLE)
    value = page.locator("#readout-value")
    expect(value).to_have_text(re.compile(r"^HH σ⁰ ≈ -?\d+\.\d dB$"))
    page.locator(".layers-choice").select_option("RGB")
    expect(value).to_have_text(re.compile(r"^HH -?\d+\.\d {2}HV -?\d+\.\d {2}HH/HV -?\d+\.\d dB$"))
    page.locator("#map").focus()
    page.keyboard.press("m")
    expect(page.locator("#readout-place")).to_contain_text("N")


def test_swipe_and_blink(show: Show) -> None:
    page = show(f"#{PAIR}&{FUJI_VIEW}")
    page.get_by_role("button", name="Swipe").click()
    line = page.get_by_role("slider", name="Where the two pictures meet")
    expect(page.locator("#swipe-left")).to_have_text("2021-07-27 FBD RGB")
    expect(page.locator("#swipe-right")).to_have_text("2021-04-20 FBD HH")

    def cut() -> str:
        style = "e => e.style.clipPath"
        return str(page.locator(".leaflet-tiles-a-pane").evaluate(style))

    before = cut()
    assert before.startswith("polygon")
    line.focus()
    page.keyboard.press("End")
    expect(page.locator("#swipe")).to_have_attribute("style", re.compile("100%"))
    assert cut() != before
    assert "compare=swipe:100" in page.url
    box = page.locator(".swipe-line").bounding_box()
    page.mouse.move(box["x"] + 5, 300)
    page.mouse.down()
    page.mouse.move(870, 300, steps=3)
    page.mouse.up()
    assert re.search(r"compare=swipe:(49|50|51)", page.url)
    page.get_by_role("button", name="Blink").click()
    marks = page.locator(".ab.front")
    expect(marks).to_have_count(1)
    first = marks.inner_text()
    expect(marks).not_to_have_text(first)
    page.get_by_role("button", name="Stop blinking").click()
    still = marks.inner_text()
    page.wait_for_timeout(1300)
    assert marks.inner_text() == still
    page.keyboard.press("b")
    expect(marks).not_to_have_text(still)


def test_stack_with_baselines_and_without(show: Show) -> None:
    page = show("#tab=stacks")
    expect(page.locator("#stacks li")).to_have_count(6)
    page.locator("#stacks button", has_text="Path 131").click()
    assert f"stack={FUJI_STACK}" in page.url
    rows = page.locator(".stack-table tbody tr")
    expect(rows).to_have_count(12)
    expect(rows.first).to_contain_text("reference")
    far = [float(text) for text in page.locator(".stack-table td:last-child").all_inner_texts()]
    assert far[0] == 0.0
    assert max(far) - min(far) > 200
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert page.locator(".stack-plot canvas").evaluate(drawn)
    page.get_by_role("button", name="Swipe A | B").click()
    expect(page.locator(".layers-list li")).to_have_count(2)
    assert "compare=swipe" in page.url
    page = show("#stack=12_2900_UBS_R_D_x_32.4")
    expect(page.locator("#detail")).to_contain_text("None of 6 scenes has a perpendicular baseline")
    assert set(page.locator(".stack-table td:last-child").all_inner_texts()) == {"unknown"}


def test_page_of_a_scene(show: Show, scenes: FakeArchive) -> None:
    page = show(f"#item={GEOTIFF}")
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_have_text("2021-03-02 02:49 UTC")
    for words in ("Scene", "Time", "Geometry", "Source", "Files"):
        expect(detail.locator("h3", has_text=re.compile(f"^{words}$", re.I))).to_have_count(1)
    spacing = detail.locator("dt", has_text="Pixel spacing").locator("+ dd")
    expect(spacing).to_have_text("150 m")
    zip_row = detail.locator("table.files tr", has_text=".zip").first
    expect(zip_row).to_contain_text(re.compile(r"\d (kB|MB)"))
    sum_ = zip_row.locator("button.sum")
    sum_.click()
    assert re.fullmatch("[0-9a-f]{64}", page.evaluate("navigator.clipboard.readText()"))
    # Footprints: three say where it lies, two of them otherwise.
    said = detail.locator("section", has_text="who says so").locator("tbody tr")
    expect(said.filter(has_text="chosen")).to_have_count(1)
    expect(said.filter(has_text=re.compile(r"\d k?m"))).to_have_count(2)
    before = page.locator(".leaflet-area-pane path").count()
    said.filter(has_text="km").get_by_role("checkbox").check()
    expect(page.locator(".leaflet-area-pane path")).to_have_count(before + 1)
    expect(detail.locator("pre", has_text="alos2 ingest http")).to_be_visible()
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    page.go_back()
    expect(detail).to_be_visible()
    (metadata,) = scenes.ids["metadata"]
    page = show(f"#item={metadata}")
    expect(page.locator("#detail")).to_contain_text("The product's files")
    expect(page.locator("#detail .browse")).to_have_count(0)


def test_downloads_of_one_and_of_a_list(show: Show) -> None:
    page = show("#mode=UBS")
    for row in page.locator("#list li").all()[:2]:
        row.get_by_role("checkbox").check()
    expect(page.locator("#select-text")).to_have_text("2 selected")
    page.get_by_role("button", name="Download …").first.click()
    dialog = page.get_by_role("dialog", name="Download 2 scenes")
    expect(dialog).to_contain_text("2 files")
    expect(dialog.locator("pre")).to_contain_text("curl -fL")
    dialog.get_by_role("button", name="List of addresses").click()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save as addresses.txt").click()
    lines = download.value.path().read_text("utf-8").split()
    assert len(lines) == 2
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/files/.+\.zip", line) for line in lines)
    assert page.request.head(lines[0]).ok
    dialog.get_by_role("button", name="aria2c").click()
    dialog.get_by_role("button", name="Copy").click()
    assert "out=ALOS2" in page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("#select-all").check()
    expect(page.locator("#select-text")).to_have_text(re.compile(r"\d selected"))


def test_across_the_antimeridian(show: Show, scenes: FakeArchive) -> None:
    name = scenes.ids["antimeridian"][0]
    page = show(f"#item={name}&show={name}:HH:100")
    expect(page.locator(".scene-tile img").first).to_be_visible()
    columns = {
        int(re.search(r"/HH/(\d+)/(\d+)/", src)[2])
        for src in page.locator(".scene-tile img").evaluate_all("all => all.map(e => e.src)")
    }
    # The last columns of the world and its first ones, side by side.
    assert min(columns) == 0
    assert max(columns) > 100
    page.mouse.move(650, 420)
    expect(page.locator("#readout-scene")).to_contain_text("2022")
