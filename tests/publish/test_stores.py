"""What holds for every store: whole or not at all, once, never over something else."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import BadProduct, DatasetDiffers, Interrupted, PublishFailed, UsageError
from alos2.publish import engine
from alos2.publish.engine import publish
from alos2.publish.model import Published
from publish.options import MEBIBYTE
from publish.places import ID, Place, contents, make_dataset


def stamp(folder: Path) -> dict[str, tuple[int, int]]:
    """What would change if anything in a folder were written."""
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.stat().st_size)
        for p in [folder, *folder.rglob("*")]
    }


def test_a_dataset_is_published_whole_and_stays_as_it_is(place: Place, dataset: Path) -> None:
    before = stamp(dataset)
    done = publish(dataset, place.target, place.options)
    assert done.status == "new"
    assert place.read() == contents(dataset)
    assert len(contents(dataset)) == done.files == 13
    assert done.size_bytes == sum(map(len, contents(dataset).values()))
    assert place.leftovers() == []
    assert stamp(dataset) == before
    assert sorted(p.name for p in dataset.parent.iterdir()) == [ID], "nothing beside it either"


def test_the_same_again_changes_nothing(place: Place, dataset: Path, again: Path) -> None:
    publish(dataset, place.target, place.options)
    first = place.read()
    assert publish(dataset, place.target, place.options).status == "unchanged"
    # The same product, ingested at another time: its documents differ in that time alone.
    assert publish(again, place.target, place.options).status == "unchanged"
    assert publish(dataset, place.target, place.forced()).status == "unchanged"
    assert place.read() == first
    assert place.leftovers() == []


def test_another_dataset_of_this_id_is_refused_and_replaced_by_force(
    place: Place, dataset: Path, other: Path
) -> None:
    publish(dataset, place.target, place.options)
    first = place.read()
    with pytest.raises(DatasetDiffers, match=r"extra.txt is here and not there") as caught:
        publish(other, place.target, place.options)
    assert "--force" in str(caught.value)
    assert place.read() == first
    assert publish(other, place.target, place.forced()).status == "replaced"
    assert place.read() == contents(other)
    assert place.leftovers() == []


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("tiles/HH/0/0/0.png", b"tile 9 product", "other content"),
        ("tiles/HH/0/0/0.png", b"x", "1 bytes there and 14 here"),
        ("tiles/HH/9/9/9.png", b"more", "is there and not here"),
        (f"{ID}.met.json", b"{}", "says something else"),
        (f"{ID}.zip", b"prodUct", "other content"),
    ],
)
def test_any_difference_is_found(
    place: Place, dataset: Path, name: str, data: bytes, sentence: str
) -> None:
    publish(dataset, place.target, place.options)
    place.write(name, data)
    with pytest.raises(DatasetDiffers, match=sentence):
        publish(dataset, place.target, place.options)
    assert place.read()[name] == data, "what is there stays"


def test_what_hysds_adds_when_it_publishes_is_no_difference(place: Place, dataset: Path) -> None:
    publish(dataset, place.target, place.options)
    place.write("_publish.context.json", b'{"payload_id": 1}')
    place.write(f"{ID}.context.json", b"{}")
    assert publish(dataset, place.target, place.options).status == "unchanged"


def test_a_part_of_a_dataset_without_a_marker_is_refused(place: Place, dataset: Path) -> None:
    place.write(f"{ID}.zip", b"product")
    with pytest.raises(DatasetDiffers, match="is here and not there"):
        publish(dataset, place.target, place.options)
    assert place.read() == {f"{ID}.zip": b"product"}
    assert publish(dataset, place.target, place.forced()).status == "replaced"
    assert place.read() == contents(dataset)


def test_neighbours_whose_names_begin_alike_are_left_alone(place: Place, tmp_path: Path) -> None:
    plain = make_dataset(tmp_path / "a")
    suffixed = make_dataset(tmp_path / "b", dataset_id=f"{ID}-ceos", content=b"ceos")
    publish(suffixed, place.target, place.options)
    publish(plain, place.target, place.options)
    changed = make_dataset(tmp_path / "c", content=b"changed")
    publish(changed, place.target, place.forced())
    assert place.read(f"{ID}-ceos") == contents(suffixed)
    assert place.read() == contents(changed)


def test_large_files_arrive_whole(place: Place, tmp_path: Path) -> None:
    large = make_dataset(tmp_path / "mine", large=12 * MEBIBYTE + 64)
    seen: list[tuple[str, int, int | None]] = []
    options = replace(place.options, progress=lambda *told: seen.append(told))
    assert publish(large, place.target, options).status == "new"
    assert place.read() == contents(large)
    total = sum(map(len, contents(large).values()))
    assert ("hash", total, total) in seen
    assert ("publish", total, total) in seen
    assert publish(large, place.target, options).status == "unchanged"
    everything = replace(options, verify_all=True, force=True)
    smaller = make_dataset(tmp_path / "smaller", large=6 * MEBIBYTE)
    assert publish(smaller, place.target, everything).status == "replaced"
    assert place.read() == contents(smaller)
    assert place.leftovers() == []


def test_several_publishers_at_once_publish_once(
    place: Place, dataset: Path, again: Path, tmp_path: Path
) -> None:
    third = make_dataset(tmp_path / "third")
    folders = [dataset, again, third, dataset]
    with ThreadPoolExecutor(len(folders)) as pool:
        runs = [pool.submit(publish, f, place.target, place.options) for f in folders]
        statuses = sorted(run.result().status for run in runs)
    assert statuses == ["new", "unchanged", "unchanged", "unchanged"]
    assert place.read() in (contents(dataset), contents(again))
    assert place.leftovers() == []


def test_of_several_different_ones_exactly_one_wins(
    place: Place, dataset: Path, other: Path
) -> None:
    def run(folder: Path) -> str:
        try:
            return publish(folder, place.target, place.options).status
        except DatasetDiffers:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(run, [dataset, other]))
    assert results == ["new", "refused"]
    assert place.read() in (contents(dataset), contents(other))
    assert place.leftovers() == []


class _Stop:
    """Ask to stop once so many bytes have been sent."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.seen = False

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self.seen = self.seen or (stage == "publish" and done >= self.after)

    def cancelled(self) -> bool:
        return self.seen


