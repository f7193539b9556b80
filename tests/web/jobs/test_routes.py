"""Jobs over HTTP, with a real server: who may, uploads, events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from alos2.web.jobs import worker
from alos2.web.options import ServeOptions
from alos2.web.start import application, prepare
from fakes.served import served

TOKEN = "a-token-that-nobody-guesses"
ZIP = b"PK\x03\x04" + bytes(2000)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    place = tmp_path / "archive"
    place.mkdir()
    prepare(place)
    return place


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; print('alos2: BadArchive: no product in it', file=sys.stderr); sys.exit(3)"
    monkeypatch.setattr(worker, "command", lambda *_: [sys.executable, "-S", "-c", code])


@pytest.fixture
def url(archive: Path) -> Iterator[str]:
    options = ServeOptions(port=0, allow_ingest=True, max_upload_bytes=5000)
    with served(application(archive, options), options) as address:
        yield address


def get(address: str, **more: Any) -> Any:
    return requests.get(address, timeout=20, **more).json()


def over(url: str, number: int) -> list[dict[str, Any]]:
    """The jobs, once so many are over."""
    for _ in range(200):
        jobs: list[dict[str, Any]] = get(f"{url}/api/jobs")["jobs"]
        if sum(job["state"] in ("failed", "done") for job in jobs) >= number:
            return jobs
        time.sleep(0.05)
    raise AssertionError(jobs)


def test_job_is_asked_for_and_told_of(url: str) -> None:
    body = {"kind": "url", "source": "https://example.org/a.zip"}
    answer = requests.post(f"{url}/api/jobs", json=body, timeout=20)
    assert answer.status_code == 201
    name = answer.json()["job"]["id"]
    (job,) = over(url, 1)
    assert job["error"]["message"] == "no product in it"
    assert "log" not in job
    assert get(f"{url}/api/jobs/{name}")["job"]["log"] == ["alos2: BadArchive: no product in it"]
    again = requests.post(f"{url}/api/jobs/{name}/retry", json={}, timeout=20)
    assert again.json()["job"]["state"] in ("waiting", "running")
    over(url, 1)
    assert requests.delete(f"{url}/api/jobs/{name}", timeout=20).ok
    assert get(f"{url}/api/jobs") == {"allowed": True, "jobs": []}
    assert requests.delete(f"{url}/api/jobs/{name}", timeout=20).status_code == 404


def test_upload_is_bounded_and_must_be_a_zip(url: str, archive: Path) -> None:
    def send(body: Any, name: str = "a.zip", **more: Any) -> requests.Response:
        return requests.post(
            f"{url}/api/jobs/upload", params={"name": name}, data=body, timeout=20, **more
        )

    made = send(ZIP)
    assert made.status_code == 201
    assert made.json()["job"]["title"] == "a.zip"
    assert send(b"no zip at all").status_code == 415
    assert send(b"").status_code == 400
    assert send(ZIP, "../../a.zip").status_code == 400
    assert send(bytes(6000)).status_code == 413
    # Without a length, in pieces: counted as they come.
    assert send(iter([ZIP, ZIP, ZIP])).status_code == 413
    over(url, 1)
    uploads = archive / ".alos2-serve" / "uploads"
    (kept,) = uploads.rglob("*.zip")
    assert kept.read_bytes() == ZIP
    assert len(list(uploads.iterdir())) == 1
    requests.delete(f"{url}/api/jobs/{made.json()['job']['id']}", timeout=20)
    assert not list(uploads.iterdir())


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"kind=url", "application/x-www-form-urlencoded", 415),
        (b'{"kind":"url","source":"file:///etc/passwd"}', "application/json", 400),
    ],
)
def test_bad_bodies(url: str, body: bytes, kind: str, status: int) -> None:
    answer = requests.post(f"{url}/api/jobs", data=body, headers={"Content-Type": kind}, timeout=20)
    assert answer.status_code == status
    assert answer.json()["description"]


def test_other_sites_may_not(url: str) -> None:
    body = {"kind": "url", "source": "https://example.org/a.zip"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = requests.post(f"{url}/api/jobs", json=body, headers=headers, timeout=20)
        assert answer.status_code == 403
    assert get(f"{url}/api/jobs")["jobs"] == []


def test_events_are_sent(url: str) -> None:
    with requests.get(f"{url}/api/jobs/events", stream=True, timeout=20) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines(decode_unicode=True)
        seen: list[list[str]] = []

        def next_states() -> list[str]:
            for line in lines:
                if line.startswith("data: "):
                    jobs = json.loads(line[6:])["jobs"]
                    return [job["state"] for job in jobs]
            raise AssertionError("the events have ended")

        assert next_states() == []
        body = {"kind": "auig2", "source": "0000012345"}
        requests.post(f"{url}/api/jobs", json=body, timeout=20)
        while seen[-1:] != [["failed"]]:
            seen.append(next_states())


def test_an_open_page_does_not_keep_the_server(archive: Path) -> None:
    options = ServeOptions(port=0, allow_ingest=True)
    with served(application(archive, options), options) as url:
        events = requests.get(f"{url}/api/jobs/events", stream=True, timeout=20)
        next(events.iter_content(1))
        before = time.monotonic()
    assert time.monotonic() - before < 3
    events.close()


def test_nothing_without_leave_or_token(archive: Path) -> None:
    body = {"kind": "auig2", "source": "0000012345"}
    with served(application(archive, ServeOptions(port=0))) as url:
        assert get(f"{url}/api/jobs") == {"allowed": False, "jobs": []}
        answer = requests.post(f"{url}/api/jobs", json=body, timeout=20)
        assert answer.status_code == 403
        assert "--allow-ingest" in answer.json()["description"]
    options = ServeOptions(port=0, allow_ingest=True, token=TOKEN)
    with served(application(archive, options), options) as url:
        assert requests.post(f"{url}/api/jobs", json=body, timeout=20).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = requests.post(f"{url}/api/jobs", json=body, headers=headers, timeout=20)
        assert answer.status_code == 201
        name = answer.json()["job"]["id"]
        over(url, 1)
        assert "log" not in get(f"{url}/api/jobs/{name}")["job"]
        assert get(f"{url}/api/jobs/{name}", headers=headers)["job"]["log"]
