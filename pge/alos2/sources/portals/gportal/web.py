"""The old site: a login by account and password, then downloads with its cookie.

The login is FuelPHP's: a token against forged requests comes as a cookie and is sent back as a
field; the answer is JSON with status 200 whether the account was accepted or not. Source: public
clients of 2021 to 2025.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urljoin, urlsplit

import requests

from alos2.errors import LoginFailed, TransferFailed
from alos2.sources.credentials import Choice, Credential, Secret, hide_cookies, require
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.http import HttpRemote
from alos2.sources.httpauth import origin_of
from alos2.sources.model import TransferOptions
from alos2.sources.portals.asking import Answer, ask
from alos2.sources.portals.gportal.profiles import Site
from alos2.sources.portals.model import Item
from alos2.sources.portals.samesite import stay_on_site
from alos2.sources.portals.weblogin import LoggedIn, WebLogin
from alos2.sources.remote import Remote
from alos2.sources.session import new_session

if TYPE_CHECKING:
    from alos2.sources.doctor import Check

SERVICE: Final = "gportal"
"""Under this name an account is looked for."""

_CSRF: Final = "fuel_csrf_token"
_SESSION: Final = "iPlanetDirectoryPro"


class WebSite:
    """Delivers by https.

    Parameters
    ----------
    site : Site
        Its addresses.
    credential : str or Credential, optional
        Who we are; None: what is found for ``gportal``.
    options : TransferOptions
        Patience.
    """

    def __init__(self, site: Site, credential: Choice, options: TransferOptions) -> None:
        self._site = site
        self._credential = credential
        self._options = options
        self._host = urlsplit(site.base_url).hostname or ""
        self._where = urlsplit(site.base_url).netloc
        self._login = WebLogin(self._where, self._signed_in)

    def remote(self, item: Item) -> Remote:
        """Return what delivers `item`, by the address that the catalogue names.

        Raises
        ------
        TransferFailed
            It is no download of this site: our cookie must not go anywhere else.
        """
        url = self._own(item.properties["file"])
        return LoggedIn(
            self._login,
            url,
            lambda session: HttpRemote(url, session, options=self._options),
            f"the file {item.name or item.id}",
        )

    def checks(self) -> Iterator[Check]:
        """Yield whether one can log in."""
        from alos2.sources.doctor import login_check  # noqa: PLC0415  doctor knows all rooms

        yield login_check(self._login.log_in, where=self._where)

    def close(self) -> None:
        """Let go of the connections."""
        self._login.close()

    def _own(self, address: str) -> str:
        """Return `address` if it is a download of this site."""
        url = urljoin(self._site.download_url, address)
        wanted = self._site.download_url
        try:
            ours = origin_of(url) == origin_of(wanted)
            path = unquote(urlsplit(url).path)
        except ValueError:
            ours, path = False, ""
        if ours and path.startswith(urlsplit(wanted).path) and "/../" not in path:
            return url
        raise TransferFailed(
            f"the file lies at {urlsplit(url).hostname or 'no address'}, not among the downloads "
            f"of {self._where}: no login is sent there",
            hint="another profile of G-Portal may be the right one: --profile",
        )

    def _ask(
        self, session: requests.Session, method: str, url: str, *, once: bool = False, **given: Any
    ) -> Answer:
        return ask(
            session, method, url, where=self._where, options=self._options, once=once, **given
        )

    def _signed_in(self) -> requests.Session:
        """Return a new session that is logged in; the password is sent once."""
        account = require(SERVICE, host=self._host, profile=self._credential)
        password = account.password
        if password is None:
            raise LoginFailed(
                f"the account of {account.origin} for {self._where} has no password",
                hint="the old G-Portal is entered by account and password",
            )
        session = self._session(account)
        try:
            self._sign_in(session, account, password)
        except BaseException:
            session.close()
            raise
        finally:
            hide_cookies(session.cookies.values())
        return session

    def _sign_in(self, session: requests.Session, account: Credential, password: Secret) -> None:
        with login_attempt(account, where=self._where) as attempt:
            answer = self._posted(session, account, password)
            if not self._is_accepted(answer):
                raise attempt.refused(
                    f"{self._where} refused the login of {account.username!r} ({account.origin})",
                    hint="several refusals lock an account: try it in a browser first",
                )
            attempt.accepted()
        if _SESSION not in session.cookies:
            raise TransferFailed(
                f"{self._where} accepted the login and gave no session cookie ({_SESSION})",
                hint="the portal may have changed: please report it",
            )

    def _session(self, account: Credential) -> requests.Session:
        session = new_session(self._options)
        ca_file = account.ca_file or self._site.ca_file
        if ca_file:
            session.verify = str(Path(ca_file).expanduser())

        login = urlsplit(self._site.login_url).path
        stay_on_site(session, self._site.base_url, login=login)
        return session

    def _posted(self, session: requests.Session, account: Credential, password: Secret) -> Answer:
        """Send the account, once; return the portal's answer."""
        self._ask(session, "GET", self._site.landing_url).require_ok("its first page")
        token = session.cookies.get(_CSRF)
        if not token:
            raise TransferFailed(
                f"{self._where} opened no session: its first page set no cookie {_CSRF}",
                hint="it may take this client for a robot, or be under maintenance",
            )
        hide_cookies([token])
        base = urlsplit(self._site.base_url)
        answer = self._ask(
            session,
            "POST",
            self._site.authenticate_url,
            once=True,
            data={"account": account.username, "password": password.reveal(), _CSRF: token},
            headers={
                "X-Requested-With": "XMLHttpRequest",
                "Origin": f"{base.scheme}://{base.netloc}",
                "Referer": self._site.landing_url,
            },
            # A form with a password goes to the address that was meant, and no further.
            allow_redirects=False,
        )
        if answer.status != requests.codes.ok:
            raise TransferFailed(
                f"{self._where} answered the login with {answer.status}",
                hint="the password was neither accepted nor refused: try again later",
            )
        return answer

    def _is_accepted(self, answer: Answer) -> bool:
        """Tell an accepted account from a refused one: both come with status 200.

        Raises
        ------
        TransferFailed
            It is neither.
        """
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not said.keys() & {"status", "key"}:
            titled = f": it sent a page titled {answer.title!r}" if answer.is_page else ""
            raise TransferFailed(
                f"{self._where} did not answer the login{titled}",
                hint="it may be under maintenance: the password was neither accepted nor refused",
            )
        return str(said.get("status", 1)) == "1" and said.get("key", "") is not None
