"""Can a host be reached, is it who it says, is its clock ours: for portals and plain URLs."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy

from alos2.causes import cause_of
from alos2.errors import Alos2Error, UsageError
from alos2.sources.doctor import Check
from alos2.sources.model import TransferOptions
from alos2.sources.session import http_date, new_session
from alos2.sources.tls import tls_context

TIMEOUT_S: Final = 10.0
PORTS: Final = {
    "http": 80, "https": 443, "webdav": 80, "dav": 80, "webdavs": 443, "davs": 443, "ftp": 21,
    "ftps": 21, "sftp": 22,
}  # fmt: skip
_TLS: Final = frozenset({"https", "webdavs", "davs"})
_HTTP: Final = frozenset({"http", *_TLS, "webdav", "dav"})
_SKEW_S: Final = 300.0
"""Signatures of object stores are refused from 15 minutes on."""
_SOON_DAYS: Final = 14
_MOST_SHOWN: Final = 3
OPTIONS: Final = TransferOptions(connect_s=TIMEOUT_S, stall_s=TIMEOUT_S)
"""Little patience: who asks the doctor waits for it."""


def host_checks(url: str, *, ca_file: Path | None = None) -> Iterator[Check]:
    """Yield whether the host of `url` has a name, answers, and proves who it is.

    Parameters
    ----------
    url : str
        Its scheme says what is spoken there.
    ca_file : Path, optional
        The authorities to trust; None: the usual ones.

    Raises
    ------
    UsageError
        It names no host, or nobody knows its scheme.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in PORTS or not host:
        raise UsageError("the URL names no host that can be checked", hint="check the URL")
    proxy = _proxy(scheme, host) if scheme in _HTTP else None
    if proxy is not None:
        yield from _proxy_checks(proxy, host)
        yield from _http_checks(scheme, parts.netloc.rpartition("@")[2], host)
        return
    port = parts.port or PORTS[scheme]
    named = _name_check(host)
    yield named
    if not named.ok:
        return
    reached = _tcp_check(host, port)
    yield reached
    if not reached.ok:
        return
    if scheme in _TLS:
        secure = _tls_check(host, port, ca_file)
        yield secure
        if not secure.ok:
            return
    if scheme in _HTTP:
        yield from _http_checks(scheme, parts.netloc.rpartition("@")[2], host)


def proxies() -> Iterator[Check]:
    """Yield which proxies the environment names."""
    found = False
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            found = True
            yield Check(
                name, None, f"{_shown(value)} is used for http(s) and S3, not for FTP, SFTP"
            )
    if not found:
        yield Check("proxies", None, "none set")


def _proxy(scheme: str, host: str) -> str | None:
    plain = f"{'https' if scheme in _TLS else 'http'}://{host}"
    found = requests.utils.get_environ_proxies(plain, no_proxy=None)
    return select_proxy(plain, found)


def _shown(proxy: str) -> str:
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.netloc.rpartition("@")[2]


def _proxy_checks(proxy: str, host: str) -> Iterator[Check]:
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    check = _tcp_check(parts.hostname or "", parts.port or 8080)
    said = f"{host} is asked through {_shown(proxy)}: {check.detail}"
    yield Check("proxy", check.ok, said, "check https_proxy, http_proxy and no_proxy", "network")


def _name_check(host: str) -> Check:
    name = f"{host} name"
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Check(
            name, False, f"the name cannot be resolved: {cause_of(error)}",
            "check the spelling, the network and the name server", "network",
        )  # fmt: skip
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    more = f" and {len(addresses) - _MOST_SHOWN} more" if len(addresses) > _MOST_SHOWN else ""
    return Check(name, True, ", ".join(addresses[:_MOST_SHOWN]) + more)


def _tcp_check(host: str, port: int) -> Check:
    name = f"{host} connection"
    began = time.monotonic()
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except OSError as error:
        return Check(
            name, False, f"port {port}: {cause_of(error)}",
            "a firewall may be in between, or a proxy be needed (https_proxy)", "network",
        )  # fmt: skip
    return Check(name, True, f"port {port} answers in {(time.monotonic() - began) * 1e3:.0f} ms")


def _tls_check(host: str, port: int, ca_file: Path | None) -> Check:
    name = f"{host} TLS"
    remedy = (
        "name the site's own CA file in REQUESTS_CA_BUNDLE or in the profile (ca_file), or check "
        "this computer's clock; TLS is never switched off"
    )
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as plain,
            tls_context(ca_file).wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate, version = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        said = f"its certificate is not trusted: {error.verify_message}"
        return Check(name, False, said, remedy, "network")
    except OSError as error:
        return Check(name, False, f"no safe connection: {cause_of(error)}", remedy, "network")
    ends = datetime.fromtimestamp(
        ssl.cert_time_to_seconds(str(certificate["notAfter"])), timezone.utc
    )
    days = (ends - datetime.now(timezone.utc)).days
    soon = ", soon" if days < _SOON_DAYS else ""
    return Check(name, True, f"{version}, certificate verified, it ends in {days} days{soon}")


def _http_checks(scheme: str, netloc: str, host: str) -> Iterator[Check]:
    """Ask for the front page, to compare clocks."""
    name = f"{host} clock"
    url = f"{'https' if scheme in _TLS else 'http'}://{netloc}/"
    try:
        with new_session(OPTIONS) as session:
            answer = session.head(url, timeout=TIMEOUT_S, allow_redirects=False)
    except (requests.RequestException, Alos2Error) as error:
        yield Check(
            f"{host} http", False, f"no answer: {cause_of(error)}", "try again later", "network"
        )
        return
    there = http_date(answer.headers.get("Date", ""))
    if there is None:
        yield Check(name, None, "the server does not tell its time")
        return
    skew_s = (datetime.now(timezone.utc) - there).total_seconds()
    fine = abs(skew_s) <= _SKEW_S
    said = f"this computer's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    yield Check(name, fine, said, "" if fine else "set the clock (NTP)", "settings")
