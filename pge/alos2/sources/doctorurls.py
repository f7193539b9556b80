"""Is a file there, and are we let in: for any URL, without fetching it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from alos2.errors import Alos2Error
from alos2.sources.doctor import Check, failed, login_check
from alos2.sources.doctorhosts import OPTIONS, PORTS, host_checks
from alos2.sources.http import HttpRemote, auth_for, wire_url
from alos2.sources.httpschemes import SCHEMES as HTTP_SCHEMES
from alos2.sources.remote import Passing, Remote
from alos2.sources.session import new_session

_MODULES: Final = {"s3": "s3", "ftp": "ftp", "ftps": "ftp", "sftp": "sftp"}


def url_checks(url: str, *, credential: str | None = None) -> Iterator[Check]:
    """Yield what `host_checks` does, and whether we are let in and the file is there.

    Nothing of a file is stored; the login is tried once.

    Parameters
    ----------
    url : str
        Of a file, or of a host or bucket alone.
    credential : str, optional
        Name of the credential profile.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() != "s3":
        reached = True
        for check in host_checks(url):
            reached = reached and check.ok is not False
            yield check
        if not reached:
            return
    where = parts.netloc.rpartition("@")[2]
    if parts.path.strip("/"):
        yield _file_check(url, where, credential)
    else:
        yield from _account_check(url, where, credential)


def _file_check(url: str, where: str, credential: str | None) -> Check:
    """Open the file and look at what is said about it."""
    name = f"{where} file"
    try:
        with (
            _remote(url, credential) as remote,
            remote.open(0, None) as reply,
        ):
            size = "of unknown size" if reply.total is None else f"of {reply.total} bytes"
            known = f"by its {reply.validator.kind}" if reply.validator else "by its last bytes"
            return Check(name, True, f"it is there, {size}; a broken transfer resumes {known}")
    except Passing as error:
        return Check(name, False, str(error), "try again later", "network")
    except Alos2Error as error:
        return failed(f"{where} login" if error.exit_code == 4 else name, error)


@contextmanager
def _remote(url: str, credential: str | None) -> Iterator[Remote]:
    scheme = urlsplit(url).scheme.lower()
    if scheme not in HTTP_SCHEMES:
        module = importlib.import_module(f"alos2.sources.{_MODULES[scheme]}")
        with module.open_remote(url, options=OPTIONS, credential=credential) as remote:
            yield remote
        return
    auth = auth_for(url, credential)
    with new_session(OPTIONS, auth) as session:
        account = auth.login(wire_url(url))
        if account is not None and account.ca_file is not None:
            session.verify = str(account.ca_file)
        yield HttpRemote(url, session, options=OPTIONS)


def _account_check(url: str, where: str, credential: str | None) -> Iterator[Check]:
    """Log in at a host that is named without a file, where its scheme has logins of its own."""
    from alos2.sources import ftp, s3, s3client, sftp  # noqa: PLC0415  what they need may not be installed
    from alos2.sources.hosturl import credential_for, host_url  # noqa: PLC0415

    scheme = urlsplit(url).scheme.lower()
    any_file = f"{url.rstrip('/')}/-"
    if scheme == "s3":
        remote = s3.S3Remote(
            any_file, credential=s3client.s3_credential(credential), options=OPTIONS
        )
        try:
            yield login_check(remote.check_login, where=f"s3://{where}")
        finally:
            remote.close()
    elif scheme in ("ftp", "ftps", "sftp"):
        mine = credential_for(host_url(any_file, PORTS[scheme]), credential)
        kind = sftp.SftpRemote if scheme == "sftp" else ftp.FtpRemote
        yield login_check(kind(any_file, credential=mine, options=OPTIONS).check_login, where=where)
