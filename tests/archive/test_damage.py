"""Damaged archives: cut, changed, prefixed, followed by something, or no archives at all."""

from __future__ import annotations

import random
import re
import struct
import zipfile
from pathlib import Path

import pytest

from alos2.archive.codec import Codec
from alos2.archive.members import list_members
from alos2.archive.packing import NewEntry, pack_central, pack_local
from alos2.archive.records import END64, LOCATOR64
from alos2.archive.unpack import unpack
from alos2.errors import BadArchive

HTML = b"\n<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"


def left(folder: Path) -> list[str]:
    """Name what lies in a folder, hidden things included."""
    return sorted(path.name for path in folder.iterdir())


def attempt(data: bytes, tmp_path: Path, destination: Path, **options: object) -> str:
    """Unpack; return the error's words, or nothing where it could be unpacked."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(data)
    try:
        unpack(archive, destination, **options)  # type: ignore[arg-type]
    except BadArchive as error:
        words = str(error)
    else:
        return ""
    assert BadArchive.exit_code == 3
    assert left(destination.parent) == []
    return words


class TestNoZip:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b"P", "cut|begins with"),
            (HTML, "HTML page"),
            (b"<?xml version='1.0'?><html/>", "HTML page"),
            (b"<?xml version='1.0'?><ServiceExceptionReport/>", "XML document"),
            (b'{"error": 1}', "JSON"),
            (b"\x1f\x8b" + bytes(30), "gzip"),
            (b"Rar!\x1a\x07\x01" + bytes(30), "RAR"),
            (bytes(1000), "zeros"),
            (b"\x00\x01\x02\x03" * 20, "not PK"),
            (b"PK\x03\x04" + bytes(100), "cut"),
        ],
    )
    def test_what_it_is_instead(self, tmp_path, destination, data: bytes, words: str) -> None:
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(BadArchive, match=words):
            unpack(tmp_path / "a.zip", destination)
        with pytest.raises(BadArchive, match=words):
            list_members(tmp_path / "a.zip")
        assert left(destination.parent) == []

    def test_html_before_a_zip(self, tmp_path, make_zip, destination) -> None:
        data = HTML + make_zip({"a": b"1"})
        (tmp_path / "x").write_bytes(data)
        assert zipfile.is_zipfile(tmp_path / "x")
        assert "HTML page" in attempt(data, tmp_path, destination)

    def test_page_instead_of_an_inner_zip(self, tmp_path, make_zip, destination) -> None:
        error = attempt(make_zip({"S.zip": HTML}), tmp_path, destination)
        assert "a.zip!S.zip is not a zip: it is an HTML page" in error


@pytest.fixture(scope="module")
def data(make_zip, speckle) -> bytes:
    """Two deflated inner zips; the second was written as to a pipe."""
    return make_zip(_inner(make_zip, speckle))


@pytest.fixture(scope="module")
def stored(make_zip, speckle) -> bytes:
    return make_zip(_inner(make_zip, speckle), deflate=False)


def _inner(make_zip, speckle) -> dict[str, bytes]:
    files = {"IMG-x.1": speckle(3000), "d/summary.txt": b"Odi=1\n" * 50, "e.1": b""}
    return {"S1.zip": make_zip(files), "S2.zip": make_zip(files, stream=True)}


class TestCutAndChanged:
    def test_whole(self, tmp_path, destination, data: bytes, stored: bytes) -> None:
        assert attempt(data, tmp_path, destination) == ""
        assert attempt(stored, tmp_path, destination.with_name("b")) == ""

    def test_cut_everywhere(self, tmp_path, destination, data: bytes, stored: bytes) -> None:
        for whole in (data, stored):
            marks = [i for i in range(len(whole)) if whole.startswith(b"PK", i)]
            places = {m + d for m in marks for d in (-1, 0, 1, 4, 25, 29, 30, 31, 45, 46)}
            places |= set(range(0, len(whole), 101)) | set(range(len(whole) - 30, len(whole)))
            for size in sorted(p for p in places if 0 <= p < len(whole)):
                assert attempt(whole[:size], tmp_path, destination), size
                with pytest.raises(BadArchive):
                    list_members(tmp_path / "a.zip")

    @pytest.mark.parametrize("tail", [b"\0", b"\r\n", HTML, bytes(70_000)])
    def test_something_behind(self, tmp_path, make_zip, destination, tail: bytes) -> None:
        error = attempt(make_zip({"a": b"1"}) + tail, tmp_path, destination)
        assert f"{len(tail)} bytes of something else follow" in error or "cut" in error

    def test_comment_is_no_garbage(self, tmp_path, destination) -> None:
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as target:
            target.writestr("a", b"1")
            target.comment = b"PK\x05\x06 a comment that holds the signature of an end record"
        assert attempt((tmp_path / "c.zip").read_bytes(), tmp_path, destination) == ""

    def test_prefix_that_is_pk_itself(self, tmp_path, make_zip, destination) -> None:
        data = make_zip({"a": b"1"})
        error = attempt(data[:33] + data, tmp_path, destination)
        assert "33 bytes were put before or into it" in error

    def test_bytes_missing_in_the_middle(self, tmp_path, make_zip, destination) -> None:
        data = make_zip({"a": bytes(range(256))}, deflate=False)
        error = attempt(data[:60] + data[100:], tmp_path, destination)
        assert "40 bytes are missing in it" in error

    @pytest.mark.parametrize("deflate", [True, False])
    def test_one_changed_byte_of_data(
        self, tmp_path, make_zip, speckle, destination, *, codec: Codec, deflate: bool
    ) -> None:
        data = bytearray(make_zip({"IMG-x.1": speckle(20_000)}, deflate=deflate))
        for position in range(40, 15_000, 997):
            data[position] ^= 0x10
            error = attempt(bytes(data), tmp_path, destination, codec=codec)
            assert "a.zip!IMG-x.1" in error
            data[position] ^= 0x10

    def test_random_bit_flips(self, tmp_path, destination, data: bytes, stored: bytes) -> None:
        """Each flip is a named error, or touches what nobody reads (times, versions, comments)."""
        source = random.Random(3)
        good = 0
        for number in range(400):
            whole = bytearray((data, stored)[number % 2])
            position = source.randrange(len(whole))
            whole[position] ^= 1 << source.randrange(8)
            target = destination.parent / str(number)
            if attempt(bytes(whole), tmp_path, target):
                with pytest.raises(BadArchive):
                    _read_all(tmp_path / "a.zip")
                continue
            good += 1
            _remove(target)
        assert good < 100

    def test_listing_survives_flips(self, tmp_path, data: bytes, stored: bytes) -> None:
        source = random.Random(4)
        for number in range(400):
            whole = bytearray((data, stored)[number % 2])
            for _ in range(3):
                whole[source.randrange(len(whole))] = source.randrange(256)
            (tmp_path / "a.zip").write_bytes(whole)
            try:
                _read_all(tmp_path / "a.zip")
            except BadArchive as error:
                assert "a.zip" in str(error)  # noqa: PT017


def _read_all(path: Path) -> None:
    # What unpacking refuses and reading cannot harm (names, links) is read through here.
    unpacked = path.parent / "unpacked"
    with list_members(path) as tree:
        for member in tree:
            with member.open() as file:
                file.read()
    unpack(path, unpacked)
    _remove(unpacked)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


class TestDirectory:
    """Single fields of the records."""

    @pytest.fixture
    def data(self, make_zip) -> bytearray:
        return bytearray(make_zip({"a": b"1", "b": b"2"}))

    @pytest.mark.parametrize(
        ("back", "form", "value", "words"),
        [
            (18, "<H", 1, "several volumes"),
            (16, "<H", 1, "several volumes"),
            (14, "<H", 1, "several volumes"),
            (10, "<L", 5, "put before"),
            (6, "<L", 5, "put before"),
            (6, "<L", 0xFFFFFFFF, "zip64 end record is missing"),
            (2, "<H", 9, "cut"),
        ],
    )
    def test_end_record(
        self, tmp_path, destination, data: bytearray, *, back, form, value, words
    ) -> None:
        struct.pack_into(form, data, len(data) - back, value)
        assert re.search(words, attempt(bytes(data), tmp_path, destination))

    def test_entry_counts(self, tmp_path, destination, data: bytearray) -> None:
        for count, words in ((1, "more than the 1 entries"), (3, "do not fit"), (60000, "entries")):
            struct.pack_into("<HH", data, len(data) - 14, count, count)
            assert words in attempt(bytes(data), tmp_path, destination)

    def test_local_header_says_otherwise(self, tmp_path, destination, data: bytearray) -> None:
        for position, what in (
            (8, "method"),
            (14, "CRC"),
            (18, "packed size"),
            (22, "size"),
            (30, "name"),
        ):
            data[position] ^= 1
            assert f"disagree: {what}" in attempt(bytes(data), tmp_path, destination)
            data[position] ^= 1

    def test_offset_points_nowhere(self, tmp_path, destination, data: bytearray) -> None:
        start = data.index(b"PK\x01\x02")
        for offset, words in ((1, "no local header"), (2**31, "beyond"), (start - 5, "beyond")):
            struct.pack_into("<L", data, start + 42, offset)
            assert words in attempt(bytes(data), tmp_path, destination)

    def test_volume_of_an_entry(self, tmp_path, destination, data: bytearray) -> None:
        struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 34, 2)
        assert "several volumes" in attempt(bytes(data), tmp_path, destination)

    def test_zip64_records(self, tmp_path, destination) -> None:
        entry = NewEntry(b"a", 0, 1, 0, zip64=True, crc32=0x83DCEFB7, packed_size=1)
        body = pack_local(entry) + b"1"
        directory = pack_central(entry)
        end = len(body) + len(directory)

        def whole(record: int = 44, offset: int = end, disks: int = 1, disk: int = 0) -> bytes:
            return (
                body
                + directory
                + END64.pack(
                    b"PK\x06\x06", record, 45, 45, disk, 0, 1, 1, len(directory), len(body)
                )
                + LOCATOR64.pack(b"PK\x06\x07", 0, offset, disks)
                + struct.pack(
                    "<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0
                )
            )

        assert attempt(whole(), tmp_path, destination) == ""
        other = destination.with_name("b")
        _remove(destination)
        for data, words in (
            (whole(record=45), "wrong length"),
            (whole(offset=end + 1), "no zip64 end record"),
            (whole(offset=2**60), "no zip64 end record"),
            (whole(disks=2), "several volumes"),
            (whole(disk=1), "several volumes"),
        ):
            assert words in attempt(data, tmp_path, other)
