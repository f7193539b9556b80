"""Archives that break a rule: each has its named error, and the destination is untouched."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from alos2.archive.codec import Codec
from alos2.archive.limits import GIB, Limits
from alos2.archive.unpack import unpack
from alos2.errors import BadArchive, UnsafeArchive

TEXT = b"some text, " * 100


def left(folder: Path) -> list[str]:
    """Name what lies in a folder, hidden things included."""
    return sorted(path.name for path in folder.iterdir())


def refused(
    archive: Path, destination: Path, error: type[BadArchive], words: str, **options: object
) -> BadArchive:
    with pytest.raises(error, match=words) as caught:
        unpack(archive, destination, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 3
    assert left(destination.parent) == []
    assert archive.name in str(caught.value)
    return caught.value


def zip_of(path: Path, *entries: zipfile.ZipInfo | str, data: bytes = TEXT) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in entries:
            target.writestr(entry, data)
    return path


def renamed(path: Path, old: bytes, new: bytes) -> Path:
    """Change a name in both headers, to one that zipfile would not write."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert data.count(old) == 2
    path.write_bytes(data.replace(old, new))
    return path


class TestNames:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("/etc/passwd", "absolute"),
            ("../../evil", r"component '\.\.'"),
            ("a/../b", r"component '\.\.'"),
            ("./a", r"component '\.'"),
            ("a//b", "component ''"),
            ("C:/x", "':'"),
            ("a:stream", "':'"),
            ("a\tb", r"'\\t'"),
            ("a\x7fb", "character"),
            ("what?", r"'\?'"),
            ("dir./x", r"ends in '\.'"),
            ("x ", "ends in ' '"),
            ("con", "Windows reserves"),
            ("a/NUL.txt", "Windows reserves"),
            ("lpt9.tar.gz", "Windows reserves"),
            ("com¹", "Windows reserves"),
            ("n" * 256, "name_bytes"),
            ("水" * 100, "name_bytes"),
            ("/".join(["d" * 200] * 6), "path_bytes"),
        ],
    )
    def test_names_that_are_refused(self, tmp_path, destination, name: str, words: str) -> None:
        archive = zip_of(tmp_path / "a.zip", name)
        error = refused(archive, destination, UnsafeArchive, words)
        assert error.hint

    @pytest.mark.parametrize(
        ("new", "words"), [(b"a\\b", r"'\\\\'"), (b"a\x00b", r"\\x00"), (b"\\\\s", "character")]
    )
    def test_names_that_zipfile_would_mend(
        self, tmp_path, destination, new: bytes, words: str
    ) -> None:
        archive = renamed(zip_of(tmp_path / "a.zip", "q_q"), b"q_q", new)
        refused(archive, destination, UnsafeArchive, words)

    def test_name_is_not_utf8(self, tmp_path, destination) -> None:
        archive = zip_of(tmp_path / "a.zip", "ä")
        renamed(archive, "ä".encode(), b"\xff\xfe")
        refused(archive, destination, BadArchive, "not UTF-8")

    @pytest.mark.parametrize(
        ("names", "words"),
        [
            (("IMG", "img"), "differs in case"),
            (("d/a", "D/b"), "differs in case"),
            (("\u00e4", "a\u0308"), "differs in case or Unicode form"),
            (("straße", "STRASSE"), "differs in case"),
            (("a", "a/b"), "is a file"),
            (("a/b", "a"), "is a folder"),
            (("a/b", "A"), "is a folder"),
        ],
    )
    def test_names_that_meet(self, tmp_path, destination, names: tuple, words: str) -> None:
        refused(zip_of(tmp_path / "a.zip", *names), destination, UnsafeArchive, words)

    def test_twice(self, tmp_path, destination) -> None:
        archive = renamed(zip_of(tmp_path / "a.zip", "one", "two"), b"two", b"one")
        refused(archive, destination, UnsafeArchive, "twice")

    def test_inner_names_count_the_outer_folders(self, tmp_path, make_zip, destination) -> None:
        inner = make_zip({f"{'d' * 200}/x": b"1"})
        outer = make_zip({f"{'e' * 200}/S.zip": inner}, deflate=False)
        (tmp_path / "a.zip").write_bytes(outer)
        refused(
            tmp_path / "a.zip", destination, UnsafeArchive, "path_bytes",
            limits=Limits(path_bytes=300),
        )  # fmt: skip

    @pytest.mark.parametrize("deflate", [True, False])
    def test_unsafe_names_in_an_inner_zip(
        self, tmp_path, make_zip, destination, deflate: bool
    ) -> None:
        inner = zip_of(tmp_path / "i", "../x").read_bytes()
        (tmp_path / "a.zip").write_bytes(make_zip({"ok": b"1", "S.zip": inner}, deflate=deflate))
        refused(tmp_path / "a.zip", destination, UnsafeArchive, r"a\.zip!S\.zip holds '\.\./x'")


