"""What portals with a login form have in common: JSON, headers and files of a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from alos2.errors import LoginFailed, TransferFailed, UsageError
from alos2.sources.credentials import Choice, Credential, Secret, hide_cookies, require
from alos2.sources.credentials.refused import Attempt, login_attempt
from alos2.sources.filename import header_name, safe_name
from alos2.sources.http import HttpRemote
from alos2.sources.model import TransferOptions
from alos2.sources.portals.asking import Answer, ask, stay_at
from alos2.sources.portals.model import PortalProfile
from alos2.sources.portals.samesite import keep_https, require_https
from alos2.sources.portals.weblogin import LoggedIn, NotAccepted, WebLogin
from alos2.sources.remote import Remote
from alos2.sources.session import new_session


def settings_of(profile: PortalProfile, known: Mapping[str, str]) -> dict[str, str]:
    """Return the profile's settings, with those of `known` where it says nothing.

    Raises
    ------
    UsageError
        It says something that is not known: a misspelt name would change nothing.
    """
    unknown = sorted(set(profile.settings) - set(known))
    if unknown:
        raise UsageError(
            f"profile {profile.name!r} has unknown settings: {', '.join(unknown)}",
            hint=f"known ones are {', '.join(sorted(known))}",
        )
    return {**known, **profile.settings}


class FormClient(ABC):
    """Asks a portal; logs in when first needed.

    Parameters
    ----------
    service : str
        Whose account it is: the portal's name.
    profile : PortalProfile
        ``base_url``; ``settings["ca_file"]`` may name the file of a private CA.
    credential : str or Credential, optional
        A profile's name, or the account itself.
    options : TransferOptions
        Timeouts and retries.

    Raises
    ------
    UsageError
        The address is not https.
    """

    json_headers: Final = {"Accept": "application/json, */*", "X-Requested-With": "XMLHttpRequest"}

    def __init__(
        self, service: str, profile: PortalProfile, credential: Choice, options: TransferOptions
    ) -> None:
        require_https(profile.base_url, profile.name)
        self._service = service
        self.base: Final = profile.base_url.rstrip("/")
        self.where: Final = urlsplit(self.base).netloc.rpartition("@")[2]
        self._ca_file = profile.settings.get("ca_file") or None
        self._credential = credential
        self._options = options
        self.login: Final = WebLogin(self.where, self._signed_in)

    @abstractmethod
    def sign_in(self, session: requests.Session, account: Credential, password: Secret) -> Answer:
        """Send the account, once; return the portal's answer.

        Raises
        ------
        TransferFailed
            The portal is not as it should be.
        """

    def _signed_in(self) -> requests.Session:
        """Return a new session that is logged in; the password is sent once."""
        account = require(self._service, host=self.where, profile=self._credential)
        if account.password is None:
            raise LoginFailed(
                f"the account of {account.origin} for {self.where} has no password",
                hint="a login form takes no key: give a password where the name is",
            )
        session = new_session(self._options)
        ca_file = self._ca_file or account.ca_file
        if ca_file:
            session.verify = str(Path(ca_file).expanduser())
        keep_https(session, self.base)
        try:
            with login_attempt(account, where=self.where) as attempt:
                answer = self.sign_in(session, account, account.password)
                self._require_accepted(answer, attempt, account.username)
        except BaseException:
            session.close()
            raise
        finally:
            hide_cookies(session.cookies.values())
        return session

    def _require_accepted(self, answer: Answer, attempt: Attempt, username: str) -> None:
        """Raise unless the login was accepted: the login form again means that it was not."""
        if answer.asks_password:
            raise attempt.refused(
                f"{self.where} refused the login of {username}: it sent its login form again"
            )
        answer.require_ok("a login")
        attempt.accepted()

    def send_form(
        self, session: requests.Session, url: str, form: Mapping[str, str], **given: Any
    ) -> Answer:
        """Send a form with a password: once, and to no other site, whatever redirects say."""
        # Hooks of a request replace those of its session.
        hooks = {"response": [*session.hooks["response"], stay_at(self.where)]}
        return self.ask(session, "POST", url, data=form, once=True, hooks=hooks, **given)

    def ask(self, session: requests.Session, method: str, url: str, **given: Any) -> Answer:
        """Ask within a session; see `alos2.sources.portals.asking.ask`."""
        return ask(session, method, url, where=self.where, options=self._options, **given)

    def json(self, url: str, what: str) -> Any:
        """Return the JSON at `url`, for who is logged in.

        Parameters
        ----------
        url : str
            Without secrets.
        what : str
            What it is, for messages.

        Raises
        ------
        LoginFailed, NothingFound, TransferFailed
            It cannot be had.
        """

        def call(session: requests.Session) -> Any:
            answer = self.ask(session, "GET", url, headers=self.json_headers)
            return self._accepted(answer, what).require_ok(what).json(what)

        return self.login.use(call)

    def file_headers(self, url: str, what: str) -> tuple[str, int | None]:
        """Return name and size of a file; empty and None where HEAD does not tell.

        A portal may refuse HEAD and give the file all the same, so no fault of HEAD counts.

        Raises
        ------
        LoginFailed
            The account is refused.
        """
        try:
            answer = self.login.use(
                lambda session: self._accepted(self.ask(session, "HEAD", url), what)
            )
        except TransferFailed:
            return "", None
        if answer.status != requests.codes.ok:
            return "", None
        length = answer.headers.get("Content-Length", "")
        name = safe_name(header_name(answer.headers.get("Content-Disposition")))
        return name, int(length) if length.isascii() and length.isdigit() else None

    def remote(self, url: str, what: str) -> Remote:
        """Return what delivers the file at `url`."""

        def connect(session: requests.Session) -> Remote:
            return HttpRemote(url, session, options=self._options)

        return LoggedIn(self.login, url, connect, what)

    def _accepted(self, answer: Answer, what: str) -> Answer:
        """Return `answer` unless it says, in one of the ways there are, that nobody is logged in.

        401 and 419 are Laravel's words for it, a page is everybody's.
        """
        if answer.status in (401, 419):
            raise NotAccepted(what, "", asks_password=True)
        if answer.status == requests.codes.ok and answer.is_page:
            raise NotAccepted(what, answer.title, asks_password=answer.asks_password)
        return answer

    def listed(self, found: Any, what: str) -> list[Any]:
        """Return `found` if it is a list.

        Raises
        ------
        TransferFailed
            It is none.
        """
        if not isinstance(found, list):
            raise TransferFailed(f"{self.where} answered with no list when asked for {what}")
        return found
