"""Finished stacks on the map: list, page, layers, comparing, the series of a place, keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.web.options import ServeOptions
from alos2.web.start import application
from fakes.finished import DATES, DISC, GAP_DATE, GAP_PX, Finished, make_finished
from fakes.served import SLC, golden, lay, served, variant
from web.browser.conftest import DESKTOP, PHONE

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
Show = Callable[..., Any]
SMALL = (400, 420)


@dataclass(frozen=True)
class Shelf:
    """A server of two finished stacks and three scenes."""

    url: str
    track: Finished
    mosaic: Finished

    def view(self) -> str:
        lon, lat = self.track.lonlat(200, 230)
        return f"map=12/{lat:.5f}/{lon:.5f}"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    archive = tmp_path_factory.mktemp("finished") / "archive"
    archive.mkdir()
    for number in range(3):
        lay(archive, variant(golden(SLC), number))
    track = make_finished(archive, shape=SMALL)
    days = tuple(datetime(2019, 3, day, 2, tzinfo=timezone.utc) for day in (1, 20))
    mosaic = make_finished(
        archive, mosaic=True, shape=(120, 160), dates=days, metrics=("avg",), path=12
    )
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert len(catalogue) == 5
    options = ServeOptions(port=0)
    with served(application(archive, options), options) as url:
        yield Shelf(url, track, mosaic)


@pytest.fixture
def show(page_of: Show, shelf: Shelf) -> Show:
    def shown(hash_: str = "", size: tuple[int, int] = DESKTOP, **more: Any) -> Any:
        page = page_of(f"{shelf.url}/{hash_}", size, **more)
        page.locator("#count-scenes:not(:empty)").wait_for(state="attached")
        return page

    return shown


def point(page: Any, stack: Finished, line: int, pixel: int) -> tuple[float, float]:
    """Where a pixel of a stack is on the screen: the map looks at line 200, pixel 230."""
    box = page.locator("#map").bounding_box()
    (lon, lat), (lon0, lat0) = stack.lonlat(line, pixel), stack.lonlat(200, 230)
    scale = 256 * 2**12 / 360
    right = (lon - lon0) * scale
    down = (lat0 - lat) * scale / 0.8157
    return box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 + down


def test_from_the_list_to_the_page_and_the_scenes(show: Show, shelf: Shelf) -> None:
    page = show("#tab=stacks")
    rows = page.locator(".product-row")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="Mosaic of path 12")).to_have_count(1)
    row = rows.filter(has_text="Path 97 · frame 2900")
    expect(row).to_contain_text("5 dates")
    expect(row).to_contain_text("2020-06-15 to 2020-10-05")
    expect(page.locator("#count-stacks")).to_have_text("3")
    expect(page.locator(".scene-stacks .stack-row")).to_contain_text("finished")
    row.click()
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_have_text("Path 97 · frame 2900")
    expect(row).to_have_attribute("aria-current", "true")
    # Its mean is shown at once.
    expect(
        page.locator(f'.scene-tile img[src*="{shelf.track.id}/tiles/avg-RGB/"]').first
    ).to_be_visible()
    assert f"show={shelf.track.id}:avg-RGB:100" in page.url
    expect(detail).to_contain_text("1 acquisition could not be made ready: 20200520")
    expect(detail.locator("dt", has_text="Pixel spacing").first.locator("+ dd")).to_have_text(
        "25 m"
    )
    detail.locator("summary", has_text="Files").click()
    mean = detail.locator("table.files tr", has_text="bs.HH.avg.tif")
    expect(mean).to_contain_text(re.compile(r"\d (kB|MB)"))
    mean.locator("button.sum").click()
    assert re.fullmatch("[0-9a-f]{64}", page.evaluate("navigator.clipboard.readText()"))
    picture = detail.locator(".product-picture img")
    assert picture.evaluate(
        "e => e.complete && e.naturalWidth > 0 || new Promise(r => e.onload = () => r(true))"
    )
    detail.get_by_role("button", name="First and last").click()
    expect(picture).to_have_attribute("src", re.compile("before-after.png"))
    detail.get_by_role("button", name="3 scenes of path 97").click()
    expect(detail.locator("h2")).to_have_text("Path 97 · frame 2900")
    expect(detail.locator(".stack-table tbody tr")).to_have_count(3)
    detail.get_by_role("button", name=re.compile("P097 F2900, 2020-06-15 to 2020-10-05")).click()
    expect(detail.locator(".layer-table").first).to_be_visible()


def test_layers_legends_and_two_dates_compared(show: Show, shelf: Shelf) -> None:
    name = shelf.track.id
    page = show(f"#item={name}&{shelf.view()}")
    detail, layers = page.locator("#detail"), page.locator("#layers")
    button = detail.get_by_role("button", name="2020-08-10 HH, on the map")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator('.scene-tile img[src*="/tiles/20200810-HH/12/"]').first).to_be_visible()
    expect(layers.locator(".legend-bar")).to_have_attribute("aria-label", re.compile("dB$"))
    detail.get_by_role("button", name="trend HV, on the map").click()
    expect(page.locator('.scene-tile img[src*="/tiles/trend-HV/12/"]').first).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert f"show={name}:trend-HV:100" in page.url
    expect(layers.locator(".legend-unit")).to_have_text("dB a year")
    expect(layers.locator(".legend-tick")).not_to_have_count(0)
    ramp = "e => getComputedStyle(e).backgroundImage"
    assert layers.locator(".legend-ramp").evaluate(ramp).startswith("linear-gradient")
    layers.locator("select").select_option("avg-RGB")
    expect(layers.locator(".channel")).to_have_count(3)
    layers.get_by_role("slider", name="opacity").fill("60")
    assert f"show={name}:avg-RGB:60" in page.url
    # A date beside a metric, then two dates.
    detail.get_by_role("combobox", name="Layer A").select_option("20200615-HH")
    detail.get_by_role("combobox", name="Layer B").select_option("std-HH")
    detail.get_by_role("button", name="Swipe A | B").click()
    expect(page.locator("#swipe-left")).to_have_text("2020-06-15 HH")
    expect(page.locator("#swipe-right")).to_have_text("std. deviation HH")
    assert f"show={name}:20200615-HH:100,{name}:std-HH:100" in page.url
    layers.locator("select").nth(1).select_option("20200810-HH")
    expect(page.locator("#swipe-right")).to_have_text("2020-08-10 HH")
    expect(detail.get_by_role("combobox", name="Layer B")).to_have_value("20200810-HH")
    detail.get_by_role("button", name="Blink A, B").click()
    marks = page.locator("#layers .ab.front")
    expect(marks).to_have_count(1)
    first = marks.inner_text()
    expect(marks).not_to_have_text(first)
    # The link shows the same again.
    page = show(page.url[page.url.index("#") :].replace("compare=blink", "compare=swipe"))
    expect(page.locator("#swipe-right")).to_have_text("2020-08-10 HH")
    expect(page.locator("#layers li")).to_have_count(2)
    page.get_by_role("button", name="Take 2020-06-15 HH away").click()
    expect(page.locator("#layers li")).to_have_count(1)


def test_series_of_a_clicked_place(show: Show, shelf: Shelf) -> None:
    name = shelf.track.id
    page = show(f"#item={name}&show={name}:20200615-HH:100&{shelf.view()}")
    detail = page.locator("#detail")
    expect(detail.locator(".layer-table").first).to_be_visible()
    line, pixel = 280, DISC[1] - 20
    page.mouse.move(*point(page, shelf.track, line, pixel))
    value = page.locator("#readout-value")
    expect(value).to_have_text(re.compile(r"^2020-06-15 HH {2}-\d+\.\d dB$"))
    page.mouse.click(*point(page, shelf.track, line, pixel))
    expect(page.locator(".series-plot canvas")).to_be_visible()
    # The page of the stack stays, no scene below was opened.
    assert f"item={name}" in page.url
    assert "pt=1" in page.url
    rows = detail.locator("tr[data-what]")
    shown = [float(rows.nth(n).locator("td").first.inner_text()) for n in range(5)]
    for number, db in enumerate(shown):
        truth = shelf.track.decibels["HH"][number][line - 3 : line + 4, pixel - 3 : pixel + 4]
        assert truth.min() - 0.1 < db < truth.max() + 0.1
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert page.locator(".series-plot canvas").evaluate(drawn)
    expect(page.locator(".series-ring")).to_have_count(1)
    over = page.locator(".series-plot .u-over").bounding_box()
    page.mouse.move(over["x"] + over["width"] * 0.5, over["y"] + over["height"] / 2)
    expect(page.locator(".series-said")).to_have_text(
        re.compile(r"^2020-08-10: HH -\d+\.\d dB, HV -\d+\.\d dB$")
    )
    page.mouse.click(over["x"] + over["width"] * 0.5, over["y"] + 4)
    shown_now = page.locator('[data-layer="20200810-HH"]')
    expect(shown_now).to_have_attribute("aria-pressed", "true")
    assert f"show={name}:20200810-HH:100" in page.url
    detail.get_by_role("combobox", name="Mean over").select_option("5")
    expect(detail.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("window=5"))
    assert "win=5" in page.url
    with page.expect_download() as download:
        detail.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text("utf-8").startswith("date,time_utc,HH_dB,HV_dB")
    # A place that is typed; a gap is told as one.
    lon, lat = shelf.track.lonlat(100, GAP_PX - 30)
    place = detail.get_by_role("textbox", name="Place")
    place.fill("somewhere")
    place.press("Enter")
    expect(place).to_have_attribute("aria-invalid", "true")
    place.fill(f"{lon:.6f} {lat:.6f}")
    place.press("Enter")
    gap = rows.nth(GAP_DATE).locator("td")
    expect(gap.nth(1)).to_have_text("–")
    expect(gap.nth(0)).to_have_text(re.compile(r"-\d"))
    expect(detail.locator("tr[data-what=count] td").nth(1)).to_have_text("4")
    place.fill("10, 10")
    place.press("Enter")
    expect(detail.locator("#series-out")).to_contain_text("outside of the stack")


def test_by_keys_alone(show: Show, shelf: Shelf) -> None:
    page = show(f"#tab=stacks&{shelf.view()}")
    expect(page.locator(".product-row")).to_have_count(2)
    page.keyboard.press("s")
    page.keyboard.press("Tab")
    for _ in range(12):
        if "Path 97" in page.locator(":focus").inner_text():
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("Path 97 · frame 2900")
    expect(page.locator("#layers")).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    expect(page.locator(".series-plot canvas")).to_be_visible()
    expect(page.locator("#live")).to_contain_text(f"Series of {len(DATES)} dates: mean HH")
    page.locator('[data-layer="20200713-HV"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("data-layer", "20200713-HV")
    expect(page.locator(":focus")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(".series-ring")).to_have_count(0)


def test_mosaics_and_phones(show: Show, shelf: Shelf) -> None:
    name = shelf.mosaic.id
    lon, lat = shelf.mosaic.lonlat(60, 100)
    page = show(f"#item={name}&show={name}:avg-HH:100&pt={lon:.5f},{lat:.5f}", PHONE, scheme="dark")
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_have_text("Mosaic of path 12")
    expect(detail.locator("tr[data-what]").first).to_contain_text("2019-03-01 / 2019-03-06")
    expect(page.locator(".series-plot canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert detail.evaluate("e => e.scrollWidth <= e.clientWidth")
    box = page.locator(".series-plot").bounding_box()
    assert box["y"] + box["height"] <= PHONE[1]
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_axe_finds_nothing_serious(
    show: Show, shelf: Shelf, axe: str, size: Any, scheme: str
) -> None:
    name = shelf.track.id
    lon, lat = shelf.track.lonlat(280, 380)
    shown = f"show={name}:std-HH:100,{name}:20200810-RGB:80&compare=swipe:50"
    for hash_ in ("#tab=stacks", f"#item={name}&{shown}&pt={lon:.5f},{lat:.5f}&{shelf.view()}"):
        page = show(hash_, size, scheme=scheme, bypass_csp=True, reduced_motion="reduce")
        if "item" in hash_:
            expect(page.locator(".series-plot canvas")).to_be_visible()
        page.wait_for_timeout(400)
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        told = [(v["impact"], v["id"], v["nodes"][0]["html"][:200]) for v in found]
        assert not [one for one in told if one[0] in ("serious", "critical")], told
        page.context.close()
