"""The dataset of a finished stack: one folder for each track, and one for the mosaics.

It holds each date's file, the metrics, pictures and animation of the work folder under their own
names, by hard links where the disk can do that: the work folder never changes a file in place.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.durable import hidden_siblings, sync_tree
from alos2.dataset.exchange import exchange
from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, DatasetDiffers
from alos2.jobs.catalogued import catalogued, keeps_catalogue
from alos2.jobs.options import IngestOptions
from alos2.stack.planning.plan import MOSAIC, Plan
from alos2.stack.result.item import DATASET, TYPE, StackContent, dataset_id, documents
from alos2.stack.result.outline import stack_outline
from alos2.stack.running.keys import file_sha256
from alos2.stack.running.report import RunReport, Settled
from alos2.stack.running.tasks import THERE
from alos2.stack.steps.ard import FOLDER as ARD
from alos2.stack.steps.mosaic import FOLDER as MOSAIC_FOLDER
from alos2.types import Json

log = logging.getLogger(__name__)

_FOLDERS: Final = ("Timeseries", "Cube", "Timescan", "Animation")
_LEAST: Final = ("Timeseries",)
"""Without these there is no dataset."""
_SMALL_PX: Final = 250


@dataclass(frozen=True)
class Kept:
    """A dataset of a stack that is there now."""

    line: Json
    """``id``, ``type``, ``dataset``, ``status`` (new, unchanged, replaced), ``dataset_dir``, ..."""
    uncatalogued: Alos2Error | None = None
    """Why the archive's catalogue does not know it; None: it does, or there is none to keep."""


@dataclass(frozen=True)
class _Part:
    """A track, or the mosaic, with its folders of outputs."""

    content: StackContent
    folders: Mapping[str, Settled]
    """By their names in the dataset."""


def keep_datasets(
    plan: Plan, report: RunReport, out: Path, *, is_archive: bool = True, force: bool = False
) -> Iterator[Kept]:
    """Put a dataset of each finished track, and of the mosaic, into a folder.

    Parameters
    ----------
    plan, report
        Of the run.
    out : Path
        The archive, or a job's working directory; made where it is missing.
    is_archive : bool, optional
        Whether it has, or gets, a catalogue.
    force : bool, optional
        Replace a dataset of the same id that differs.

    Yields
    ------
    Kept
        As they are there; none where no track has a time series.

    Raises
    ------
    DatasetDiffers
        Another dataset of this id is there.
    NoSpace, NoResource
        `out` cannot be written to.
    """
    parts = list(_parts(plan, report))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(out, error) from error
    options = IngestOptions(out=out, catalogue=keeps_catalogue(out, is_archive=is_archive))
    for part in parts:
        name = dataset_id(part.content)
        with catalogued(options, name) as entered:
            line = _put(part, name, report.work, out, force=force)
        yield Kept(line, entered.failure)


def _parts(plan: Plan, report: RunReport) -> Iterator[_Part]:
    done = {name: one for name, one in report.all_tasks.items() if one.state in THERE}
    for track in plan.tracks:
        folders = {
            folder: done[f"{track.name}/{folder}"]
            for folder in _FOLDERS
            if f"{track.name}/{folder}" in done
        }
        if all(folder in folders for folder in _LEAST):
            yield _Part(_content(plan, report, (track.name,), folders), folders)
    folders = {
        task.partition("/")[2]: done[task] for task in done if task.startswith(f"{MOSAIC_FOLDER}/")
    }
    if folders:
        names = tuple(track.name for track in plan.tracks)
        yield _Part(_content(plan, report, names, folders, mosaic=True), folders)


def _content(
    plan: Plan,
    report: RunReport,
    names: tuple[str, ...],
    folders: Mapping[str, Settled],
    *,
    mosaic: bool = False,
) -> StackContent:
    tracks = tuple(plan.track(name) for name in names)
    there = [
        (track, one)
        for track in tracks
        for one in track.acquisitions
        if report.all_tasks[f"{track.name}/{ARD}/{one.name}"].state in THERE
    ]
    wanted = [f"{t.name}/{ARD}/{one.name}" for t in tracks for one in t.acquisitions]
    steps: dict[str, Json] = {}
    first = report.all_tasks[f"{there[0][0].name}/{ARD}/{there[0][1].name}"]
    for one in (first, *folders.values()):
        if one.receipt is not None:
            said = one.receipt.made_from
            parameters = {k: v for k, v in said["parameters"].items() if k != "name"}
            step = f"{said['step']} {parameters.get('of', '')}".strip()
            steps[step] = {"version": said["version"], **parameters}
    dem = plan.config.single_ard.dem.path
    files = {
        f"{folder}/{name}": facts
        for folder, one in folders.items()
        if one.receipt is not None
        for name, facts in sorted(one.receipt.files.items())
    }
    pols = dict.fromkeys(pol for track in tracks for pol in track.polarizations)
    wanted_pols = plan.config.single_ard.polarisation
    grid = plan.grids[MOSAIC if mosaic else names[0]]
    return StackContent(
        tracks,
        mosaic,
        tuple(sorted(one.when for _, one in there)),
        tuple(sorted(f"{s.scene}-{s.product}" for _, one in there for s in one.scenes)),
        tuple(name for name in wanted if report.all_tasks[name].state not in THERE),
        tuple(pol for pol in pols if wanted_pols is None or pol in wanted_pols),
        stack_outline([one.geometry for _, one in there], grid),
        grid,
        {"steps": steps, "dem": None if dem is None else dem.name},
        files,
        datetime.now(timezone.utc),
    )


