"""OPTEMIS over real sockets: its login as it is known, its lists in several shapes it may have."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alos2.simulate.portals import Account, Answer, PortalServer, Request

LOGIN = "/dashboard/users/login"
SIGNIN = "/dashboard/users/signin"
REQUESTS = "/ajax/v1/emergency_requests"
ORGANIZATION = "59279239aa73bf3eac0056b4"
STORAGE = "big-storage/Sentinel-Asia/Emergency_Response/20191001-Taiwan-Other-00142/PLAN/JAXA"


@dataclass(frozen=True)
class Row:
    """An emergency request."""

    internal: str
    eor_id: str
    day: str
    files: tuple[tuple[str, Path], ...] = ()
    """Name and content."""


@dataclass
class Faults:
    """Each is off; set one while the server runs."""

    wrong_token: bool = False
    """The page's token is that of another session."""
    no_token: bool = False
    expire: int = 0
    """Forget all sessions before this many further ajax requests are answered; then off."""
    expired_status: int = 401
    """What an ajax request without a session gets; 200 is the login page."""
    same_page: bool = False
    """``start`` is ignored."""
    shape: str = "datatables"
    """``datatables`` (HTML in cells), ``plain`` (a list of objects), ``strange``."""
    redirect_http: bool = False
    """Redirects name http, as behind a proxy that ends TLS."""


@dataclass
class OptemisFake(PortalServer):
    """Answers as the portal may."""

    account: Account
    rows: Sequence[Row]
    tls: ssl.SSLContext | None = None
    faults: Faults = field(default_factory=Faults)
    tokens: dict[str, str] = field(default_factory=dict)
    """Session → csrf token."""
    logins: set[str] = field(default_factory=set)
    password_posts: int = 0
    downloads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    __hash__ = object.__hash__

    def answer(self, request: Request) -> Answer:
        session = request.cookies.get("laravel_session", "")
        if request.path == LOGIN:
            return self._login_page()
        if request.path == SIGNIN and request.method == "POST":
            return self._sign_in(request, session)
        if request.path == "/dashboard":
            return Answer.page("Dashboard", "welcome")
        if self.faults.expire:
            self.faults.expire -= 1
            if not self.faults.expire:
                self.logins.clear()
        if session not in self.logins:
            if self.faults.expired_status == 200:
                return self._login_page()
            return Answer.of_json(
                {"message": "Unauthenticated."}, status=self.faults.expired_status
            )
        return self._inside(request)

    def _login_page(self) -> Answer:
        session, token = secrets.token_hex(16), secrets.token_hex(20)
        self.tokens[session] = token
        if self.faults.wrong_token:
            token = secrets.token_hex(20)
        meta = "" if self.faults.no_token else f'<meta name="csrf-token" content="{token}">'
        form = '<form><input name="email"><input type="password" name="password"></form>'
        html = f"<!DOCTYPE html><html><head><title>Sign in</title>{meta}</head><body>{form}</body>"
        cookies = (
            ("Set-Cookie", f"laravel_session={session}; Path=/; HttpOnly"),
            ("Set-Cookie", f"XSRF-TOKEN={token}; Path=/"),
        )
        return Answer(html.encode(), headers=cookies)

    def _sign_in(self, request: Request, session: str) -> Answer:
        self.password_posts += 1
        if self.tokens.get(session) != request.form.get("_token"):
            return Answer.page("Page Expired", status=419)
        given = (request.form.get("email"), request.form.get("password"))
        base = self.url.replace("https://", "http://") if self.faults.redirect_http else self.url
        if given != (self.account.username, self.account.password):
            return Answer.redirect(f"{base}{LOGIN}")
        self.logins.add(session)
        return Answer.redirect(f"{base}/dashboard")

    def _inside(self, request: Request) -> Answer:
        if request.path == REQUESTS:
            return self._requests(request)
        if request.path == "/dashboard/downloadFile":
            return self._download(request)
        for row in self.rows:
            if (
                request.path
                == f"{REQUESTS}/{row.internal}/dpn/datafiles/organizations/{ORGANIZATION}"
            ):
                return self._files(row)
        return Answer.of_json({"message": "not found"}, status=404)

    def _requests(self, request: Request) -> Answer:
        start = 0 if self.faults.same_page else int(request.query["start"])
        rows = self.rows[start : start + int(request.query["length"])]
        if self.faults.shape == "strange":
            return Answer.of_json({"hello": 1})
        if self.faults.shape == "plain":
            listed: list[dict[str, Any]] = [
                {"_id": row.internal, "code": row.eor_id, "date": row.day, "country": "Taiwan"}
                for row in rows
            ]
            return Answer.of_json(listed)
        cells = [
            {
                "index": number,
                "country": "<b>Taiwan</b>",
                "disaster": {"name": "Typhoon &amp; flood"},
                "date": f"<span>{row.day}</span>",
                "status": f"<i>{row.eor_id}</i>",
                "actions": f'<a href="/dashboard/emergency_requests/{row.internal}">open</a>',
            }
            for number, row in enumerate(rows, start + 1)
        ]
        total = len(self.rows)
        return Answer.of_json(
            {"draw": 1, "recordsTotal": total, "recordsFiltered": total, "data": cells}
        )

    def _files(self, row: Row) -> Answer:
        paths = [(name, f"{STORAGE}/{name}") for name, _ in row.files]
        if self.faults.shape == "plain":
            return Answer.of_json([{"name": name, "path": path} for name, path in paths])
        linked = [
            {"filename": name, "actions": f'<a href="/dashboard/downloadFile?file={path}">get</a>'}
            for name, path in paths
        ]
        return Answer.of_json({"status": "ok", "data": {"files": linked}})

    def _download(self, request: Request) -> Answer:
        path = request.query.get("file", "")
        for row in self.rows:
            for name, body in row.files:
                if path == f"{STORAGE}/{name}":
                    if request.method != "HEAD":
                        self.downloads.append(path)
                    return Answer.download(body, name)
        return Answer.page("Not Found", status=404)
