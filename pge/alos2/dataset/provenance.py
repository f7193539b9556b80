"""Where a product came from, in a form that may be kept: without a single secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote_plus

from alos2.dataset.times import utc_text
from alos2.types import Json

_SECRET_WORDS: Final = frozenset({
    "access", "accesskey", "accesskeyid", "accesstoken", "apikey", "apitoken", "auth", "authkey",
    "authorization", "authtoken", "awsaccesskeyid", "bearer", "code", "cookie", "credential",
    "credentials", "csrf", "googleaccessid", "hash", "hmac", "idtoken1", "idtoken2", "jsessionid",
    "jwt", "key", "keyid", "login", "loginid", "mac", "nonce", "oauth", "otp", "pass", "passcode",
    "passphrase", "passwd", "password", "phpsessid", "pin", "policy", "private", "pwd", "pw",
    "saml", "samlart", "samlresponse", "secret", "secretkey", "session", "sessionid", "sid",
    "sig", "sign", "signature", "signed", "sso", "state", "ticket", "token", "user", "userid",
    "username", "usr", "xsrf",
})  # fmt: skip
"""Words of a parameter's name that make its value a secret, or a part of a login."""

_SECRET_PARTS: Final = (
    "token", "secret", "passw", "passphrase", "signature", "credential", "apikey", "accesskey",
    "session", "auth", "jwt",
)  # fmt: skip
"""What makes a name secret wherever in it they stand, as in ``mytokenvalue``."""

_HARMLESS_NAMES: Final = frozenset({"author", "authors", "authority", "x-auth-type"})

_VENDOR_PREFIXES: Final = ("x-amz-", "x-goog-", "x-oss-", "x-ms-", "x-obs-", "x-cos-")
"""Everything that object stores add to sign a URL."""

_JWT: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}")
_URL_INSIDE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#\\]*)")
_MANGLED_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:)/?(?!/)")
"""A scheme without its ``//``; one letter is a drive of Windows."""
_BARE_SECRET_LENGTH: Final = 16
"""A parameter without a name that is as long as this could be a token."""

_DECODINGS: Final = 4
"""How often a name or value may have been percent-encoded over and over."""


def public_url(url: str) -> str:
    """Return `url` without anything that a stranger must not see.

    Userinfo and fragment go; of the query (and of ``;`` parameters in the path) everything whose
    name or value looks like a signature, token, key, session, user or password goes. What is kept
    stays exactly as it was written. A plain path stays itself.

    Parameters
    ----------
    url : str
        A URL or path; it need not be well formed.

    Returns
    -------
    str
        The public part; the empty string stays empty.
    """
    url = "".join(c for c in url if c.isprintable()).strip()
    head, hash_sign, _ = url.partition("#")
    mangled = _MANGLED_URL.match(head)
    if mangled and "@" in head:
        head = mangled[1] + head[mangled.end(1) :].rpartition("@")[2]
    elif not mangled and not _URL_INSIDE.match(head) and not head.startswith("//"):
        return url if hash_sign else head  # a local path, where # and ? are ordinary letters
    base, question, query = head.partition("?")
    public = _without_path_secrets(_without_userinfo(base))
    if not question:
        return public
    kept = "&".join(_public_parameters(query))
    return f"{public}?{kept}" if kept else public


def _without_userinfo(base: str) -> str:
    """Drop ``user:password@``, also where the password holds an unquoted ``/`` or ``@``."""
    found = _URL.match(base)
    if found is None:
        return base
    scheme, rest = found[1] or "", base[found.end(1) if found[1] else 0 :][2:]
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        authority = authority.rpartition("@")[2]
    elif ":" in authority and "@" in path and not authority.rpartition(":")[2].isdigit():
        # user:pass/word@host/...: not a port, so the userinfo goes on behind the slash.
        authority, slash, path = path.rpartition("@")[2].partition("/")
    return f"{scheme}//{authority}{slash}{path}"


def _without_path_secrets(base: str) -> str:
    """Drop matrix parameters that are secret, as ``;jsessionid=...``."""
    head, *parameters = base.split(";")
    kept = [head]
    for parameter in parameters:
        text, slash, rest = parameter.partition("/")
        if _is_harmless(text):
            kept.append(parameter)
        else:
            kept[-1] += slash + rest
    return ";".join(kept)


def _public_parameters(query: str) -> Iterator[str]:
    for chunk in query.split("&"):
        parts = [part for part in chunk.split(";") if part and _is_harmless(part)]
        if parts:
            yield ";".join(_with_public_value(part) for part in parts)


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        plain = unquote_plus(text)
        if plain == text:
            break
        text = plain
    return text


def _with_public_value(parameter: str) -> str:
    """Clean a value that is a URL itself, as ``goto=https://user:secret@host/``."""
    name, equals, value = parameter.partition("=")
    plain = _decoded(value)
    if not _URL_INSIDE.search(plain):
        return parameter
    return f"{name}{equals}{_quoted(public_url(plain))}"


def _quoted(url: str) -> str:
    return quote(url, safe="/:.,-_~")


def _is_harmless(parameter: str) -> bool:
    name, equals, value = parameter.partition("=")
    name, value = _decoded(name), _decoded(value)
    if _JWT.search(parameter) or _JWT.search(value):
        return False
    if not equals:
        # No name to judge by: short flags stay (?wsdl), what could be a token does not.
        return len(name) < _BARE_SECRET_LENGTH and not _is_secret_name(name)
    return not _is_secret_name(name)


def _is_secret_name(name: str) -> bool:
    plain = name.strip().lower()
    if plain in _HARMLESS_NAMES:
        return False
    if plain.startswith(_VENDOR_PREFIXES):
        return True
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()
    words = re.split(r"[^a-z0-9]+", spaced)
    if any(word in _SECRET_WORDS for word in words):
        return True
    joined = "".join(words)
    return joined in _SECRET_WORDS or any(part in joined for part in _SECRET_PARTS)


@dataclass(frozen=True)
class Source:
    """Where a product came from; never holds a secret, whatever it is made of.

    Parameters
    ----------
    provider
        Who delivered it: ``url``, ``file``, or a portal's name.
    order_id, eor_id, data_id
        Ids of the order, of the emergency observation request, of the data file, at the provider.
    title
        The provider's words about it.
    url
        Where it was fetched; `public_url` of what is given.
    sha256
        Hexadecimal SHA-256 of the delivery as fetched.
    retrieved
        When it was fetched, timezone-aware UTC.
    """

    provider: str | None = None
    order_id: str | None = None
    eor_id: str | None = None
    data_id: str | None = None
    title: str | None = None
    url: str | None = field(default=None)
    sha256: str | None = None
    retrieved: datetime | None = None

    def __post_init__(self) -> None:
        if self.url is not None:
            object.__setattr__(self, "url", public_url(self.url))

    def to_json(self) -> Json:
        """Return all eight keys; what is unknown is null."""
        return {
            "provider": self.provider,
            "order_id": self.order_id,
            "eor_id": self.eor_id,
            "data_id": self.data_id,
            "title": self.title,
            "url": self.url,
            "sha256": self.sha256,
            "retrieved": None if self.retrieved is None else utc_text(self.retrieved),
        }
