"""Datasets of scenes whose files are gone: told of, and removed on request only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.locks import FileLock
from alos2.errors import PublishFailed, UsageError
from alos2.scan.report import without_files
from alos2.scan.state import reading
from alos2.scan.telling import json_lines, lines_of
from alos2.types import Json
from scan.flowing import Place


class Grq:
    """Stands in for HySDS's catalogue."""

    def __init__(self) -> None:
        self.down = True
        self.asked: list[tuple[str, Path]] = []

    def forget(self, name: str, folder: Path, is_ours: Callable[[Json], bool]) -> str:
        assert folder.is_dir()  # else nobody could go on after a failure
        if self.down:
            raise PublishFailed("no answer")
        self.asked.append((name, folder))
        item = json.loads((folder / f"{name}.met.json").read_bytes())
        assert is_ours({"metadata": item})
        files = item["gekko_archive_files"]
        assert not is_ours({"metadata": {"gekko_archive_files": [*files, "/another/file"]}})
        assert not is_ours({"metadata": {"gekko_archive_files": []}})
        assert not is_ours({"metadata": {}})
        return "removed"


def told(place: Place, kind: str) -> list[str]:
    return sorted(line["dataset_id"] for line in place.told if line["kind"] == kind)


def datasets(place: Place) -> set[str]:
    """Return all that is in the archive but what is hidden for good."""
    hidden = {".alos2-scan", ".alos2-catalogue"}
    return {path.name for path in place.out.iterdir()} - hidden


def all_are_there(place: Place) -> bool:
    ids = [place.id(number) for number in range(4)]
    return datasets(place) == set(ids) == set(place.entered())


def test_what_is_gone_is_told_and_removed_on_request(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, moved = place.put(0, "P0"), place.put(1, "P1")
    many = place.put(2, "many")
    shutil.copytree(place.scenes[3], many, dirs_exist_ok=True)
    assert place.counts(place.scan()) == {"done": 4}
    shutil.rmtree(gone)
    moved.rename(place.root / "P9")
    for path in many.iterdir():
        if place.scenes[2].name in path.name:
            path.unlink()
    leave = sorted((place.id(0), place.id(2)))

    # By itself nothing is removed; how many there are is told, and the flag.
    assert place.counts(place.scan())["done"] == 2
    assert all_are_there(place)
    with reading(place.state) as state:
        assert without_files(state) == 2
        text = "\n".join(lines_of(state, None, [], patience_s=1))
        *_, status = json_lines(state, [], None)
    assert "files are gone: 2\n" in text
    assert "--forget-gone" in text
    assert status["without_files"] == 2

    report = place.dry(forget_gone=True)
    assert (told(place, "would forget"), report.forgotten) == (leave, 2)
    with pytest.raises(UsageError, match="by a walk"):
        place.scan(roots=(), forget_gone=True)

    # One root in doubt is enough.
    empty = place.folder / "not mounted"
    empty.mkdir()
    report = place.scan(roots=(place.root, empty), forget_gone=True)
    assert report.troubles[0][0] == str(empty)
    assert "Nothing is forgotten" in report.troubles[0][1]
    # Nor what lies elsewhere than what was walked.
    place.scan(roots=(many,), forget_gone=True)
    assert (told(place, "forgotten"), all_are_there(place)) == ([place.id(2)], False)

    # Somebody writes it; or it names files that are elsewhere.
    with FileLock(place.out / f".{place.id(0)}.lock", "mine"):
        place.scan(forget_gone=True)
    assert told(place, "not forgotten") == [place.id(0)]
    document = place.out / place.id(0) / f"{place.id(0)}.stac.json"
    text = document.read_text()
    document.write_text(text.replace(f"{gone}/LED", f"{gone}2/LED"))
    assert document.read_text() != text
    place.scan(forget_gone=True)
    assert told(place, "not forgotten") == [place.id(0)]
    document.write_text(text)

    # GRQ comes first: while it does not answer nothing is removed.
    grq = Grq()
    monkeypatch.setattr("alos2.scan.grqside.grq_filing", lambda where: grq)
    options: dict[str, Any] = {"forget_gone": True, "job_options": lambda: {"grq": {"url": "x"}}}
    with pytest.raises(PublishFailed):
        place.scan(**options)
    assert datasets(place) == {place.id(number) for number in (0, 1, 3)}
    grq.down = False
    report = place.scan(**options)
    assert (told(place, "forgotten"), report.forgotten) == ([place.id(0)], 1)
    assert grq.asked == [(place.id(0), place.out / place.id(0))]
    assert place.counts(report) == {"done": 2, "gone": 1}  # its former place, of the one that moved
    assert datasets(place) == set(place.entered()) == {place.id(1), place.id(3)}
    assert sorted(path.name for path in (place.root / "P9").iterdir()) == sorted(
        path.name for path in place.scenes[1].iterdir()
    )

    # A scene that comes back is new.
    place.put(0, "P0")
    assert place.dry().submitted == 1


def test_a_killed_removal_is_finished_by_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = place.put(0, "P0")
    place.put(1, "P1")
    place.scan()
    shutil.rmtree(gone)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    # The dataset was set aside and is not removed yet; neither catalogue nor state know.
    with monkeypatch.context() as patch:
        patch.setattr("alos2.scan.forgetting.shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            place.scan(forget_gone=True)
    (left,) = datasets(place) - {place.id(1)}
    assert left.startswith(f".{place.id(0)}.")
    (place.out / f".{place.id(0)}.lock").touch()  # which a killed process leaves
    report = place.scan(forget_gone=True)
    assert (report.forgotten, datasets(place)) == (1, {place.id(1)})
    assert place.entered() == [place.id(1)]