class TestKinds:
    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            (stat.S_IFLNK, "symbolic link"),
            (stat.S_IFCHR, "device"),
            (stat.S_IFBLK, "device"),
            (stat.S_IFIFO, "pipe"),
            (stat.S_IFSOCK, "socket"),
        ],
    )
    def test_links_and_devices(self, tmp_path, destination, mode: int, words: str) -> None:
        entry = zipfile.ZipInfo("lnk")
        entry.create_system = 3
        entry.external_attr = (mode | 0o777) << 16
        refused(zip_of(tmp_path / "a.zip", entry), destination, UnsafeArchive, words)

    def test_windows_junction(self, tmp_path, destination) -> None:
        entry = zipfile.ZipInfo("lnk")
        entry.create_system = 0
        entry.external_attr = 0x400
        refused(zip_of(tmp_path / "a.zip", entry), destination, UnsafeArchive, "symbolic link")

    def test_folder_with_contents(self, tmp_path, destination) -> None:
        archive = renamed(zip_of(tmp_path / "a.zip", "dirX"), b"dirX", b"dir/")
        refused(archive, destination, UnsafeArchive, "is a folder and declares")

    def test_encrypted(self, tmp_path, destination) -> None:
        archive = zip_of(tmp_path / "a.zip", "x")
        patch_flags(archive, lambda flags: flags | 1)
        error = refused(archive, destination, BadArchive, "encrypted")
        assert "password" in error.hint

    @pytest.mark.parametrize(
        ("method", "name"),
        [(9, "deflate64"), (12, "bzip2"), (14, "LZMA"), (99, "AES"), (7, "unknown")],
    )
    def test_methods(self, tmp_path, destination, method: int, name: str) -> None:
        archive = zip_of(tmp_path / "a.zip", "x")
        data = bytearray(archive.read_bytes())
        struct.pack_into("<H", data, 8, method)
        struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 10, method)
        archive.write_bytes(data)
        refused(archive, destination, BadArchive, rf"method {method} \({name}")


def patch_flags(path: Path, change: Callable[[int], int]) -> None:
    data = bytearray(path.read_bytes())
    for position in (6, data.index(b"PK\x01\x02") + 8):
        struct.pack_into("<H", data, position, change(struct.unpack_from("<H", data, position)[0]))
    path.write_bytes(data)


