"""AUIG2 as far as it is known: a login in two steps, and orders as zips."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from typing import Final

from alos2.simulate.portals.offer import Account, Offer
from alos2.simulate.portals.server import Answer, PortalServer, Request

LOGIN: Final = "/openam/UI/Login"
DOWNLOAD: Final = "/pp/service/download"

_FORM: Final = (
    '<form method="post"><input type="text" name="IDToken1">'
    '<input type="password" name="IDToken2"></form>'
)
# An internal host in `goto` is what the real portal sends.
_AWAY: Final = f"{LOGIN}?goto=http%3A%2F%2Fal2mwb01%3A80%2Fpp%2Fservice%2Fdownload"


class Auig2Server(PortalServer):
    """OpenAM's login and the download service.

    The first POST only plants a session cookie, the second one logs in; a refused password is
    answered with 200 and the login page, without the cookie ``iPlanetDirectoryPro``.

    Parameters
    ----------
    account : Account
        Who may log in.
    offers : sequence of Offer
        Orders that can be downloaded.
    """

    def __init__(
        self, account: Account, offers: Sequence[Offer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(tls=tls)
        self.account = account
        self.orders = {offer.order: offer for offer in offers}
        self.sessions: set[str] = set()
        self.logins: set[str] = set()
        self.password_posts = 0

    def answer(self, request: Request) -> Answer:
        """Answer as AUIG2 does."""
        if request.path == LOGIN:
            return self._login(request) if request.method == "POST" else _login_page()
        if request.path == DOWNLOAD:
            return self._download(request)
        if request.path in ("/", "/ips/home"):
            return Answer.page("AUIG2")
        return Answer.page("Not Found", status=404)

    def _login(self, request: Request) -> Answer:
        if request.cookies.get("JSESSIONID") not in self.sessions:
            session = secrets.token_hex(16)
            self.sessions.add(session)
            return _login_page(headers=(("Set-Cookie", f"JSESSIONID={session}; Path=/; HttpOnly"),))
        self.password_posts += 1
        given = (request.form.get("IDToken1"), request.form.get("IDToken2"))
        if given != (self.account.username, self.account.password):
            return _login_page()
        token = secrets.token_hex(24)
        self.logins.add(token)
        cookie = ("Set-Cookie", f"iPlanetDirectoryPro={token}; Path=/; HttpOnly")
        return Answer.page("AUIG2", "logged in", headers=(cookie,))

    def _download(self, request: Request) -> Answer:
        if request.cookies.get("iPlanetDirectoryPro") not in self.logins:
            return Answer.redirect(_AWAY)
        offer = self.orders.get(request.query.get("itemname", ""))
        if offer is None or request.query.get("itemtype") != "1":
            return Answer.page("AUIG2", "The order cannot be downloaded: its period has expired.")
        return Answer.download(offer.archive)


def _login_page(headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer.page("AUIG2 Login", _FORM, headers=headers)
