"""Fill in a rule's templates: ``{{ NAME }}`` of the cluster, then ``{name}`` of the dataset.

HySDS's ``sds`` command fills in the first when it sends datasets.json to the cluster; its worker
fills in the second with ``str.format`` when it publishes. A file that went through ``sds`` has no
``{{`` left.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from alos2.dataset.provenance import public_url
from alos2.errors import UsageError

_NAME: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}", re.ASCII)


def fill_in(template: str, names: Mapping[str, str], fields: Mapping[str, Any]) -> str:
    """Return `template` with everything filled in: a URL or an absolute path.

    Parameters
    ----------
    template : str
        As it stands in datasets.json.
    names : mapping
        Values of ``{{ NAME }}``.
    fields : mapping
        Values of ``{name}``: groups of the pattern, ``version``, ``level``, ``type``, ``dataset``
        and ``met`` (the documents), as in ``{met[orbit]}``; ``hostname`` is known without it.

    Raises
    ------
    UsageError
        Something has no value, or the result holds credentials or leads out of its folder.
    """
    missing = sorted({name for name in _NAME.findall(template) if name not in names})
    if missing:
        known = ", ".join(f"--set {name}=..." for name in missing)
        raise UsageError(
            f"the rules leave open {', '.join(missing)} in {without_login(template)!r}",
            hint=f"say {known}, or set ALOS2_{missing[0]} in the environment",
        )
    text = _NAME.sub(lambda found: _quoted(names[found[1]]), template)
    known_fields = dict(fields)
    if "{hostname" in text:  # asking for it may take seconds
        known_fields["hostname"] = socket.getfqdn()
    try:
        result = text.format(**known_fields)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{without_login(template)!r} cannot be filled in: {type(error).__name__}: {error}",
            hint="it may use the groups of the rule's pattern, version, level, type, dataset, met",
        ) from None
    check_location(result)
    return result


def _quoted(value: str) -> str:
    """Return a value whose braces `str.format` leaves alone."""
    return value.replace("{", "{{").replace("}", "}}")


def without_login(url: str) -> str:
    """Return `url` or a template of one without anything that could be a login, for messages."""
    return re.sub(r"(?<=://).*@", "***@", public_url(url))


def check_location(url: str) -> None:
    """Refuse a URL or path that holds credentials or could lead out of its folder.

    A fragment and what looks like a signature or token in a query count as credentials.

    Raises
    ------
    UsageError
        It does; the message does not repeat the credentials.
    """
    shown = without_login(url)
    try:
        urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{shown!r} is no URL: {error}") from None
    if public_url(url) != url and url.isprintable():
        raise UsageError(
            f"{shown!r} holds credentials, and everybody would see them in the catalogue",
            hint="put them into a credential profile, ~/.netrc or the AWS configuration",
        )
    path = url.partition("://")[2].partition("/")[2] if "://" in url else url
    if any(part in (".", "..") for part in path.split("/")[:-1]) or path.endswith(("/..", "/.")):
        raise UsageError(f"{shown!r} leads out of its folder")
    if not url.isprintable():
        raise UsageError(f"{shown!r} holds characters that cannot be printed")
