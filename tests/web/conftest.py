"""A small archive, and a real server of it on loopback; nobody may change either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from alos2.web.app import create_app
from alos2.web.options import ServeOptions
from fakes.served import served as run_served
from fakes.served import small_archive


@dataclass(frozen=True)
class Served:
    """A server and what it serves."""

    url: str
    archive: Path
    items: list[dict[str, Any]]

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=20, **more)

    def post(self, path: str, body: Any, **more: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=20, **more)

    def ids(self, path: str, **more: Any) -> list[str]:
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return [feature["id"] for feature in answer.json()["features"]]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The archive and its items."""
    archive = tmp_path_factory.mktemp("web") / "archive"
    return archive, small_archive(archive)


@pytest.fixture(scope="session")
def served(small: tuple[Path, list[dict[str, Any]]]) -> Iterator[Served]:
    """A server as `alos2 serve` without options runs it."""
    archive, items = small
    with run_served(create_app(archive, ServeOptions(port=0, title="Test archive"))) as url:
        yield Served(url, archive, items)
