"""From a configuration to a finished stack: plan, tasks, run, datasets. The command and the PGE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alos2.cluster.site import Site, load_site, with_scheduler
from alos2.errors import UsageError
from alos2.raster.pictures import Progress, silent
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.foreseen import require_dem
from alos2.stack.planning.plan import LeftOut, Plan, make_plan
from alos2.stack.planning.report import write_plan
from alos2.stack.running.graph import Graph
from alos2.stack.running.report import RunReport, Settled
from alos2.stack.running.room import machine_room
from alos2.stack.running.run import MakeDoer, RunOptions, Tell, look, run_stack
from alos2.stack.steps import graph_of, step_of

if TYPE_CHECKING:
    from alos2.stack.result.dataset import Kept

VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "ard": ("ard",),
    "series": ("series", "cube"),
    "timescan": ("timescan",),
    "mosaic": ("mosaic",),
    "animate": ("animation",),
}
"""Steps that a verb asks for."""
DAMAGED: Final = frozenset(("incomplete", "gone", "unreadable"))
"""Why a delivery is left out of a plan that should be in it."""
POLL_S: Final = 15.0
_POLL_HERE_S: Final = 0.5


@dataclass(frozen=True)
class Wanted:
    """What somebody asks of a stack."""

    steps: tuple[str, ...] | None = None
    """Steps; None: all."""
    dates: tuple[str, ...] = ()
    """Of acquisitions only these."""
    verify: bool = False
    threads: int | None = None
    memory_mb: int | None = None
    patience_s: float = 0.0
    site: Path | None = None
    """Site file of a cluster."""
    scheduler: str | None = None
    """Instead of the site file's; ``here``: this process, whatever the configuration says."""
    poll_s: float | None = None
    out: Path | None = None
    """Archive that takes the datasets of what is finished."""
    is_archive: bool = True
    """Whether `out` has, or gets, a catalogue."""
    force: bool = False
    """Replace datasets of the same id that differ."""
    environ: Mapping[str, str] | None = None


@dataclass
class Done:
    """What came of it."""

    plan: Plan
    report: RunReport
    datasets: list[Kept] = field(default_factory=list)


def make_whole(
    config: StackConfig,
    wanted: Wanted = Wanted(),
    *,
    tell: Tell = lambda _: None,
    progress: Progress = silent,
) -> Done:
    """Make what is asked for of a stack.

    Parameters
    ----------
    config : StackConfig
        As `alos2.stack.config.read.load_config` gives it.
    wanted : Wanted
        What of it, and with what means.
    tell : callable
        Given a JSON object for the plan, each task and each dataset.
    progress : Progress
        Told of (step, done, total).

    Raises
    ------
    NothingFound, UsageError, PublishFailed
        There is no plan; see `alos2.stack.planning.plan.make_plan`.
    NoResource, NoSpace, Interrupted
        See `alos2.stack.running.run.run_stack`.
    """
    doer = _doer(config, wanted)
    plan = make_plan(config, tell=progress)
    require_dem(plan.tracks, config)
    graph = graph_of(plan)
    tell(
        {
            "kind": "plan",
            "work": str(config.stack.work_dir),
            "tracks": {track.name: len(track.acquisitions) for track in plan.tracks},
            "tasks": len(graph),
            "warnings": [warning.to_json() for warning in plan.warnings],
        }
    )
    options = RunOptions(
        wanted.steps,
        wanted.dates,
        wanted.verify,
        machine_room(
            wanted.threads or config.stack.threads, wanted.memory_mb or config.stack.memory_mb
        ),
        wanted.patience_s,
        doer,
    )
    work = config.stack.work_dir
    report = run_stack(
        graph,
        work,
        step_of,
        options,
        tell=tell,
        progress=progress,
        # The next plan keeps its grids, so that a new date leaves what there is as it is.
        begun=lambda: write_plan(plan, work, plot=False),
        left_out=[(left.what, left.message) for left in damaged(plan)],
    )
    done = Done(plan, report)
    if wanted.out is not None:
        # Imported late: most runs make none.
        from alos2.stack.result.dataset import keep_datasets  # noqa: PLC0415

        for kept in keep_datasets(
            plan, done.report, wanted.out, is_archive=wanted.is_archive, force=wanted.force
        ):
            done.datasets.append(kept)
            tell({"kind": "dataset", **kept.line})
    return done


def damaged(plan: Plan) -> list[LeftOut]:
    """Return the deliveries that should be in a plan and are not, as they are damaged."""
    return [left for left in plan.left_out if left.code in DAMAGED]


def planned(config: StackConfig, progress: Progress = silent) -> tuple[Plan, Graph]:
    """Return the plan of a configuration, and all its tasks; raises as `make_whole`."""
    plan = make_plan(config, tell=progress)
    return plan, graph_of(plan)


def status(config: StackConfig, progress: Progress = silent) -> tuple[Plan, dict[str, Settled]]:
    """Say of each task whether it is done, and why not; change nothing. Raises as `make_whole`."""
    plan, graph = planned(config, progress)
    return plan, look(graph, config.stack.work_dir, step_of)


def _doer(config: StackConfig, wanted: Wanted) -> MakeDoer | None:
    """Return what spreads the work; None where it is done by this process."""
    file = wanted.site or config.cluster.site
    if wanted.scheduler == "here" or (file is None and wanted.scheduler is None):
        return None
    site = load_site(file, wanted.environ)
    if wanted.scheduler is not None:
        site = with_scheduler(site, wanted.scheduler)
    if site.scheduler is None:
        raise UsageError(
            f"{site.file} names no scheduler",
            hint="set scheduler in it or give --scheduler; --scheduler here uses this machine",
        )
    site = replace(
        site,
        cpus=wanted.threads or site.cpus,
        memory_mb=wanted.memory_mb or site.memory_mb,
    )
    return _spreading(site, config.cluster.lines_per_job, wanted.poll_s)


def _spreading(site: Site, lines_per_job: int, poll_s: float | None) -> MakeDoer:
    # Imported late: PSI/J takes half a second.
    from alos2.stack.running.jobs import Batch  # noqa: PLC0415
    from alos2.stack.running.spread import SpreadDoer  # noqa: PLC0415

    batch = Batch(site)
    usual = _POLL_HERE_S if site.scheduler == "local" else POLL_S

    def make(hidden: Path, _: Callable[..., object]) -> SpreadDoer:
        return SpreadDoer(
            hidden,
            batch,
            poll_s=usual if poll_s is None else poll_s,
            lines_per_job=lines_per_job,
        )

    return make  # type: ignore[return-value]
