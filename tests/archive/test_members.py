"""Listing folders and (nested) zips, and reading members where they lie."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from alos2.archive import forward
from alos2.archive.limits import Limits
from alos2.archive.member import FileMember
from alos2.archive.members import MemberTree, list_members
from alos2.archive.packing import NewEntry, pack_central, pack_end, pack_local
from alos2.errors import BadArchive, BadProduct, NothingFound, UnsafeArchive

SCENE = {
    "summary.txt": b"Odi_SceneId=...\r\n",
    "LED-x.1": b"leader" * 1000,
    "IMG-x.1": bytes(range(256)) * 400,
}


class CountingFile(io.FileIO):
    """Counts what is read from the disk."""

    total = 0

    def readinto(self, buffer, /):  # type: ignore[no-untyped-def]
        count = super().readinto(buffer)
        CountingFile.total += count or 0
        return count

    def read(self, size=-1, /):  # type: ignore[no-untyped-def]
        data = super().read(size)
        CountingFile.total += len(data or b"")
        return data


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[CountingFile]:
    monkeypatch.setattr(CountingFile, "total", 0)
    monkeypatch.setattr(
        FileMember, "open", lambda self: io.BufferedReader(CountingFile(self.local_path))
    )
    return CountingFile


def contents(tree: MemberTree) -> dict[str, bytes]:
    result = {}
    for member in tree:
        with member.open() as file:
            result[member.name] = file.read()
        assert member.size == len(result[member.name])
    return result


class TestZip:
    @pytest.mark.parametrize("name", ["a.zip", "A.ZIP", "delivery", "page.html"])
    def test_flat_zip_of_any_name(self, tmp_path: Path, make_zip, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(make_zip(SCENE))
        with list_members(path) as tree:
            assert [m.name for m in tree] == list(SCENE)
            assert contents(tree) == SCENE
            assert {m.folder for m in tree} == {str(path)}
            assert tree.members[0].path == f"{path}!summary.txt"
            assert tree.members[0].local_path is None
            assert tree.archives == (str(path),)

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("outer", ["stored", "deflated"])
    @pytest.mark.parametrize("inner", ["stored", "deflated"])
    def test_nested(self, tmp_path: Path, make_zip, outer: str, inner: str, stream: bool) -> None:
        one = make_zip(SCENE, deflate=inner == "deflated", stream=stream)
        two = make_zip(
            {"0001/S1.ZIP": one, "readme.txt": b"hi", "0001/S2.zip": one},
            deflate=outer == "deflated",
        )
        path = tmp_path / "o.zip"
        path.write_bytes(two)
        with list_members(path) as tree:
            assert len(tree.members) == 7
            assert len({m.folder for m in tree}) == 3
            assert tree.members[0].path == f"{path}!0001/S1.ZIP!summary.txt"
            assert tree.members[0].folder == f"{path}!0001/S1.ZIP"
            assert contents(tree) == {**SCENE, "readme.txt": b"hi"}
        # Closed: what was kept is gone, the members are still there.
        assert contents(tree) == {**SCENE, "readme.txt": b"hi"}

    def test_three_deep_and_no_deeper(self, tmp_path: Path, make_zip) -> None:
        data = make_zip(SCENE)
        for _ in range(2):
            data = make_zip({"inner.zip": data})
        path = tmp_path / "o.zip"
        path.write_bytes(data)
        with list_members(path) as tree:
            assert contents(tree) == SCENE
        path.write_bytes(make_zip({"inner.zip": data}))
        with pytest.raises(UnsafeArchive, match="depth = 3"):
            list_members(path)
        with list_members(path, limits=Limits(depth=4)) as tree:
            assert contents(tree) == SCENE

    def test_inner_zip_without_extension_is_known_by_content(
        self, tmp_path: Path, make_zip
    ) -> None:
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"0000000001_001001": make_zip(SCENE), "map.kmz": make_zip({})}))
        with list_members(path) as tree:
            assert [m.name for m in tree] == [*SCENE, "map.kmz"]

    def test_without_descending(self, tmp_path: Path, make_zip) -> None:
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"S.zip": make_zip(SCENE)}))
        with list_members(path, descend=False) as tree:
            assert [m.name for m in tree] == ["S.zip"]

    def test_empty_zip(self, tmp_path: Path, make_zip) -> None:
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({}))
        with list_members(path) as tree:
            assert tree.members == ()

    def test_members_seek_both_ways(self, tmp_path: Path, make_zip, speckle) -> None:
        data = speckle(500_001)
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"IMG-x.1": data}))
        with list_members(path) as tree:
            (member,) = tree
            assert member.read_head(10) == data[:10]
            assert member.read_head(10**9) == data
            with member.open() as file:
                for position, count in ((400_000, 50), (5, 300_000), (0, 7), (499_990, 100)):
                    assert file.seek(position) == position
                    assert file.read(count) == data[position : position + count]
                assert file.seek(-4, os.SEEK_END) == 499_997
                assert file.read() == data[-4:]
                assert file.seek(600_000) == 600_000
                assert file.read(1) == b""
                with pytest.raises(ValueError, match="seek"):
                    file.seek(-1)

    def test_real_delivery(self, real_data: Path) -> None:
        path = real_data / "palsar2-real" / "0000022708_001001_ALOS2015976960-140909.zip"
        with list_members(path) as tree, zipfile.ZipFile(path) as other:
            found = contents(tree)
            assert len(found) == 9
            assert found == {name: other.read(name) for name in other.namelist()}


class TestBytesRead:
    """What ``alos2 info`` costs."""

    def test_stored_inner_zip_is_not_read_through(
        self, tmp_path: Path, make_zip, speckle, counted
    ) -> None:
        image = speckle(20_000_000)
        inner = make_zip({"LED-x.1": b"led" * 99, "IMG-x.1": image, "summary.txt": b"s"}, level=1)
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"S.zip": inner}, deflate=False))
        with list_members(path) as tree:
            assert tree.members[0].read_head(1000) == b"led" * 99
            assert tree.members[1].read_head(720) == image[:720]
        assert 0 < counted.total < 700_000

    def test_huge_sparse_nested_zip(self, tmp_path: Path, counted) -> None:
        """Six GB, zip64, in a zip: nothing of it is read but headers and directories."""
        size = 6 * 2**30
        path = tmp_path / "o.zip"
        _sparse_nested_zip(path, size)
        assert path.stat().st_size > size
        with list_members(path) as tree:
            image, summary = tree.members
            assert image.size == size
            assert summary.read_head(5) == b"hello"
            with image.open() as file:
                file.seek(size - 3)
                assert file.read() == bytes(3)
        assert counted.total < 700_000

    def test_deflated_inner_zip_is_read_once(
        self, tmp_path: Path, make_zip, speckle, counted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forward, "KEEP_WHOLE_BYTES", 1_000_000)
        image = speckle(4_000_000)
        files = {"IMG-x.1": image, "LED-x.1": b"led" * 99, "summary.txt": b"s"}
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"S.zip": make_zip(files, level=1)}))
        with list_members(path) as tree:
            image_member, led, summary = tree
            assert led.read_head(1000) == b"led" * 99
            assert summary.read_head(10) == b"s"
            assert image_member.read_head(300_000) == image[:300_000]
            assert counted.total < 1.2 * path.stat().st_size
            # What was not kept can be had all the same.
            with image_member.open() as file:
                assert file.read() == image


def _sparse_nested_zip(path: Path, size: int) -> None:
    """Write a stored zip of one huge stored zip of zeros and a text, as holes on the disk."""

    def entry(name: bytes, count: int, offset: int) -> NewEntry:
        return NewEntry(name, 0, count, offset, zip64=count > 2**32 - 2, packed_size=count)

    image, text = entry(b"IMG-x.1", size, 0), entry(b"summary.txt", 5, 0)
    text.header_offset = len(pack_local(image)) + size
    text_end = text.header_offset + len(pack_local(text)) + 5
    directory = pack_central(image) + pack_central(text)
    tail = pack_local(text) + b"hello" + directory + pack_end(2, len(directory), text_end)
    outer = entry(b"S.zip", text.header_offset + len(tail), 0)
    text.crc32 = 0
    with path.open("wb") as file:
        file.write(pack_local(outer) + pack_local(image))
        file.seek(size, os.SEEK_CUR)
        file.write(tail)
        start = file.tell()
        directory = pack_central(outer)
        file.write(directory + pack_end(1, len(directory), start))


class TestFolder:
    def test_files_folders_and_zips(self, tmp_path: Path, make_zip) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "summary.txt").write_bytes(b"x")
        (tmp_path / "a.zip").write_bytes(make_zip(SCENE))
        (tmp_path / ".download.part").write_bytes(b"x")
        (tmp_path / ".staging").mkdir()
        (tmp_path / ".staging" / "IMG-x.1").write_bytes(b"x")
        with list_members(tmp_path) as tree:
            assert [m.name for m in tree] == [*SCENE, "summary.txt"]
            last = tree.members[-1]
            assert last.local_path == tmp_path / "b" / "summary.txt"
            assert last.folder == str(tmp_path / "b")
            assert tree.skipped == ()

    def test_empty(self, tmp_path: Path) -> None:
        with list_members(tmp_path) as tree:
            assert tree.members == ()

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(NothingFound, match="does not exist"):
            list_members(tmp_path / "nothing")

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
    def test_links(self, tmp_path: Path) -> None:
        data, folder = tmp_path / "data", tmp_path / "folder"
        data.mkdir()
        folder.mkdir()
        (data / "real.txt").write_bytes(b"real")
        (folder / "linked.txt").symlink_to(data / "real.txt")
        (folder / "linked_folder").symlink_to(data)
        (folder / "broken").symlink_to(tmp_path / "gone")
        (folder / "itself").symlink_to("itself")
        (folder / "up").symlink_to(folder)
        os.mkfifo(folder / "pipe")
        with list_members(folder) as tree:
            assert [m.name for m in tree] == ["linked.txt", "real.txt"]
            assert contents(tree)["linked.txt"] == b"real"
            assert len(tree.skipped) == 4
            text = " ".join(tree.skipped)
        for words in (
            "broken is a broken link",
            "itself is a broken link",
            "up is a folder",
            "pipe",
        ):
            assert words in text

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0)
        with pytest.raises(BadProduct, match=r"closed.*cannot be read"):
            list_members(tmp_path)

    def test_unreadable_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "closed").mkdir()
        real = os.scandir

        def scandir(folder):  # type: ignore[no-untyped-def]
            if Path(folder).name == "closed":
                raise PermissionError(13, "Permission denied")
            return real(folder)

        monkeypatch.setattr(os, "scandir", scandir)
        with pytest.raises(BadProduct, match=r"closed cannot be read: Permission denied") as caught:
            list_members(tmp_path)
        assert caught.value.exit_code == 3
        assert "may read" in caught.value.hint

    def test_a_page_that_is_named_zip(self, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(b"<!DOCTYPE html><html>log in</html>")
        with pytest.raises(BadArchive, match=r"a\.zip is not a zip: it is an HTML page"):
            list_members(tmp_path)


class TestForward:
    """Zips that come through a deflate layer, and are not as they should be."""

    @staticmethod
    def listed(tmp_path: Path, make_zip, inner: bytes) -> MemberTree:
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"S.zip": inner}))
        return list_members(path)

    def test_cut(self, tmp_path: Path, make_zip) -> None:
        inner = make_zip(SCENE)
        for size in range(4, len(inner), 97):
            with pytest.raises(BadArchive):
                self.listed(tmp_path, make_zip, inner[:size])

    def test_cut_with_descriptors(self, tmp_path: Path, make_zip) -> None:
        inner = make_zip(SCENE, stream=True)
        for size in range(4, len(inner), 97):
            with pytest.raises(BadArchive):
                self.listed(tmp_path, make_zip, inner[:size])

    def test_descriptor_signatures_inside_of_data(self, tmp_path: Path, make_zip) -> None:
        tricky = (b"PK\x07\x08" + bytes([1] * 12) + b"PK\x03\x04") * 30_000
        files = {"IMG-x.1": tricky, "b.1": b"PK\x07\x08", "c.1": b""}
        inner = make_zip(files, deflate=False, stream=True)
        assert contents(self.listed(tmp_path, make_zip, inner)) == files

    @pytest.mark.parametrize("before", range(262_144 - 30, 262_144 + 3, 3))
    def test_descriptor_across_chunks(self, tmp_path: Path, make_zip, before: int) -> None:
        files = {"IMG-x.1": b"x" * before, "b.1": b"y"}
        inner = make_zip(files, deflate=False, stream=True)
        assert contents(self.listed(tmp_path, make_zip, inner)) == files

    def test_limits_hold(self, tmp_path: Path, make_zip) -> None:
        path = tmp_path / "o.zip"
        path.write_bytes(make_zip({"S.zip": make_zip(dict.fromkeys("abcdef", b"1"))}))
        with pytest.raises(UnsafeArchive, match="entries"):
            list_members(path, limits=Limits(entries=5))
        with pytest.raises(UnsafeArchive, match="directory_bytes"):
            list_members(path, limits=Limits(directory_bytes=100))

    def test_an_entry_that_the_directory_does_not_name(self, tmp_path: Path, make_zip) -> None:
        one, two = make_zip({"a": b"1"}), make_zip({"b": b"2"})
        inner = one[: one.index(b"PK\x01\x02")] + two
        with pytest.raises(BadArchive):
            self.listed(tmp_path, make_zip, inner)

    def test_kept_bytes_are_bounded(
        self, tmp_path: Path, make_zip, speckle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forward, "KEEP_WHOLE_BYTES", 100_000)
        monkeypatch.setattr(forward, "KEEP_HEAD_BYTES", 10_000)
        image = speckle(1_000_000)
        tree = self.listed(tmp_path, make_zip, make_zip({"IMG-x.1": image, "a.1": b"a"}))
        with tree:
            image_member, small = tree.members
            assert len(image_member.kept()) == 10_000  # type: ignore[attr-defined]
            assert image_member.read_head(1000) == image[:1000]
            with image_member.open() as file:
                file.seek(900_000)
                assert file.read(10) == image[900_000:900_010]
            assert small.read_head(9) == b"a"


def test_duplicate_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("IMG-x.1", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            target.writestr("IMG-x.1", b"2")
    with pytest.raises(UnsafeArchive, match="twice"):
        list_members(path)