@pytest.mark.parametrize("is_there", [False, True])
def test_who_stops_leaves_what_was_there(
    place: Place, dataset: Path, other: Path, *, is_there: bool
) -> None:
    if is_there:
        publish(dataset, place.target, place.options)
    before = place.read()
    stop = _Stop(1)
    options = replace(place.forced(), at_once=1, progress=stop.progress, cancelled=stop.cancelled)
    with pytest.raises(Interrupted):
        publish(other, place.target, options)
    assert place.read() == before
    assert place.leftovers() == []
    assert publish(other, place.target, place.forced()).status in ("new", "replaced")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_failure_after_everything_is_in_its_place_is_undone_too(
    place: Place, dataset: Path, other: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    """As when the small pictures' place fails after the dataset has come to its own."""
    if is_there:
        publish(dataset, place.target, place.options)
    before = place.read()

    class Failing:
        status = "new"

        def __enter__(self) -> Failing:
            return self

        def __exit__(self, *found: object) -> None: ...

        def stage(self) -> None: ...

        def commit(self) -> None:
            raise PublishFailed("no")

        def finish(self) -> None: ...

    class FailingStore:
        part_bytes = None

        def begin(self, *_: Any) -> Failing:
            return Failing()

    places = engine._places

    def with_one_more(package: Any, store: Any, *rest: Any) -> Any:
        return [*places(package, store, *rest), (FailingStore(), (), None)]

    monkeypatch.setattr(engine, "_places", with_one_more)
    with pytest.raises(PublishFailed, match="no"):
        publish(other, place.target, place.forced())
    assert place.read() == before
    assert place.leftovers() == []


def test_a_file_that_changes_meanwhile_is_never_published(place: Place, tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "mine", tiles=3)
    victim = folder / "tiles/HH/0/0/0.png"

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "hash" and done == total:
            victim.write_bytes(b"TILE 0 product")

    with pytest.raises(PublishFailed):
        publish(folder, place.target, replace(place.options, progress=progress))
    assert place.read() == {}
    assert place.leftovers() == []


def test_a_damaged_dataset_is_not_published(place: Place, dataset: Path) -> None:
    (dataset / f"{ID}.zip").write_bytes(b"prodUct")
    with pytest.raises(BadProduct, match="is damaged"):
        publish(dataset, place.target, place.options)
    (dataset / f"{ID}.zip").unlink()
    with pytest.raises(BadProduct, match=r"\.zip is missing"):
        publish(dataset, place.target, place.options)
    assert place.read() == {}


def test_what_is_no_dataset_is_refused(place: Place, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        publish(tmp_path / "nothing", place.target, place.options)
    (dataset / "link").symlink_to(dataset / f"{ID}.zip")
    with pytest.raises(BadProduct, match="is a link"):
        publish(dataset, place.target, place.options)
    (dataset / "link").unlink()
    renamed = dataset.rename(dataset.with_name("renamed"))
    with pytest.raises(UsageError, match=r"it has no renamed\.stac\.json"):
        publish(renamed, place.target, place.options)
    foreign = make_dataset(tmp_path / "x", dataset_id="S1A_IW_SLC")
    with pytest.raises(PublishFailed, match=r"no rule of .* fits S1A_IW_SLC"):
        publish(foreign, place.target, place.options)


def test_names_with_odd_letters_arrive(place: Place, dataset: Path) -> None:
    for name in ("a b+c%20#x.txt", "ä/ö?&=.txt", "tiles/HH/näme.json"):
        (dataset / name).parent.mkdir(exist_ok=True)
        (dataset / name).write_bytes(name.encode())
    assert publish(dataset, place.target, place.options).status == "new"
    assert place.read() == contents(dataset)
    assert publish(dataset, place.target, place.options).status == "unchanged"


class _Catalogue:
    def __init__(self, *, fails: bool = False) -> None:
        self.documents: list[dict[str, Any]] = []
        self.fails = fails

    def ingest(self, document: dict[str, Any]) -> None:
        if self.fails:
            raise PublishFailed("the catalogue is away")
        self.documents.append(document)


def _document(published: Published) -> dict[str, Any]:
    return {"id": published.id, "urls": published.placement.publish.urls}


def test_a_catalogue_is_told_each_time_and_its_failure_takes_nothing_away(
    place: Place, dataset: Path
) -> None:
    with pytest.raises(PublishFailed, match="is away"):
        publish(
            dataset,
            place.target,
            place.options,
            catalogue=_Catalogue(fails=True),
            document=_document,
        )
    assert place.read() == contents(dataset)
    good = _Catalogue()
    done = publish(dataset, place.target, place.options, catalogue=good, document=_document)
    assert done.status == "unchanged"
    assert [document["id"] for document in good.documents] == [ID]
    (url,) = good.documents[0]["urls"]
    assert url.endswith(f"/{ID}")


def test_a_dataset_can_be_published_from_a_folder_that_cannot_be_written(
    place: Place, dataset: Path
) -> None:
    if os.geteuid() == 0:
        before = stamp(dataset.parent)
        publish(dataset, place.target, place.options)
        assert stamp(dataset.parent) == before
        return
    dataset.chmod(0o555)
    assert publish(dataset, place.target, place.options).status == "new"