def _put(part: _Part, name: str, work: Path, out: Path, *, force: bool) -> Json:
    """Make the dataset, unless it is there; return what is printed about it."""
    folder = out / name
    with FileLock(out / f".{name}.lock", f"dataset {name} is being written") as lock:
        if lock.found:
            for leftover in hidden_siblings(out, f".{name}."):
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
        same = _is_same(folder, part.content.files)
        if same and not force:
            return _line(part, name, folder, "unchanged")
        if (folder.exists() or folder.is_symlink()) and not force:
            raise DatasetDiffers(
                f"{folder} is another dataset of this id, or half of one",
                hint="--force replaces it",
            )
        staging = out / f".{name}.new-{secrets.token_hex(4)}"
        try:
            staging.mkdir()
            for task_folder, one in part.folders.items():
                _bring(work / one.task.id, staging / task_folder, one)
            content = _with_browse(part.content, name, staging)
            for file, data in documents(content).items():
                (staging / file).write_bytes(data)
            sync_tree(staging)
            status = _rename(staging, folder)
            sync_folder(out)
        except OSError as error:
            raise writing_failed(folder, error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return _line(part, name, folder, status)


def _rename(staging: Path, folder: Path) -> str:
    """Give the dataset its name; the one that was there before is in `staging` afterwards."""
    if not folder.exists():
        staging.rename(folder)
        return "new"
    if not exchange(staging, folder):
        aside = folder.with_name(f".{folder.name}.old-{secrets.token_hex(4)}")
        folder.rename(aside)
        staging.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    return "replaced"


def _bring(source: Path, target: Path, one: Settled) -> None:
    for name in one.receipt.files if one.receipt is not None else ():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.hardlink_to(source / name)
        except OSError:
            shutil.copyfile(source / name, file)


def _with_browse(content: StackContent, name: str, staging: Path) -> StackContent:
    """Add the pictures that catalogues show: the mean over time, in two sizes."""
    pictures = sorted(staging.glob("Animation/bs.*.avg.png"))
    if not pictures:
        return content
    from PIL import Image  # noqa: PLC0415 - not needed to look at an unchanged dataset

    browse, small = f"{name}.browse.png", f"{name}.browse_small.png"
    shutil.copyfile(pictures[0], staging / browse)
    with Image.open(pictures[0]) as picture:
        picture.thumbnail((_SMALL_PX, _SMALL_PX))
        picture.save(staging / small, "PNG")
    more = {
        file: ((staging / file).stat().st_size, file_sha256(staging / file))
        for file in (browse, small)
    }
    return StackContent(**{**content.__dict__, "files": {**content.files, **more}})


def _is_same(folder: Path, files: Mapping[str, tuple[int, str]]) -> bool:
    """Whether the dataset is there and has these files, by its own word and their sizes."""
    try:
        item = json.loads((folder / f"{folder.name}.stac.json").read_bytes())
        told = {
            asset["href"].removeprefix("./"): asset["file:checksum"]
            for asset in item["assets"].values()
        }
        return all(
            (folder / name).stat().st_size == size
            and told.get(name, f"1220{digest}") == f"1220{digest}"
            for name, (size, digest) in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _line(part: _Part, name: str, folder: Path, status: str) -> Json:
    content = part.content
    return {
        "id": name,
        "type": TYPE,
        "dataset": DATASET,
        "status": status,
        "dataset_dir": str(folder),
        "tracks": [track.name for track in content.tracks],
        "polarizations": list(content.polarizations),
        "dates": [f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in content.dates],
        "without": list(content.without),
        "footprint": content.geometry,
        "files": [
            {"name": file, "size": size, "sha256": digest}
            for file, (size, digest) in content.files.items()
        ],
    }
