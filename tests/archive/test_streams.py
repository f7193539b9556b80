"""Streams of single members, below the archive: damage, failing disks, the codecs."""

from __future__ import annotations

import io
import sys
import zlib
from typing import BinaryIO

import pytest

from alos2.archive import codec as codecs
from alos2.archive.codec import ISAL, STDLIB, Codec
from alos2.archive.records import ZipEntry
from alos2.archive.streams import InflatedFile, Window, member_chunks
from alos2.errors import BadArchive

DATA = b"0123456789" * 50_000


def entry(packed: bytes, *, data: bytes = DATA, method: int = 8) -> ZipEntry:
    return ZipEntry("x", b"x", 0, method, zlib.crc32(data), len(packed), len(data), 0)


def deflated(codec: Codec, data: bytes = DATA) -> bytes:
    deflater = codec.deflater()
    return deflater.compress(data) + deflater.flush()


def read_all(packed: BinaryIO, one: ZipEntry, codec: Codec, chunk: int = 1000) -> bytes:
    return b"".join(member_chunks(packed, one, where="a.zip!x", chunk=chunk, codec=codec))


class TestChunks:
    @pytest.mark.parametrize("chunk", [1, 7, 4096, 10**6])
    def test_whole_in_bounded_pieces(self, codec: Codec, chunk: int) -> None:
        data = DATA[:3000] if chunk == 1 else DATA
        packed = deflated(codec, data)
        one = entry(packed, data=data)
        pieces = list(
            member_chunks(io.BytesIO(packed + b"more"), one, where="", chunk=chunk, codec=codec)
        )
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= chunk

    def test_something_behind_the_stream(self, codec: Codec) -> None:
        packed = deflated(codec) + b"\0"
        with pytest.raises(BadArchive, match="follows the end of its deflate stream"):
            read_all(io.BytesIO(packed), entry(packed), codec)

    def test_stream_without_end(self, codec: Codec) -> None:
        packed = deflated(codec)[:-2]
        with pytest.raises(BadArchive, match="does not end"):
            read_all(io.BytesIO(packed), entry(packed), codec)

    def test_file_ends_early(self, codec: Codec) -> None:
        packed = deflated(codec)
        with pytest.raises(BadArchive, match="is cut: 5 packed bytes are missing"):
            read_all(io.BytesIO(packed[:-5]), entry(packed), codec)
        with pytest.raises(BadArchive, match="is cut: 9 bytes are missing"):
            read_all(io.BytesIO(DATA[:-9]), entry(DATA, method=0), codec)

    def test_noise(self, codec: Codec) -> None:
        packed = b"\xff" * 100
        with pytest.raises(BadArchive, match="is damaged at byte 0"):
            read_all(io.BytesIO(packed), entry(packed), codec)

    def test_disk_fails(self, codec: Codec) -> None:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                raise OSError(5, "Input/output error")

        with pytest.raises(BadArchive, match=r"a\.zip!x cannot be read: Input/output error"):
            read_all(Broken(), entry(b"1", method=8), codec)


class TestFiles:
    def test_damage_is_told_again(self) -> None:
        packed = bytearray(deflated(STDLIB))
        packed[-1] ^= 0xFF
        packed[300] ^= 0xFF
        with InflatedFile(io.BytesIO(bytes(packed)), entry(packed), where="x") as file:  # type: ignore[arg-type]
            for _ in range(2):
                with pytest.raises(BadArchive):
                    file.read()

    def test_last_bytes_come_only_with_a_right_crc(self) -> None:
        packed = deflated(STDLIB)
        wrong = ZipEntry("x", b"x", 0, 8, 1, len(packed), len(DATA), 0)
        with (
            InflatedFile(io.BytesIO(packed), wrong, where="x") as file,
            pytest.raises(BadArchive, match="CRC"),
        ):
            file.read()

    def test_window_beyond_the_file(self) -> None:
        with (
            Window(lambda: io.BytesIO(b"abc"), 1, 10, where="x") as window,
            pytest.raises(BadArchive, match="cut: 8 bytes are missing"),
        ):
            window.read()

    def test_window_reads_its_head_without_the_file(self) -> None:
        opened: list[int] = []

        def opener() -> BinaryIO:
            opened.append(1)
            return io.BytesIO(b"0123456789")

        with Window(opener, 2, 6, where="x", head=b"234") as window:
            assert window.read(3) == b"234"
            assert opened == []
            assert window.read() == b"567"
            assert opened == [1]


def test_isal_is_used_where_it_is_and_missed_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ISAL or STDLIB) is codecs.BEST
    monkeypatch.setitem(sys.modules, "isal", None)
    assert codecs._isal() is None


@pytest.mark.skipif(ISAL is None, reason="isal is not installed")
def test_codecs_agree() -> None:
    for one, other in ((STDLIB, ISAL), (ISAL, STDLIB)):
        packed = deflated(one)
        assert read_all(io.BytesIO(packed), entry(packed), other) == DATA
        assert one.crc32(DATA, 7) == other.crc32(DATA, 7)
