from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.sources.filename import download_name, safe_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="order.zip"', "order.zip"),
        ("attachment; filename=order.ZIP", "order.ZIP"),
        ('attachment; filename="../../etc/passwd"', "passwd.zip"),
        (r'attachment; filename="..\\..\\boot.zip"', "boot.zip"),
        ("attachment; filename*=UTF-8''%e6%b3%a2%20a.zip", "波 a.zip"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx.zip", "x.zip"),
        ('attachment; filename="a\x07b.zip"', "ab.zip"),
        ('attachment; filename="NUL.zip"', "_NUL.zip"),
        ('attachment; filename=".hidden.zip"', "hidden.zip"),
        ('attachment; filename="0000022708_001001_ALOS2015976960-140909"',
         "0000022708_001001_ALOS2015976960-140909.zip"),
        ('attachment; filename=""', "path.zip"),
        ('attachment; filename=".."', "path.zip"),
        ("attachment", "path.zip"),
        (None, "path.zip"),
    ],
)  # fmt: skip
def test_the_servers_name_is_used_but_not_trusted(header: str | None, name: str) -> None:
    assert download_name("https://host/some/path.zip?token=abc", header) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/a/x%20y.zip", "x y.zip"),
        ("https://host/a/%2e%2e%2fetc%2fx", "x.zip"),
        ("https://host/", "download.zip"),
        ("https://host", "download.zip"),
        ("https://host/pp/service/download?itemname=1", "download.zip"),
    ],
)
def test_else_the_urls_name(url: str, name: str) -> None:
    assert download_name(url, None) == name


@given(st.text(max_size=400))
def test_no_name_leads_anywhere(text: str) -> None:
    name = safe_name(text)
    assert not set(name) & set('/\\<>:"|?*\0')
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert len(name.encode()) <= 200
    assert all(unicodedata.category(c) not in ("Cc", "Cf") for c in name)
