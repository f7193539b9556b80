"""A dataset is there whole or not at all, whatever happens."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.dataset import write
from alos2.dataset.content import Content, PackedProduct
from alos2.dataset.documents import Documents, make_documents
from alos2.dataset.exchange import exchange
from alos2.dataset.locks import FileLock
from alos2.dataset.write import DatasetWriter
from alos2.errors import BadDocument, DatasetDiffers, NoResource, NoSpace
from alos2.product.model import Product, ProductFile

Maker = Callable[[str], Content]
posix = pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")


def fill(staging: Path, content: Content) -> Documents:
    """Put into `staging` what the pipeline would: pictures and zip."""
    for path in content.pictures.files:
        shutil.copy(path, staging / path.name)
    name = f"{content.kind.id}.zip"
    (staging / name).write_bytes(b"the zip")
    packed = PackedProduct(name, 7, "ef" * 32)
    return make_documents(replace(content, archive=packed))


def write_once(out: Path, content: Content, *, force: bool = False) -> DatasetWriter:
    with DatasetWriter(out, content.product, force=force) as writer:
        if not writer.unchanged:
            writer.commit(fill(writer.staging, content))
    return writer


def snapshot(out: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        path.relative_to(out).as_posix(): (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in out.rglob("*")
        if path.is_file()
    }


def reprocessed(product: Product) -> Product:
    """The same names and sizes, other bytes and another spacing."""
    first: ProductFile = replace(product.files[0], sha256="00" * 32)
    return replace(product, files=(first, *product.files[1:]), pixel_spacing_m=12.5)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert hidden == []  # no test may leave a trace


def test_a_dataset_is_there_whole(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    writer = write_once(out, content)
    name = content.kind.id
    assert writer.status == "new"
    assert writer.folder == out / name
    assert {path.name for path in writer.folder.iterdir()} == {
        f"{name}.dataset.json",
        f"{name}.met.json",
        f"{name}.stac.json",
        f"{name}.zip",
        *(path.name for path in content.pictures.files),
    }
    json.loads((writer.folder / f"{name}.dataset.json").read_text())


def test_again_changes_nothing(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    write_once(out, content)
    before = snapshot(out)
    writer = write_once(out, content)
    assert writer.unchanged
    assert writer.status == "unchanged"
    assert snapshot(out) == before
    assert writer.footprint is not None
    assert writer.footprint.geometry == content.footprint.chosen.geometry
    with pytest.raises(RuntimeError):
        _ = writer.staging


def test_same_product_same_bytes(tmp_path: Path, content_of: Maker) -> None:
    content = content_of("geotiff")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_once(tmp_path / name, content)
    one, other = (
        {name: data for name, (_, _, data) in snapshot(tmp_path / folder).items()}
        for folder in ("a", "b")
    )
    assert one == other


def test_another_product_of_the_same_id_is_refused_with_what_differs(
    out: Path, content_of: Maker
) -> None:
    content = content_of("slc")
    write_once(out, content)
    before = snapshot(out)
    other = replace(content, product=reprocessed(content.product))
    with pytest.raises(DatasetDiffers) as caught:
        write_once(out, other)
    assert "pixel spacing m is 4.29126672 there and 12.5 here" in str(caught.value)
    assert f"{content.product.files[0].name} has other content" in str(caught.value)
    assert "--force" in caught.value.hint
    assert caught.value.exit_code == 3
    assert snapshot(out) == before


def test_missing_and_further_files_are_named(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    write_once(out, content)
    fewer = replace(content.product, files=content.product.files[1:])
    with pytest.raises(DatasetDiffers, match=r"IMG-HH-.* is there and not here"):
        write_once(out, replace(content, product=fewer))


def test_force_replaces(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    write_once(out, content)
    other = replace(content, product=reprocessed(content.product))
    writer = write_once(out, other, force=True)
    assert writer.status == "replaced"
    assert write_once(out, other).unchanged


def test_force_without_a_system_that_swaps(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "exchange", lambda one, other: False)
    content = content_of("slc")
    write_once(out, content)
    other = replace(content, product=reprocessed(content.product))
    assert write_once(out, other, force=True).status == "replaced"
    assert write_once(out, other).unchanged


def test_the_old_one_comes_back_if_the_new_cannot_take_its_place(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of("slc")
    write_once(out, content)
    before = snapshot(out)
    monkeypatch.setattr(write, "exchange", lambda one, other: False)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise OSError(errno.EIO, "broken disk")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(NoResource, match="broken disk"):
        write_once(out, content, force=True)
    monkeypatch.undo()
    assert snapshot(out) == before


@pytest.mark.parametrize("missing", ["dataset.json", "met.json", "stac.json"])
def test_half_a_dataset_is_refused_and_forced(missing: str, out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    folder = write_once(out, content).folder
    (folder / f"{content.kind.id}.{missing}").unlink()
    with pytest.raises(DatasetDiffers, match=f"not a whole dataset.*{missing}"):
        write_once(out, content)
    assert write_once(out, content, force=True).status == "replaced"


def test_a_dataset_that_lost_its_zip_is_no_whole_one(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    folder = write_once(out, content).folder
    archive = folder / f"{content.kind.id}.zip"
    archive.write_bytes(b"cut")
    with pytest.raises(DatasetDiffers, match="3 bytes, not 7"):
        write_once(out, content)
    archive.unlink()
    with pytest.raises(DatasetDiffers, match="is missing"):
        write_once(out, content)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "3",
        "\x00",
        '{"properties": {}}',
        '{"properties": {"alos2:files": []}, "assets": {"a": 3}}',
        '{"properties": {"alos2:files": [3], "alos2:processing": {}}, "assets": {}}',
        '{"properties": {"alos2:files": [], "alos2:processing": null}, "assets": {}}',
    ],
)
def test_an_unreadable_item_is_half_a_dataset(text: str, out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    folder = write_once(out, content).folder
    (folder / f"{content.kind.id}.stac.json").write_text(text)
    with pytest.raises(DatasetDiffers, match="cannot be read"):
        write_once(out, content)


@pytest.mark.parametrize("force", [False, True])
def test_a_file_in_the_way_stays(force: bool, out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    (out / content.kind.id).write_text("mine")
    with pytest.raises(DatasetDiffers, match="in the way"):
        write_once(out, content, force=force)
    assert (out / content.kind.id).read_text() == "mine"


@posix
def test_a_link_is_not_replaced(out: Path, tmp_path: Path, content_of: Maker) -> None:
    content = content_of("slc")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_once(elsewhere, content)
    (out / content.kind.id).symlink_to(elsewhere / content.kind.id)
    assert write_once(out, content).unchanged
    with pytest.raises(DatasetDiffers, match="is a link"):
        write_once(out, content, force=True)


def test_a_second_writer_is_refused(out: Path, content_of: Maker) -> None:
    content = content_of("slc")
    with DatasetWriter(out, content.product) as first:
        with pytest.raises(NoResource, match="another run"):
            write_once(out, content)
        first.commit(fill(first.staging, content))
    assert write_once(out, content).unchanged


def test_another_dataset_may_be_written_meanwhile(out: Path, content_of: Maker) -> None:
    with DatasetWriter(out, content_of("slc").product):
        assert write_once(out, content_of("scansar")).status == "new"


def test_locks_wait_for_nobody_and_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    for _ in range(3):
        with FileLock(path, "it is written"):
            assert path.exists()
            with pytest.raises(NoResource), FileLock(path, "it is written"):
                pass
        assert not path.exists()


def test_a_lock_is_waited_for_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    first = FileLock(path, "it is written")
    first.__enter__()
    assert not first.found
    threading.Timer(0.2, first.__exit__, (None, None, None)).start()
    with FileLock(path, "it is written", patience_s=20) as second:
        assert not second.found  # its holder has taken it away
        with pytest.raises(NoResource), FileLock(path, "it is written", patience_s=0.1):
            pass
    assert not path.exists()
    path.touch()  # as a killed holder leaves it
    with FileLock(path, "it is written") as third:
        assert third.found
    assert not path.exists()


def test_other_datasets_are_not_looked_through(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: Path, prefix: str) -> None:
        raise AssertionError(f"{folder} is listed for {prefix}")

    content = content_of("slc")
    with monkeypatch.context() as patched:
        patched.setattr(write, "hidden_siblings", refused)
        assert write_once(out, content).status == "new"
        assert write_once(out, content).unchanged


def test_what_could_not_be_taken_away_is_for_the_next_run(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(folder: Path) -> None:
        raise OSError(16, "Device or resource busy")

    content = content_of("slc")
    with monkeypatch.context() as patched:
        patched.setattr(write.shutil, "rmtree", busy)
        with DatasetWriter(out, content.product) as writer:
            left = writer.staging
    assert left.is_dir()
    assert write_once(out, content).status == "new"
    assert [path.name for path in out.iterdir()] == [content.kind.id]


def test_leaving_without_commit_leaves_nothing(out: Path, content_of: Maker) -> None:
    content = content_of("slc")

    def interrupted() -> None:
        with DatasetWriter(out, content.product) as writer:
            fill(writer.staging, content)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(out.iterdir()) == []


def test_documents_of_another_dataset_do_not_go_in(out: Path, content_of: Maker) -> None:
    other = make_documents(content_of("scansar"))
    with DatasetWriter(out, content_of("slc").product) as writer, pytest.raises(BadDocument):
        writer.commit(other)
    assert list(out.iterdir()) == []


def test_a_full_disk_leaves_nothing(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of("slc")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        write_once(out, content)
    assert list(out.iterdir()) == []


def test_a_full_disk_keeps_the_old_one(
    out: Path, content_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of("slc")
    write_once(out, content)
    before = snapshot(out)
    monkeypatch.setattr(
        Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    with DatasetWriter(out, content.product, force=True) as writer, pytest.raises(NoSpace):
        writer.commit(Documents(content.kind.id, {}, {"a.json": b"{}"}))
    monkeypatch.undo()
    assert snapshot(out) == before


def test_a_folder_that_is_not_there(tmp_path: Path, content_of: Maker) -> None:
    with pytest.raises(NoResource, match="cannot be made"):
        write_once(tmp_path / "nowhere", content_of("slc"))


def test_exchange_swaps_or_does_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if exchange(tmp_path / "a", tmp_path / "b"):
        assert (tmp_path / "a" / "b").exists()
        assert (tmp_path / "b" / "a").exists()
    else:
        assert (tmp_path / "a" / "a").exists()
    assert not exchange(tmp_path / "a", tmp_path / "none")
    assert (tmp_path / "a").is_dir()


CHILD = """
    import os, pickle, signal, sys
    from pathlib import Path
    from alos2.dataset import write
    from alos2.dataset.write import DatasetWriter

    out, pickled, where, force = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "1"
    product, documents = pickle.loads(Path(pickled).read_bytes())

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def stop_before(owner, name, when=lambda *a: True):
        original = getattr(owner, name)
        def wrapped(*args, **more):
            if when(*args):
                die()
            return original(*args, **more)
        setattr(owner, name, wrapped)

    if where == "staging":
        pass
    elif where == "sync":
        stop_before(write, "sync_tree")
    elif where == "rename":
        write.exchange = lambda *_: False
        stop_before(Path, "rename", lambda self, target: ".new-" in self.name)
    elif where == "after":
        stop_before(write, "_remove")
    with DatasetWriter(out, product, force=force) as writer:
        (writer.staging / "half.bin").write_bytes(b"x" * 100000)
        if where == "staging":
            die()
        writer.commit(documents)
