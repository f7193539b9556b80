"""Who may ask what: names, origins, tokens, proxies, sizes, headers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alos2.web.app import create_app
from alos2.web.options import ServeOptions
from alos2.web.security import host_of
from fakes.served import served as run_served

TOKEN = "a-token-of-24-characters"


async def change(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def fault(_: Request) -> Response:
    raise ZeroDivisionError("a secret of ours")


ROUTES = [
    Route("/api/jobs", change, methods=["POST", "DELETE"]),
    Route("/api/jobs/upload", change, methods=["POST"]),
    Route("/api/fault", fault),
]


@contextmanager
def server(small: Any, **options: Any) -> Iterator[str]:
    chosen = ServeOptions(port=0, **options)
    with run_served(create_app(small[0], chosen, more=ROUTES), chosen) as url:
        yield url


@pytest.fixture(scope="module")
def open_url(small: Any) -> Iterator[str]:
    """On loopback, without a token, with small limits."""
    with server(small, max_body_bytes=1000, max_upload_bytes=5000) as url:
        yield url


def post(url: str, path: str = "/api/jobs", **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{url}{path}", json={}, headers=named, timeout=10)


def test_on_loopback_programs_may_change_things(open_url: str) -> None:
    assert post(open_url).status_code == 200
    assert post(open_url, Sec_Fetch_Site="same-origin", Origin=open_url).status_code == 200
    assert requests.delete(f"{open_url}/api/jobs", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    ],
)  # fmt: skip
def test_pages_of_other_sites_may_not(open_url: str, headers: dict[str, str]) -> None:
    answer = post(open_url, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "CrossSite")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "a@127.0.0.1", "", "%00",
             "localhost:80\"x", "[::1", "0x7f.1"]
)  # fmt: skip
def test_names_that_are_not_ours_are_refused(open_url: str, host: str) -> None:
    answer = requests.get(f"{open_url}/stac", headers={"Host": host}, timeout=10)
    assert answer.status_code in (400, 421)
    if answer.status_code == 421:
        assert answer.json()["code"] == "WrongHost"


def test_our_names_are_taken_with_any_port(open_url: str) -> None:
    for host in ("localhost:9000", "127.0.0.1", "[::1]:80", "LOCALHOST", "10.1.2.3:5"):
        answer = requests.get(f"{open_url}/stac", headers={"Host": host}, timeout=10)
        assert answer.status_code == 200, host
        assert answer.json()["links"][0]["href"] == f"http://{host}/stac"


def test_a_name_of_a_host_is_read_strictly() -> None:
    assert host_of("LocalHost:80") == "localhost"
    assert host_of("[::1]:80") == "::1"
    for odd in ('localhost:80"x', "localhost:x", "a b", "user@localhost", "localhost/x", "", ":80"):
        assert host_of(odd) == "", odd


def test_with_a_token_changes_need_it_even_on_loopback(small: Any) -> None:
    with server(small, token=TOKEN) as url:
        assert post(url).status_code == 401
        assert post(url).headers["www-authenticate"].startswith("Bearer")
        for wrong in ("Bearer nonsense", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x"):
            assert post(url, Authorization=wrong).status_code == 401
        assert post(url, Authorization=f"Bearer {TOKEN}").status_code == 200
        cross = post(url, Authorization=f"Bearer {TOKEN}", Sec_Fetch_Site="cross-site")
        assert cross.status_code == 403
        assert requests.get(f"{url}/stac", timeout=10).status_code == 200
        session = requests.get(f"{url}/api/session", timeout=10).json()
        assert (session["may_change"], session["needs_token"]) == (False, True)


def test_a_trusted_proxy_says_who_has_logged_in(small: Any) -> None:
    with server(small, proxy_user_header="X-Remote-User") as url:
        assert post(url).status_code == 403
        assert post(url, X_Remote_User="").status_code == 403
        assert post(url, X_Remote_User="hanako").status_code == 200
    with server(small, proxy_user_header="X-Remote-User", proxies=("10.0.0.1",)) as url:
        assert post(url, X_Remote_User="hanako").status_code == 403


def test_beyond_loopback_nothing_is_changed_without_a_token(small: Any) -> None:
    chosen = ServeOptions(host="0.0.0.0", port=0)
    app = create_app(small[0], chosen, more=ROUTES)
    with run_served(app, ServeOptions(port=0)) as url:
        answer = post(url)
        assert (answer.status_code, answer.json()["code"]) == (403, "ReadOnly")
        assert requests.post(f"{url}/stac/search", json={}, timeout=10).status_code == 200
    assert socket.gethostname().lower() in chosen.host_names


def test_bodies_are_bounded_with_and_without_a_length(open_url: str) -> None:
    def send(path: str, size: int, *, chunked: bool = False) -> int:
        body: Any = iter([b"x" * 500] * (size // 500)) if chunked else b"x" * size
        return requests.post(f"{open_url}{path}", data=body, timeout=10).status_code

    assert send("/api/jobs", 1000) == 200
    assert send("/api/jobs", 1001) == 413
    assert send("/api/jobs", 2000, chunked=True) == 413
    assert send("/api/jobs/upload", 5000) == 200
    assert send("/api/jobs/upload", 5500, chunked=True) == 413
    assert requests.get(f"{open_url}/stac/search?q={'x' * 40000}", timeout=10).status_code == 414


def test_pages_of_other_origins_may_read_the_stac_api_alone(served: Any) -> None:
    origin = {"Origin": "https://browser.example"}
    for path in ("/stac", "/stac/search?limit=1", f"/files/{served.items[0]['id']}/x"):
        answer = served.get(path, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*", path
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "access-control-allow-credentials" not in answer.headers
    for path in ("/api/session", "/api/rows"):
        answer = served.get(path, headers=origin)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_browsers_are_told_what_they_may_ask(served: Any) -> None:
    def asked(path: str, method: str) -> requests.Response:
        headers = {"Origin": "https://x.example", "Access-Control-Request-Method": method}
        return requests.options(f"{served.url}{path}", headers=headers, timeout=10)

    search = asked("/stac/search", "POST")
    assert search.status_code == 204
    assert search.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, POST"
    assert "POST" not in asked("/stac", "GET").headers["access-control-allow-methods"]
    assert "access-control-allow-methods" not in asked("/api/jobs", "POST").headers


def test_cors_can_be_narrowed_or_switched_off(small: Any) -> None:
    for cors, origin, allowed in (
        (("https://a.example",), "https://a.example", "https://a.example"),
        (("https://a.example",), "https://b.example", None),
        ((), "https://a.example", None),
    ):
        with server(small, cors=cors) as url:
            answer = requests.get(f"{url}/stac", headers={"Origin": origin}, timeout=10)
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_every_answer_has_the_headers_that_bind_a_browser(served: Any) -> None:
    for path in ("/stac", "/api/session", "/nothing", f"/files/{served.items[0]['id']}/nothing"):
        headers = served.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "server" not in headers


def test_a_fault_of_ours_tells_nothing_of_its_inside(
    open_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = requests.get(f"{open_url}/api/fault", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (500, "InternalError")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_methods_that_a_route_does_not_know_are_refused(open_url: str) -> None:
    answer = requests.put(f"{open_url}/stac/search", json={}, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (405, "NotAllowed")