class TestBombs:
    def test_high_ratio(self, tmp_path, destination) -> None:
        archive = zip_of(tmp_path / "a.zip", "zeros", data=bytes(30_000_000))
        limits = Limits(ratio_above_bytes=1_000_000)
        refused(archive, destination, UnsafeArchive, "more than ratio = 200", limits=limits)
        unpack(archive, destination)

    def test_ratio_over_many_nested_zips(self, tmp_path, make_zip, destination) -> None:
        """Each member is innocent; all together are not."""
        inner = make_zip({"zeros": bytes(900_000)})
        (tmp_path / "a.zip").write_bytes(make_zip({f"{n}.zip": inner for n in range(50)}))
        limits = Limits(ratio_above_bytes=1_000_000)
        refused(tmp_path / "a.zip", destination, UnsafeArchive, "ratio", limits=limits)

    def test_total_and_file_bytes(self, tmp_path, make_zip, destination) -> None:
        (tmp_path / "a.zip").write_bytes(make_zip({"a": bytes(600), "b": bytes(600)}))
        for limits, words in (
            (Limits(total_bytes=1199), "1200 bytes so far, more than total_bytes = 1199"),
            (Limits(file_bytes=599), "600 bytes, more than file_bytes = 599"),
        ):
            refused(tmp_path / "a.zip", destination, UnsafeArchive, words, limits=limits)
        unpack(tmp_path / "a.zip", destination, limits=Limits(total_bytes=1200, file_bytes=600))

    @pytest.mark.parametrize("deflate", [True, False])
    def test_budget_goes_over_all_archives(
        self, tmp_path, make_zip, destination, deflate: bool
    ) -> None:
        inner = make_zip({"x": bytes(700)})
        files = {f"{n}.zip": inner for n in range(3)}
        (tmp_path / "a.zip").write_bytes(make_zip(files, deflate=deflate))
        for limits, words in (
            (Limits(total_bytes=2000), "total_bytes"),
            (Limits(entries=5), "entries"),
        ):
            refused(tmp_path / "a.zip", destination, UnsafeArchive, words, limits=limits)

    def test_default_limits_stop_a_petabyte(self, tmp_path, destination) -> None:
        archive = zip_of(tmp_path / "a.zip", "x")
        data = bytearray(archive.read_bytes())
        # 160 GiB declared: zip64 in both headers would be needed; here the plan sees it first.
        assert Limits().file_bytes < 160 * GIB
        start = data.index(b"PK\x01\x02")
        extra = struct.pack("<HHQ", 1, 8, 160 * GIB)
        struct.pack_into("<L", data, start + 24, 0xFFFFFFFF)
        struct.pack_into("<H", data, start + 30, len(extra))
        data[start + 47 : start + 47] = extra
        struct.pack_into("<L", data, len(data) - 10, len(data) - 22 - start)
        archive.write_bytes(data)
        refused(archive, destination, BadArchive, "disagree: size")

    @pytest.mark.parametrize("declared", [1, len(TEXT) - 1, len(TEXT) + 1])
    def test_lying_size(self, tmp_path, destination, codec: Codec, declared: int) -> None:
        archive = zip_of(tmp_path / "a.zip", "x")
        data = bytearray(archive.read_bytes())
        struct.pack_into("<L", data, 22, declared)
        struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, declared)
        archive.write_bytes(data)
        words = "holds more than" if declared < len(TEXT) else "declares"
        refused(archive, destination, BadArchive, words, codec=codec)

    def test_lying_bomb_stops_at_once(
        self, tmp_path, destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = zip_of(tmp_path / "a.zip", "x", data=bytes(50_000_000))
        data = bytearray(archive.read_bytes())
        struct.pack_into("<L", data, 22, 1000)
        struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 1000)
        archive.write_bytes(data)
        written: list[int] = []
        monkeypatch.setattr(
            "alos2.archive.writing.HashingWriter.write",
            lambda self, data: written.append(len(data)),
        )
        refused(archive, destination, BadArchive, "holds more than the 1000 bytes")
        assert written == []

    def test_overlap(self, tmp_path, destination) -> None:
        """Two directory entries for the same data, as in Fifield's bomb."""
        archive = zip_of(tmp_path / "a.zip", "one")
        data = archive.read_bytes()
        start = data.index(b"PK\x01\x02")
        entry, end = data[start:-22], bytearray(data[-22:])
        struct.pack_into("<HHL", end, 8, 2, 2, 2 * len(entry))
        archive.write_bytes(data[:start] + entry * 2 + end)
        refused(archive, destination, UnsafeArchive, "overlap")
        refused(archive, destination, UnsafeArchive, "twice", limits=Limits(allow_overlap=True))

    def test_overlap_with_a_quoted_header(self, tmp_path, destination) -> None:
        """The second entry's local header is data of the first: allowed only when asked for."""
        inner = zip_of(tmp_path / "i.zip", "two").read_bytes()
        local = inner[: inner.index(b"PK\x01\x02")]
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as target:
            target.writestr("a.1", local)
        data = (tmp_path / "a.zip").read_bytes()
        start = data.index(b"PK\x01\x02", len(local))
        second = bytearray(inner[inner.index(b"PK\x01\x02") : -22])
        struct.pack_into("<L", second, 42, 33)
        end = bytearray(data[-22:])
        directory = data[start:-22] + second
        struct.pack_into("<HHL", end, 8, 2, 2, len(directory))
        (tmp_path / "a.zip").write_bytes(data[:start] + directory + end)
        error = refused(tmp_path / "a.zip", destination, UnsafeArchive, r"a\.1 and .*two overlap")
        assert "allow_overlap" in error.hint
        unpack(tmp_path / "a.zip", destination, limits=Limits(allow_overlap=True))
        assert (destination / "two").read_bytes() == TEXT

    @pytest.mark.parametrize("deflate", [True, False])
    def test_zips_in_zips_in_zips(self, tmp_path, make_zip, destination, deflate: bool) -> None:
        data = make_zip({"x": b"1"})
        for _ in range(40):
            data = make_zip({"r.zip": data}, deflate=deflate)
        (tmp_path / "a.zip").write_bytes(data)
        refused(tmp_path / "a.zip", destination, UnsafeArchive, "depth = 3")

    def test_many_entries(self, tmp_path, make_zip, destination) -> None:
        (tmp_path / "a.zip").write_bytes(make_zip({str(n): b"" for n in range(50)}))
        refused(
            tmp_path / "a.zip", destination, UnsafeArchive, "50 entries", limits=Limits(entries=49)
        )

    def test_huge_directory(self, tmp_path, make_zip, destination) -> None:
        (tmp_path / "a.zip").write_bytes(make_zip({str(n): b"" for n in range(50)}))
        refused(
            tmp_path / "a.zip", destination, UnsafeArchive, "directory_bytes",
            limits=Limits(directory_bytes=1000),
        )  # fmt: skip
