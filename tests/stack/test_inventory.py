from __future__ import annotations

import json
import os
import shutil
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from alos2.archive.members import FileMember
from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import NothingFound, UsageError
from alos2.product.recognise import products_from
from alos2.stack.config.read import config_of
from alos2.stack.planning.choosing import choose
from alos2.stack.planning.inventory import take_inventory
from alos2.stack.planning.model import Inventory
from catalogue.embedded.items import write_dataset
from stack.planned import Fleet, planned


def look(tmp_path: Path, **said: Any) -> Inventory:
    search = said.pop("search", {})
    return take_inventory(config_of({"stack": said, "search": search}, "here", tmp_path))


def test_folders(fleet: Fleet, tmp_path: Path) -> None:
    found = look(tmp_path, folders=[str(fleet.folder)])
    assert found.left_out == []
    assert sorted((s.level, s.format) for s in found.scenes) == [
        ("1.1", "ceos"), *[("2.1", "geotiff")] * 5,
    ]  # fmt: skip
    for scene in found.scenes:
        # Its files are there, and are that product.
        members = [FileMember.of(scene.path / name) for name in scene.files]
        (product,) = products_from(members)
        assert (str(product.scene), str(product.product)) == (scene.scene, scene.product)
        assert scene.item is not None
        assert scene.item["id"].endswith("-md")
        assert "created" not in scene.item["properties"]
        assert scene.geometry["type"] == "Polygon"
        assert scene.polarizations == ("HH", "HV")
        assert scene.has_orbit == (scene.level == "1.1")
        assert scene.said("alos2:path") == product.scene.path
    # Data is outlined, not the raster's box: JAXA's scenes stand aslant.
    corners = found.scenes[0].geometry["coordinates"][0]
    assert len({lat for _, lat in corners}) == 4


def test_the_archive_knows_the_same(fleet: Fleet, tmp_path: Path) -> None:
    here = look(tmp_path, folders=[str(fleet.folder)])
    for said in ({"archive": str(fleet.archive)}, {"folders": [str(fleet.archive)]}):
        there = look(tmp_path, **said)
        assert there.left_out == []
        key = [(s.scene, s.product, s.path, s.files, s.fingerprint, s.when) for s in there.scenes]
        assert sorted(key) == sorted(
            (s.scene, s.product, s.path, s.files, s.fingerprint, s.when) for s in here.scenes
        )
        assert all(s.dataset == f"{s.scene}-{s.product}-md" for s in there.scenes)


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({"date": "2019-09-04"}, 3),
        ({"date": "2019-09-05/.."}, 3),
        ({"date": "../2019-09-05"}, 3),
        ({"mode": "FB"}, 6),
        ({"mode": "WBD"}, 0),
        ({"pass": "D"}, 0),
        ({"look": "R", "pol": ["HV"]}, 6),
        ({"pol": ["VV"]}, 0),
        ({"off_nadir": [36.0, 37.0]}, 6),
        ({"off_nadir": [20.0, 30.0]}, 0),
        ({"path": [1]}, 0),
    ],
)
def test_folders_and_archive_are_searched_alike(
    fleet: Fleet, tmp_path: Path, search: dict[str, Any], count: int
) -> None:
    for said in ({"archive": str(fleet.archive)}, {"folders": [str(fleet.folder)]}):
        found = look(tmp_path, search=search, **said)
        assert len(found.scenes) == count
        if "folders" in said:
            assert {one.code for one in found.left_out} <= {"not_asked_for"}
            assert len(found.left_out) == 6 - count


def test_the_area_and_frames_are_searched_for(fleet: Fleet, tmp_path: Path) -> None:
    all_of_them = look(tmp_path, folders=[str(fleet.folder)]).scenes
    north = max({s.frame for s in all_of_them})
    area = [138.0, 35.75, 139.0, 35.8]
    for said in ({"archive": str(fleet.archive)}, {"folders": [str(fleet.folder)]}):
        assert {s.frame for s in look(tmp_path, area=area, **said).scenes} == {north}
        by_frame = look(tmp_path, search={"frame": [north]}, **said).scenes
        assert len(by_frame) == 2


def test_only_an_archive_knows_words(fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only an archive"):
        look(tmp_path, folders=[str(fleet.folder)], search={"text": "flood"})
    assert look(tmp_path, archive=str(fleet.archive), search={"tag": ["flood"]}).scenes == []


def test_places_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="nothing says where"):
        look(tmp_path)
    with pytest.raises(NothingFound, match="there is no folder"):
        look(tmp_path, folders=["none"])
    with pytest.raises(NothingFound, match="there is no archive"):
        look(tmp_path, archive="none")
    (tmp_path / "empty").mkdir()
    assert look(tmp_path, folders=["empty"]).scenes == []
    with pytest.raises(NothingFound, match="has no catalogue"):
        look(tmp_path, archive="empty")


def test_zips_and_damage_beside_them(fleet: Fleet, tmp_path: Path) -> None:
    source = next(path for path in fleet.folder.rglob("*-FBDR1.1__A") if path.is_dir())
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "good.zip", "w") as packed:
        for file in source.iterdir():
            packed.write(file, file.name)
    (folder / "bad.zip").write_bytes((folder / "good.zip").read_bytes()[:5000])
    (folder / "page.zip").write_text("<html>")
    broken = folder / "broken"
    shutil.copytree(source, broken)
    for image in broken.glob("IMG-HV*"):
        image.unlink()
    found = look(tmp_path, folders=["in"])
    (scene,) = found.scenes
    assert scene.path == folder / "good.zip"
    assert scene.files == ()
    assert sorted((one.code, one.path) for one in found.left_out) == [
        ("incomplete", broken),
        ("unreadable", folder / "bad.zip"),
        ("unreadable", folder / "page.zip"),
    ]
    # The zip itself may be named.
    assert look(tmp_path, folders=["in/good.zip"]).scenes[0].scene == scene.scene


