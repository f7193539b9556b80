from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import NothingFound, UsageError
from alos2.sources import Fetched, TransferOptions, fetch, supported_schemes
from alos2.sources.http import HttpSource
from alos2.sources.registry import scheme_of, source_for


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("https://host/x.zip", "https"),
        ("HTTP://host/x.zip", "http"),
        ("s3://bucket/x.zip", "s3"),
        ("file:///data/x.zip", "file"),
        ("file:/data/x.zip", "file"),
        (r"C:\data\x.zip", None),
        ("C:/data/x.zip", None),
        ("odd:name.zip", None),
        ("/data/x.zip", None),
        ("x.zip", None),
        ("", None),
    ],
)
def test_a_scheme_is_told_from_a_path(text: str, scheme: str | None) -> None:
    assert scheme_of(text) == scheme


@given(st.text())
def test_any_text_is_a_path_or_has_a_lower_case_scheme(text: str) -> None:
    scheme = scheme_of(text)
    assert scheme is None or (scheme == scheme.lower() and text.lower().startswith(scheme + ":"))


@pytest.mark.parametrize("url", ["gopher://u:pw@h/x", "smb://u:pw@h/x"])
def test_an_unknown_scheme_is_refused_with_those_that_are_known(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not supported") as caught:
        fetch(url, tmp_path)
    for known in ("file://", "https://", "davs://", "s3://", "sftp://", "ftps://"):
        assert known in str(caught.value)
    assert "pw" not in str(caught.value)


class _Loan:
    """A source that a third party might add."""

    def fetch(self, url: str, work_dir: Path, **_: object) -> Fetched:
        return Fetched(work_dir / url.rpartition("/")[2], url, 1, None, None, 0.0, True)


def _point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "alos2.sources")


def test_an_entry_point_adds_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = _point("loan", f"{__name__}:_Loan")
    monkeypatch.setattr(EntryPoint, "load", lambda self: _Loan)
    monkeypatch.setattr("alos2.sources.registry.entry_points", lambda group: [point])
    assert "loan" in supported_schemes()
    assert fetch("loan://desk/x.zip", tmp_path).path == tmp_path / "x.zip"


def test_a_plugin_cannot_take_over_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "alos2.sources.registry.entry_points", lambda group: [_point("https", "nowhere:Thing")]
    )
    assert isinstance(source_for("https"), HttpSource)


def test_a_broken_plugin_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = _point("loan", "no_such_module_here:Loan")
    monkeypatch.setattr("alos2.sources.registry.entry_points", lambda group: [point])
    with pytest.raises(UsageError, match="no_such_module_here"):
        fetch("loan://desk/x.zip", tmp_path)


class TestLocal:
    def test_a_zip_is_where_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "x.zip"
        path.write_bytes(b"12345")
        got = fetch(str(path), tmp_path / "work")
        assert got == Fetched(path, None, 5, None, None, 0.0, False)
        assert not (tmp_path / "work").exists()

    def test_a_folder_counts_its_files(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "one").write_bytes(b"1")
        (tmp_path / "a" / "b" / "two").write_bytes(b"22")
        got = fetch(str(tmp_path / "a"), tmp_path)
        assert (got.path, got.size, got.downloaded) == (tmp_path / "a", 3, False)

    def test_a_file_url_with_blanks_and_localhost(self, tmp_path: Path) -> None:
        path = tmp_path / "an order.zip"
        path.write_bytes(b"123")
        for url in (path.as_uri(), path.as_uri().replace("file://", "file://localhost", 1)):
            got = fetch(url, tmp_path)
            assert got.path == path
            assert got.url is not None
            assert got.url.startswith("file:")

    def test_what_is_not_there_is_not_found(self, tmp_path: Path) -> None:
        for url in (str(tmp_path / "no.zip"), (tmp_path / "no.zip").as_uri()):
            with pytest.raises(NothingFound, match=r"no\.zip does not exist"):
                fetch(url, tmp_path)

    @pytest.mark.parametrize("url", ["file://other.host/x.zip", "file://"])
    def test_other_computers_and_no_path_are_refused(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            fetch(url, tmp_path)

    def test_a_path_with_a_zero_byte_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            fetch("a\0b.zip", tmp_path)

    def test_progress_is_told_once(self, tmp_path: Path) -> None:
        path = tmp_path / "x.zip"
        path.write_bytes(b"12345")
        told: list[tuple[int, int | None]] = []
        fetch(str(path), tmp_path, progress=lambda done, total: told.append((done, total)))
        assert told == [(5, 5)]


def test_default_patience_has_no_limit_on_the_whole_transfer() -> None:
    options = TransferOptions()
    assert options.stall_s >= 30
    assert not any("total" in name for name in vars(options))
