"""The main product is packed once, or taken as it is."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.archive.unpack import InnerArchive, unpack
from alos2.dataset import package
from alos2.dataset.package import package_product
from alos2.errors import BadProduct, NoSpace
from alos2.product.model import Product

Maker = Callable[[str], Product]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def zip_of(product: Product, path: Path, prefix: str = "", *, more: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in product.files:
            assert file.path is not None
            archive.write(file.path, prefix + file.name)
        if more:
            archive.writestr(more, "further")
    return path


def unpacked_like(
    product: Product, tmp_path: Path, prefix: str = "", more: str = ""
) -> tuple[Product, InnerArchive]:
    """Pack, unpack as the pipeline does, and let the product lie where it was unpacked."""
    archive = zip_of(product, tmp_path / "delivered.zip", prefix, more=more)
    unpacked = unpack(archive, tmp_path / "unpacked")
    names = tuple(f.path.relative_to(unpacked.folder).as_posix() for f in unpacked.files)
    folder = unpacked.folder / prefix
    moved = replace(
        product,
        files=tuple(
            replace(f, member=replace(f.member, local_path=folder / f.name))  # type: ignore[type-var]
            for f in product.files
        ),
    )
    ready = InnerArchive(archive, unpacked.folder, names, archive.stat().st_size, sha256(archive))
    return moved, ready


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


def test_files_are_packed_under_their_own_names(product_of: Maker, staging: Path) -> None:
    product = product_of("slc")
    packed = package_product(product, staging)
    path = staging / "ALOS2043672900-150315-FBDR1.1__A.zip"
    assert packed.name == path.name
    assert packed.repacked
    assert packed.size_bytes == path.stat().st_size
    assert packed.sha256 == sha256(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(file.name for file in product.files)


def test_packing_twice_gives_the_same_bytes(product_of: Maker, staging: Path) -> None:
    first = package_product(product_of("geotiff"), staging)
    (staging / first.name).unlink()
    assert package_product(product_of("geotiff"), staging) == first


@pytest.mark.parametrize("prefix", ["", "0000527273/"])
def test_a_zip_of_exactly_this_is_taken_as_it_is(
    prefix: str, product_of: Maker, staging: Path, tmp_path: Path
) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path, prefix)
    packed = package_product(product, staging, ready=[ready], owned=tmp_path)
    assert not packed.repacked
    assert packed.sha256 == ready.sha256
    target = staging / packed.name
    assert target.samefile(ready.path)  # linked, not copied


def test_a_zip_that_is_not_ours_is_copied(product_of: Maker, staging: Path, tmp_path: Path) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path)
    packed = package_product(product, staging, ready=[ready])
    target = staging / packed.name
    assert not target.samefile(ready.path)
    assert sha256(target) == ready.sha256 == packed.sha256


def test_copied_where_there_are_no_links(
    product_of: Maker, staging: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path)

    def none(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", none)
    packed = package_product(product, staging, ready=[ready], owned=tmp_path)
    assert sha256(staging / packed.name) == ready.sha256


def test_a_zip_with_more_in_it_is_not_taken(
    product_of: Maker, staging: Path, tmp_path: Path
) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path, more="readme.txt")
    packed = package_product(product, staging, ready=[ready], owned=tmp_path)
    assert packed.repacked
    with zipfile.ZipFile(staging / packed.name) as archive:
        assert "readme.txt" not in archive.namelist()


def test_a_zip_with_less_in_it_is_not_taken(
    product_of: Maker, staging: Path, tmp_path: Path
) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path)
    less = replace(ready, members=ready.members[1:])
    assert package_product(product, staging, ready=[less], owned=tmp_path).repacked


def test_files_still_in_an_archive_are_named(product_of: Maker, staging: Path) -> None:
    product = product_of("slc")

    class Inside:
        local_path = None
        path = "outer.zip!IMG"

    inside = replace(product.files[0], member=Inside())  # type: ignore[arg-type]
    with pytest.raises(BadProduct, match=r"outer\.zip!IMG"):
        package_product(replace(product, files=(inside, *product.files[1:])), staging)


def test_no_space_for_the_copy(
    product_of: Maker, staging: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, ready = unpacked_like(product_of("slc"), tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(package.shutil, "copyfile", full)
    with pytest.raises(NoSpace):
        package_product(product, staging, ready=[ready])
