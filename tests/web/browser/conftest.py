"""The page in a real browser: Debian's Chromium without a window, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alos2.web.options import ServeOptions
from alos2.web.start import application
from fakes.archive import FakeArchive, make_archive
from fakes.served import served

CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1360, 850), (390, 844)
PATIENCE_MS = 20_000
FUJI = "ALOS2387610700-210727-FBDR1.5GUA-ceos"
"""The last scene of the longest stack."""
FUJI_STACK = "131_0700_FBD_R_A_x_36.6"
GEOTIFF = "ALOS2365792900-210302-UBSR2.1GUD"


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> FakeArchive:
    """46 datasets, made once, also where tests run in several processes."""
    named = os.environ.get("ALOS2_TEST_SCENES")
    if named:
        return FakeArchive.read(Path(named) / "made")
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "scenes"
    mark = place / "made"
    try:
        place.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 240
        while not mark.exists():
            assert time.monotonic() < deadline, "the other process does not make the archive"
            time.sleep(0.5)
        return FakeArchive.read(mark)
    before = os.environ.get("ALOS2_SARCAT")
    os.environ["ALOS2_SARCAT"] = "off"
    try:
        made = make_archive(place)
    finally:
        os.environ.pop("ALOS2_SARCAT")
        if before is not None:
            os.environ["ALOS2_SARCAT"] = before
    made.write(mark)
    return made


@pytest.fixture(scope="session")
def address(scenes: FakeArchive) -> Iterator[str]:
    """A server of it, that only shows."""
    options = ServeOptions(port=0, title="Test archive")
    with served(application(scenes.folder, options), options) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; without it these tests are left out.

    For a module only: while Playwright lives its loop runs in this thread, and ``asyncio.run`` of
    other tests would be refused.
    """
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}")
    api.expect.set_options(timeout=PATIENCE_MS)
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, where somebody has put it: it is not shipped."""
    named = os.environ.get("ALOS2_TEST_AXE")
    if not named or not Path(named).is_file():
        pytest.skip("ALOS2_TEST_AXE names no axe.min.js (npm pack axe-core)")
    return Path(named).read_text("utf-8")


Opener = Callable[..., Any]


@pytest.fixture
def page_of(browser: Any) -> Iterator[Opener]:
    """Opens pages; at the end none may have complained of anything."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def opened(
        url: str,
        size: tuple[int, int] = DESKTOP,
        *,
        scheme: str = "light",
        forgive: tuple[str, ...] = (),
        **more: Any,
    ) -> Any:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            has_touch=size == PHONE,
            **more,
        )
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)

        def complain(text: str) -> None:
            if not any(word in text for word in forgive):
                complaints.append(text)

        page.on("console", lambda m: complain(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("response", lambda r: complain(f"{r.status} {r.url}") if r.status >= 400 else None)
        # Nothing but our server may ever be asked.
        page.on(
            "request",
            lambda r: (
                None
                if r.url.startswith((url.split("#", maxsplit=1)[0].rstrip("/"), "blob:", "data:"))
                else complaints.append(f"asked {r.url}")
            ),
        )
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        with suppress(Exception):
            context.close()
    assert not complaints, complaints


@pytest.fixture
def show(page_of: Opener, address: str) -> Callable[..., Any]:
    """Opens the page with what stands behind the #, once the scenes are there."""

    def shown(hash_: str = "", size: tuple[int, int] = DESKTOP, **more: Any) -> Any:
        page = page_of(f"{address}/{hash_}", size, **more)
        if "view=jobs" not in hash_:
            page.locator("#count-scenes:not(:empty)").wait_for(state="attached")
        return page

    return shown


@pytest.fixture
def own_archive(scenes: FakeArchive, tmp_path: Path) -> Path:
    """An archive of three scenes that a test may change."""
    archive = tmp_path / "archive"
    for name in scenes.ids["fuji ascending"][:3]:
        shutil.copytree(scenes.folder / name, archive / name)
    return archive
