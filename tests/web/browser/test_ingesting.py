"""Ingest from the page: an address, a zip that is dropped, what fails, and cancelling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from alos2.web.options import ServeOptions
from alos2.web.start import application, prepare
from fakes.served import served

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
PageOf = Callable[..., Any]


@pytest.fixture
def changing(own_archive: Path) -> Iterator[str]:
    """A server that may ingest."""
    prepare(own_archive)
    options = ServeOptions(port=0, allow_ingest=True)
    with served(application(own_archive, options), options) as url:
        yield url


def test_zip_and_address_become_datasets(
    page_of: PageOf, changing: str, deliveries: Any, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/0000000001.zip").respond_with_data(
        deliveries.slc.read_bytes(), content_type="application/zip"
    )
    httpserver.expect_request("/nothing.zip").respond_with_data("gone", status=404)
    page = page_of(f"{changing}/#view=jobs")
    page.set_input_files("#job-file", deliveries.geotiff)
    job = page.locator(".job", has_text=deliveries.geotiff.name)
    expect(job).to_be_visible()
    page.fill("#job-source", httpserver.url_for("/0000000001.zip"))
    page.get_by_role("button", name="Ingest", exact=True).click()
    page.fill("#job-source", httpserver.url_for("/nothing.zip"))
    page.keyboard.press("Enter")
    expect(page.locator(".job")).to_have_count(3)
    expect(page.locator(".job-done")).to_have_count(2, timeout=60_000)
    failed = page.locator(".job-failed")
    expect(failed).to_contain_text("NothingFound:", timeout=30_000)
    failed.get_by_text("Log").click()
    expect(failed.locator("pre")).to_contain_text("fetching")
    expect(page.locator("#jobs-badge")).to_have_text("1")
    page.get_by_role("button", name=deliveries.geotiff_id).click()
    expect(page.locator("#detail")).to_contain_text(deliveries.geotiff_id)
    expect(page.locator("#count-scenes")).to_have_text("5")
    page.keyboard.press("j")
    page.get_by_role("button", name="Clear what is finished").click()
    expect(page.locator(".job")).to_have_count(0)


def test_what_cannot_be_is_refused_with_a_sentence(page_of: PageOf, changing: str) -> None:
    page = page_of(f"{changing}/#view=jobs", forgive=("400",))
    error = page.locator("#job-error")
    for kind, source, words in (
        ("url", "file:///etc/passwd", "an address begins with"),
        ("url", "https://me:secret@example.org/a.zip", "no account or password"),
        ("auig2", "--out=/tmp", "is no id"),
    ):
        page.select_option("#job-kind", kind)
        page.fill("#job-source", source)
        page.get_by_role("button", name="Ingest", exact=True).click()
        expect(error).to_contain_text(words)
    expect(page.locator(".job")).to_have_count(0)


def test_without_leave_there_is_no_form(show: Callable[..., Any]) -> None:
    page = show("#view=jobs")
    expect(page.locator("#page-jobs")).to_contain_text("does not ingest from the page")
    expect(page.locator("#job-source")).to_have_count(0)
