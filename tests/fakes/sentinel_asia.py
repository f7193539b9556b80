"""Sentinel Asia's old web over real sockets, with what can go wrong on it."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alos2.simulate.portals import Account, Answer, PortalServer, Request

TOP = "/sentinel2/topControl.jsp"
RESOURCES = "/sentinel2/webresources"
FORM = '<form method="post"><input name="userid"><input type="password" name="passwd"></form>'
ALOS = "ALOS(Data)"


@dataclass(frozen=True)
class File:
    """A data file of a request."""

    data_id: str
    body: Path | bytes = b""
    kind: str = ALOS
    title: str = "ALOS-2 PALSAR-2"
    name: str = "delivery.zip"


@dataclass(frozen=True)
class Eor:
    """An emergency observation request."""

    eor_id: str
    day: str = "16/Aug/2019"
    files: tuple[File, ...] = ()


@dataclass
class Faults:
    """Each is off; set one while the server runs."""

    no_cookie: bool = False
    """No JSESSIONID is set."""
    login_away: str | None = None
    """The form is redirected (307) to this address."""
    expire: int = 0
    """Forget all sessions before this many further requests have been answered; then off."""
    always_page: str | None = None
    """Each of these resources gets a page without a password field."""
    head: int | None = None
    """HEAD gets this status."""
    no_disposition: bool = False
    broken_list: str | None = None
    """The file list of this request gets 500."""
    unknown: int = 404
    """What an unknown id gets: 404, 500, or 200 with nothing in it."""
    busy: int = 0
    """So many requests get 503 first."""
    cut_at: int | None = None
    """The next download breaks off there; then it is off again."""
    not_json: bool = False
    stall_s: float = 0.0
    """Downloads are silent for so long behind `cut_at`."""


@dataclass
class SentinelAsiaFake(PortalServer):
    """Answers as the portal does.

    Parameters
    ----------
    account : Account
        Who may log in.
    eors : sequence of Eor
        In the order of the list.
    """

    account: Account
    eors: Sequence[Eor]
    tls: ssl.SSLContext | None = None
    faults: Faults = field(default_factory=Faults)
    sessions: set[str] = field(default_factory=set)
    logins: set[str] = field(default_factory=set)
    password_posts: int = 0
    downloads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    __hash__ = object.__hash__

    @property
    def base_url(self) -> str:
        """As a profile has it."""
        return f"{self.url}/sentinel2"

    def answer(self, request: Request) -> Answer:
        faults = self.faults
        if faults.busy:
            faults.busy -= 1
            return Answer(status=503, headers=(("Retry-After", "0"),))
        if request.path == TOP:
            return self._top(request)
        if not request.path.startswith(RESOURCES):
            return Answer.page("Not Found", status=404)
        if faults.expire:
            faults.expire -= 1
            if not faults.expire:
                self.logins.clear()
        if request.cookies.get("JSESSIONID") not in self.logins:
            return Answer.page("Sentinel Asia", FORM)
        return self._resource(request, request.path.removeprefix(RESOURCES))

    def _top(self, request: Request) -> Answer:
        session = request.cookies.get("JSESSIONID", "")
        if request.method != "POST":
            if self.faults.no_cookie:
                return Answer.page("Sentinel Asia", FORM)
            session = secrets.token_hex(16)
            self.sessions.add(session)
            cookie = ("Set-Cookie", f"JSESSIONID={session}; Path=/sentinel2; HttpOnly")
            return Answer.page("Sentinel Asia", FORM, headers=(cookie,))
        self.password_posts += 1
        if self.faults.login_away:
            return Answer(status=307, headers=(("Location", self.faults.login_away),))
        wanted = {
            "request": "login",
            "userid": self.account.username,
            "passwd": self.account.password,
            "submit": "login",
            "loginId": "",
        }
        if session not in self.sessions or request.form != wanted:
            return Answer.page("Sentinel Asia", FORM)
        self.logins.add(session)
        return Answer.page("Sentinel Asia", '<a href="logout.jsp">Logout</a>')

    def _resource(self, request: Request, resource: str) -> Answer:
        faults = self.faults
        if faults.always_page and faults.always_page in resource:
            return Answer.page("Scheduled maintenance")
        if faults.not_json:
            return Answer(b'[{"requestId": ', content_type="application/json")
        if resource == "/emobRequestSelect/viewList":
            return self._list(request)
        if resource == "/thumbnailEmob/download":
            return self._download(request)
        eor = next((e for e in self.eors if e.eor_id == request.query.get("requestId")), None)
        return self._unknown() if eor is None else self._of_request(eor, resource)

    def _list(self, request: Request) -> Answer:
        wanted = {
            "subset_name": "Emergency Observation",
            "submit.countryIdx": "",
            "submit.disasterTypeIdx": "",
        }
        if request.query != wanted:
            return Answer.page("Error", status=500)
        return Answer.of_json([_bulletin(eor) for eor in self.eors])

    def _of_request(self, eor: Eor, resource: str) -> Answer:
        if resource == "/thumbnailEmob/viewBulletinContent":
            return Answer.of_json(_bulletin(eor))
        if resource != "/thumbnailEmob/emergencyViewThumbnail":
            return Answer.page("Not Found", status=404)
        if self.faults.broken_list == eor.eor_id:
            return Answer.page("Error", status=500)
        return Answer.of_json(
            [{"dataId": f.data_id, "typeStr": f.kind, "title": f.title} for f in eor.files]
        )

    def _unknown(self) -> Answer:
        if self.faults.unknown == 200:
            return Answer.of_json([])
        return Answer.page("Error", status=self.faults.unknown)

    def _download(self, request: Request) -> Answer:
        faults = self.faults
        data_id = request.query.get("dataId", "")
        file = next((f for e in self.eors for f in e.files if f.data_id == data_id), None)
        if request.method == "HEAD" and faults.head is not None:
            return Answer(status=faults.head)
        if file is None:
            return Answer.page("Error", status=500 if faults.unknown == 200 else faults.unknown)
        if request.method != "HEAD":
            self.downloads.append(data_id)
        cut_at, faults.cut_at = faults.cut_at, (faults.cut_at if request.method == "HEAD" else None)
        headers: tuple[tuple[str, str], ...] = ()
        if not faults.no_disposition:
            headers = (("Content-Disposition", f'attachment; filename="{file.name}"'),)
        return Answer(
            file.body,
            content_type="application/octet-stream",
            headers=headers,
            cut_at=None if request.method == "HEAD" else cut_at,
            stall_s=faults.stall_s if cut_at is not None else 0.0,
        )


def _bulletin(eor: Eor) -> dict[str, str]:
    return {
        "requestId": eor.eor_id,
        "observeDateStr": eor.day,
        "countryStr": "Japan",
        "disasterTypeStr": "Flood",
    }