"""


@posix
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("where", ["staging", "sync", "rename", "after"])
def test_kill_9_leaves_the_old_or_the_new_and_the_next_run_cleans_up(
    where: str, there: bool, out: Path, tmp_path: Path, content_of: Maker
) -> None:
    content = content_of("slc")
    product = replace(content.product, orbit=None)
    content = replace(content, product=product)
    name = content.kind.id
    if there:
        write_once(out, content)
    new = replace(content, product=reprocessed(product))
    documents = make_documents(replace(new, archive=None, pictures=type(new.pictures)()))
    pickled = tmp_path / "in.pickle"
    pickled.write_bytes(pickle.dumps((new.product, documents)))
    arguments = [str(out), str(pickled), where, str(int(there))]
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    killed = ran.returncode == -signal.SIGKILL
    assert killed or (where == "after" and not there), ran.stderr
    visible = [path for path in out.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in visible] in ([], [name])
    if visible:  # whole: its three documents, of one product
        assert len(list(visible[0].glob("*.json"))) == 3
    # The next run finds the old one, the new one or nothing, and no trace of the killed one.
    before = new if where == "after" else content
    if where == "after":
        with DatasetWriter(out, new.product) as writer:
            assert writer.unchanged
    else:
        writer = write_once(out, before)
        assert writer.status == ("unchanged" if there else "new")
