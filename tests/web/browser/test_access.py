"""For everybody: keys, screen readers (axe), light and dark, phones, and a strict policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from web.browser.conftest import DESKTOP, FUJI, FUJI_STACK, PHONE

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
Show = Callable[..., Any]
STATES = {
    "map": "",
    "filters": "#tab=filters&mode=FBD&q=ALOS2",
    "stacks": "#tab=stacks",
    "scene": f"#item={FUJI}&show={FUJI}:RGB:100,ALOS2373120700-210420-FBDR1.5GUA-ceos:HH:90"
    "&compare=swipe:50",
    "stack": f"#stack={FUJI_STACK}",
    "jobs": "#view=jobs",
}


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_axe_finds_nothing_serious(show: Show, axe: str, size: Any, scheme: str) -> None:
    for name, hash_ in STATES.items():
        page = show(hash_, size, scheme=scheme, bypass_csp=True, reduced_motion="reduce")
        page.wait_for_timeout(500)
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        told = [(v["impact"], v["id"], v["nodes"][0]["html"][:200]) for v in found]
        assert not [one for one in told if one[0] in ("serious", "critical")], (name, told)
        page.context.close()


def test_list_is_used_by_keys_alone(show: Show) -> None:
    page = show()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the scenes")
    page.keyboard.press("Enter")
    focus = page.locator(":focus")
    expect(focus).to_contain_text("2024-06-01")
    page.keyboard.press("ArrowDown")
    expect(focus).to_contain_text("2024-02-13")
    page.keyboard.press("End")
    expect(focus).to_contain_text("2015-09-20")
    page.keyboard.press(" ")
    expect(page.locator("#select-text")).to_have_text("1 selected")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_contain_text("2024-06-01")
    page.keyboard.press("]")
    expect(page.locator("#detail h2")).to_contain_text("2024-02-13")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    page.keyboard.press("f")
    expect(page.locator("#tab-filters")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-stacks")).to_be_focused()
    expect(page.locator("#stacks")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("Escape")


def test_every_control_can_be_reached_and_shows_its_focus(show: Show) -> None:
    page = show(f"#show={FUJI}:RGB:100")
    expect(page.locator("#layers")).to_be_visible()
    expect(page.locator("#timeline [role=slider]")).to_have_count(2)
    seen = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
                 return [e.id || e.dataset.key || e.dataset.handle || e.className || e.tagName,
                         s.outlineStyle !== 'none']; }"""
        )
        if told[0] == "BODY":
            break
        seen.add(told[0])
        assert told[1], told
    assert {
        "share", "theme", "help", "q", "area-text", "draw-box", "draw-polygon", "area-view",
        "area-file", "from", "to", "tab-scenes", "select-all", "download-list", "first", "last",
        "fold", f"opacity {FUJI}",
    } <= seen  # fmt: skip
    assert any("leaflet-container" in one or one == "map" for one in seen)


def test_light_and_dark_by_system_and_by_choice(show: Show) -> None:
    page = show(scheme="dark")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    sea = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(sea)
    page.keyboard.press("t")
    expect(html).to_have_attribute("data-theme", "light")
    assert page.evaluate(sea) != dark
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")


def test_phone_has_a_sheet(show: Show) -> None:
    page = show("", PHONE)
    side = page.locator("#side")
    half = side.bounding_box()["height"]
    assert 300 < half < 600
    page.get_by_role("button", name="Make this panel larger").click()
    expect(page.locator("body")).to_have_attribute("data-sheet", "full")
    page.wait_for_timeout(300)
    assert side.bounding_box()["height"] > half
    page.get_by_role("button", name="Make this panel larger").click()
    expect(page.locator("body")).to_have_attribute("data-sheet", "low")
    page.get_by_role("tab", name="Filters").click(force=True)
    page.wait_for_timeout(300)
    # Nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page = show(f"#item={FUJI}", PHONE)
    expect(page.locator("#detail h2")).to_be_visible()
    expect(side.first).to_be_visible()


def test_nothing_inline_and_no_eval(show: Show, address: str) -> None:
    page = show()
    text = page.request.get(f"{address}/").text()
    assert "style=" not in text
    assert " onclick" not in text
    policy = page.request.get(f"{address}/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    parts = ["static/js/main.js", "static/css/theme.css", "static/vendor/NOTICE.md"]
    for part in parts:
        answer = page.request.get(f"{address}/{part}")
        assert answer.ok
        again = page.request.get(
            f"{address}/{part}", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status == 304
    for path in ("static/../page.py", "static/js/nothing.js", "static/%2e%2e/page.py"):
        assert page.request.get(f"{address}/{path}").status == 404
