"""Nothing that is kept holds a secret, and what is harmless stays as it was."""

from __future__ import annotations

import string
from datetime import datetime, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.dataset.provenance import Source, public_url

SECRET = "S3cr3tS3cr3t"


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{SECRET}@example.org/a.zip",
        f"https://{SECRET}@example.org/a.zip",
        f"ftp://user:{SECRET}@example.org:2121/a.zip",
        f"s3://AKIA:x/{SECRET}@bucket/a.zip",
        f"https://user:p@{SECRET}@example.org/a.zip",
        f"//user:{SECRET}@example.org/a.zip",
        f"https:/user:{SECRET}@example.org/a.zip",
        f"https:user:{SECRET}@example.org/a.zip",
        f"https://example.org/a.zip#{SECRET}",
        f"https://example.org/a.zip?X-Amz-Signature={SECRET}",
        f"https://example.org/a.zip?X-Amz-Credential={SECRET}&X-Amz-Date=1",
        f"https://example.org/a.zip?x-amz-security-token={SECRET}",
        f"https://example.org/a.zip?X-Goog-Signature={SECRET}",
        f"https://example.org/a.zip?AWSAccessKeyId=AK&Signature={SECRET}&Expires=12",
        f"https://example.org/a.zip?sv=2020-01-01&sr=b&sig={SECRET}",
        f"https://example.org/a.zip?Policy=x&Key-Pair-Id={SECRET}",
        f"https://example.org/a.zip?download_token={SECRET}",
        f"https://example.org/a.zip?downloadToken={SECRET}",
        f"https://example.org/a.zip?mytokenvalue={SECRET}",
        f"https://example.org/a.zip?api_key={SECRET}",
        f"https://example.org/a.zip?apikey={SECRET}",
        f"https://example.org/a.zip?KEY={SECRET}",
        f"https://example.org/a.zip?password={SECRET}",
        f"https://example.org/a.zip?pass%77ord={SECRET}",
        f"https://example.org/a.zip?p%2561ssword={SECRET}",
        f"https://example.org/a.zip?a=1;password={SECRET}",
        f"https://example.org/a.zip;jsessionid={SECRET}?a=1",
        f"https://example.org/a.zip;jsessionid={SECRET}/b",
        f"https://example.org/a.zip?IDToken2={SECRET}",
        f"https://example.org/a.zip?session[id]={SECRET}",
        f"https://example.org/a.zip?goto=https%3A%2F%2Fu%3A{SECRET}%40example.com%2Fx",
        f"https://example.org/a.zip?goto=https://example.com/x?token={SECRET}",
        f"https://example.org/a.zip?next=https%253A%252F%252Fe.com%252F%253Fsig%253D{SECRET}",
        f"https://example.org/a.zip?{SECRET}{SECRET}",
        f"https://example.org/a.zip?x=eyJhbGciOi.eyJzdWIi{SECRET}.sig",
        f"https://example.org/a.zip?\nto\nken={SECRET}",
    ],
)
def test_secrets_go(url: str) -> None:
    public = public_url(url)
    assert SECRET not in public
    assert "AKIA" not in public
    assert public_url(public) == public


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a%20b.zip",
        "https://example.org:8443/a.zip?itemname=0000022708&itemtype=1",
        "https://example.org/a.zip?file=x%2Fy.zip&page=2",
        "https://example.org/a@b/c.zip",
        "https://example.org:80/a@b/c.zip",
        "https://[::1]:8080/a.zip",
        "https://example.org/d?wsdl",
        "https://example.org/d?author=someone&dataId=JPJXisis0001201908160001",
        "file:///data/a.zip",
        "s3://bucket/key.zip",
        "/data/a#b?c.zip",
        r"C:\data\a@b.zip",
        "relative/a.zip",
        "",
    ],
)
def test_what_is_harmless_stays_as_it_was(url: str) -> None:
    assert public_url(url) == url


WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
SECRETS = st.text(string.ascii_letters + string.digits + "/+=@:%~!", min_size=6, max_size=20).map(
    lambda text: f"Zq{text}Zq"
)
NAMES = st.sampled_from(
    ["token", "X-Amz-Signature", "sig", "accessToken", "api-key", "PASSWORD", "auth_code"]
)


@given(WORDS, SECRETS, SECRETS, NAMES, st.lists(st.tuples(WORDS, WORDS), max_size=3))
def test_a_secret_never_survives(
    host: str, password: str, value: str, name: str, others: list[tuple[str, str]]
) -> None:
    harmless = "&".join(f"q{a}={b}" for a, b in others)
    user = quote(password, safe="")
    url = f"https://{user}:{user}@{host}.org/a.zip?{harmless}&{name}={quote(value, safe='')}"
    public = public_url(url)
    for secret in (password, value):
        assert secret not in public
        assert quote(secret, safe="") not in public
    assert public.startswith(f"https://{host}.org/a.zip")


@given(st.text(max_size=80))
def test_any_text_is_survived_and_cleaning_is_once_and_for_all(text: str) -> None:
    once = public_url(text)
    assert public_url(once) == once


def test_source_keeps_no_secret_in_any_form() -> None:
    source = Source(
        provider="url",
        url=f"https://u:{SECRET}@example.org/a.zip?token={SECRET}&b=1",
        retrieved=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    )
    assert SECRET not in repr(source)
    assert source.to_json() == {
        "provider": "url",
        "order_id": None,
        "eor_id": None,
        "data_id": None,
        "title": None,
        "url": "https://example.org/a.zip?b=1",
        "sha256": None,
        "retrieved": "2026-01-02T03:04:05.000000Z",
    }
