from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import BadArchive
from alos2.sources.sniff import looks_like_html, missing_zip_end, page_title, require_zip_head


def make_zip(comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "hello " * 50)
        archive.comment = comment
    return buffer.getvalue()


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE html><p>x",
        b"\xef\xbb\xbf\r\n  <HTML><head>",
        b"<!-- a\nb --><html>",
        b"<head><title>x",
    ],
)
def test_markup_is_a_page_whatever_its_type(head: bytes) -> None:
    assert looks_like_html(head, "application/zip")


def test_a_type_makes_a_page_unless_the_bytes_are_a_zip() -> None:
    assert looks_like_html(b"Sorry", "text/html; charset=utf-8")
    assert not looks_like_html(make_zip(), "text/html")
    assert not looks_like_html(b'{"error": 1}', "application/json")


def test_the_title_is_told_in_one_line_and_short() -> None:
    title, asks = page_title(b"<title>Order\n\x1b[31m expired " + b"x" * 500 + b"</title>")
    assert title.startswith("Order [31m expired xxx")
    assert len(title) == 120
    assert not asks


def test_a_login_page_is_known_by_its_password_field() -> None:
    page = b"<html><body><h1>Sign in</h1><form><input type=PASSWORD name=p></form>"
    assert page_title(page) == ("Sign in", True)
    with pytest.raises(BadArchive, match="Sign in") as caught:
        require_zip_head(page, where="host")
    assert "login" in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "empty file"),
        (b"PK\x05\x06" + bytes(18), "nothing in it"),
        (b"\x1f\x8b\x08\x00rest", "1f 8b 08 00"),
        (b"PK\x03\x05", "not a zip"),
        (b'{"a":1}', "not a zip"),
        (b"<html></html>", "without a title"),
    ],
)
def test_what_is_not_a_zip_is_said(head: bytes, said: str) -> None:
    with pytest.raises(BadArchive, match=said):
        require_zip_head(head, where="host")


@pytest.mark.parametrize("comment", [b"", b"from JAXA", b"PK\x05\x06 in a comment" + bytes(40)])
def test_a_whole_zip_has_its_end(tmp_path: Path, comment: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(make_zip(comment))
    assert missing_zip_end(path) == ""


def test_a_zip64_has_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in "abc":
            archive.writestr(name, name)
    assert b"PK\x06\x07" in path.read_bytes()
    assert missing_zip_end(path) == ""
    path.write_bytes(path.read_bytes()[:-1])
    assert missing_zip_end(path)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=0, max_value=10_000))
def test_every_cut_is_noticed(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    data = make_zip()
    path = tmp_path_factory.mktemp("cut") / "x.zip"
    path.write_bytes(data[: cut % len(data)])
    assert missing_zip_end(path)


def test_a_tail_of_html_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(make_zip() + b"<html>proxy error</html>")
    assert "other bytes follow" in missing_zip_end(path)


def test_lost_bytes_in_the_middle_are_noticed(tmp_path: Path) -> None:
    data = make_zip()
    path = tmp_path / "x.zip"
    path.write_bytes(data[:40] + data[50:])
    assert "central directory" in missing_zip_end(path)