def test_a_product_that_lies_in_two_folders_is_used_once(fleet: Fleet, tmp_path: Path) -> None:
    source = next(path for path in fleet.folder.rglob("*-FBDR1.1__A") if path.is_dir())
    for name in ("one", "two/deep"):
        shutil.copytree(source, tmp_path / "in" / name)
    found = look(tmp_path, folders=["in"])
    assert found.left_out == []
    choice = choose(found.scenes, ["1.1"])
    assert [scene.path for scene in choice.scenes] == [tmp_path / "in/one"]
    ((code, path),) = ((one.code, one.path) for one in choice.left_out)
    assert (code, path) == ("same_scene", tmp_path / "in/two/deep")
    assert choice.left_out[0].message.endswith(str(tmp_path / "in/one"))


def test_a_fingerprint_changes_with_a_file(fleet: Fleet, tmp_path: Path) -> None:
    source = next(path for path in fleet.folder.rglob("*-FBDR2.1GUA") if path.is_dir())
    shutil.copytree(source, tmp_path / "in" / source.name)
    (before,) = look(tmp_path, folders=["in"]).scenes
    assert look(tmp_path, folders=["in"]).scenes[0].fingerprint == before.fingerprint
    image = next((tmp_path / "in").rglob("IMG-HH*"))
    os.utime(image, ns=(1, 1))
    assert look(tmp_path, folders=["in"]).scenes[0].fingerprint != before.fingerprint


def test_leaders(fleet: Fleet, tmp_path: Path) -> None:
    tif = next(p for p in fleet.folder.rglob("*-FBDR2.1GUA") if "2019-09-04-False" in str(p))
    leader = next(fleet.folder.rglob("LED-*1.1__A"))
    name = tif.name.partition("-FBD")[0]
    assert name in leader.name
    (bare,) = look(tmp_path, folders=[str(tif)]).scenes
    (led,) = look(tmp_path, folders=[str(tif)], leaders={name: str(leader)}).scenes
    assert (bare.leader, led.leader) == (None, leader)
    assert led.has_orbit
    assert led.said("sat:orbit_state_vectors")
    assert led.fingerprint != bare.fingerprint
    with pytest.raises(UsageError, match="there is no"):
        look(tmp_path, folders=[str(tif)], leaders={name: "none"})
    with pytest.raises(UsageError, match="not an ALOS-2 scene"):
        look(tmp_path, folders=[str(tif)], leaders={"scene": str(leader)})
    # A leader of another scene: this scene cannot be used, and it is said why.
    other = next(p for p in fleet.folder.rglob("*-FBDR2.1GUA") if "2019-09-18" in str(p))
    wrong = {other.name.partition("-FBD")[0]: str(leader)}
    with pytest.raises(UsageError, match="is of scene"):
        look(tmp_path, folders=[str(other)], leaders=wrong)


def catalogue(archive: Path) -> None:
    EmbeddedCatalogue.open(archive).close()


def test_datasets_whose_files_are_gone(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    here = planned(0).item
    moved = planned(1).item
    packed = planned(2).item
    lost = planned(3).item
    assert None not in (here, moved, packed, lost)
    file = tmp_path / "data" / "IMG-HH-x"
    file.parent.mkdir()
    file.write_bytes(b"12345")
    files = [{"name": "IMG-HH-x", "size": 5, "sha256": None}]
    here["properties"] |= {"alos2:stays_at": [str(file)], "alos2:files": files}
    moved["properties"] |= {"alos2:stays_at": ["/nowhere/IMG"], "alos2:files": files}
    lost["properties"] |= {
        "alos2:stays_at": [str(file)], "alos2:files": [{**files[0], "size": 6}],
    }  # fmt: skip
    packed["properties"] |= {"alos2:archive": "p.zip", "alos2:files": files}
    for item in (here, moved, packed, lost):
        write_dataset(archive, item)
    catalogue(archive)
    found = look(tmp_path, archive=str(archive))
    (scene,) = found.scenes
    assert (scene.path, scene.files) == (file.parent, ("IMG-HH-x",))
    assert {one.what: one.message for one in found.left_out}.keys() == {
        moved["id"], packed["id"], lost["id"],
    }  # fmt: skip
    assert {one.code for one in found.left_out} == {"gone"}
    assert any("has 5 bytes and not the 6" in one.message for one in found.left_out)
    (archive / packed["id"] / "p.zip").write_bytes(b"PK")
    again = look(tmp_path, archive=str(archive)).scenes
    assert [s.path.name for s in again] == ["data", "p.zip"]
    assert again[1].when == datetime(2020, 7, 13, 3, 0, tzinfo=timezone.utc)


def test_other_datasets_of_an_archive_are_passed_by(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    item = planned(0).item
    assert item
    item = json.loads(json.dumps({**item, "id": "ALOS2-STACK-P126"}))
    del item["properties"]["alos2:scene"]
    write_dataset(archive, item)
    catalogue(archive)
    found = look(tmp_path, archive=str(archive))
    assert (found.scenes, found.left_out) == ([], [])
