"""A server may repeat our URL in what it says (a page's title, a reason): take the secrets out."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from alos2.dataset.provenance import public_url

_SHORTEST = 3
"""A shorter value is no secret, and hiding it would hide half the text."""


def secrets_of(url: str) -> tuple[str, ...]:
    """Return the userinfo's parts and the query values that `public_url` drops, longest first."""
    parts = urlsplit(url)
    kept = {value for _, value in parse_qsl(urlsplit(public_url(url)).query)}
    values = {value for _, value in parse_qsl(parts.query)} - kept
    values |= {part for part in (parts.username, parts.password) if part}
    values |= {unquote(value) for value in values}
    values |= {quote(v, safe="") for v in values} | {quote_plus(v) for v in values}
    return tuple(sorted((v for v in values if len(v) >= _SHORTEST), key=len, reverse=True))


def without_secrets(text: str, url: str) -> str:
    """Return `text` with every secret of `url` replaced by ``***``."""
    for secret in secrets_of(url):
        text = text.replace(secret, "***")
    return text
