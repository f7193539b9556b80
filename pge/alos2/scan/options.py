"""What a caller may choose about a scan; the defaults are those of the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from alos2.cluster.site import Site
from alos2.scan.units import Wanted

STATE_FOLDER: Final = ".alos2-scan"
"""Where in an archive the state of its scans lies."""

Progress = Callable[[str, int, "int | None"], None]
"""Told a stage, how much is done and how much there is (None: not known)."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True)
class ScanOptions:
    """How to scan."""

    roots: tuple[Path, ...]
    """Folders to walk; none: nothing is walked, only what is known goes on."""
    out: Path
    """The archive: folder that takes the datasets."""
    state: Path | None = None
    """Folder of the state; None: a hidden one in `out`."""
    wanted: Wanted = field(default_factory=Wanted)
    """Which levels are described, and at which places."""
    settle_s: float = 600.0
    """Files younger than this may still be copied: their scene waits, seconds."""
    site: Site = field(default_factory=Site)
    """How jobs are run; no scheduler in it: worker processes here."""
    chunk_size: int | None = None
    """Scenes a job; None: what the site says."""
    jobs: int | None = None
    """Most jobs in flight; None: what the site says, here the cores there are."""
    wait: bool | None = None
    """Stay until all jobs have ended; None: only where the jobs run here."""
    retry_failed: bool = False
    forget_gone: bool = False
    """Remove the datasets of scenes whose files are gone."""
    force: bool = False
    """Make all datasets anew that are submitted now."""
    script: Path | None = None
    """A batch script of the user's, whose body is what a job runs."""
    job_options: Callable[[], Mapping[str, Any]] = dict
    """Gives ``options`` of every chunk: tags, footprint, grq ... (see `alos2.scan.worker`)."""
    patience_s: float = 24 * 3600.0
    """A job that has waited longer than this for its start is told of, seconds."""
    second_look_s: float = 60.0
    """How long a job that left no trace is looked for again before it counts as lost, seconds:
    on NFS a file may be seen late."""
    poll_s: float | None = None
    """How often waiting looks, seconds; None: 0.2 for jobs here, else 15."""
    progress: Progress = silent

    @property
    def folder(self) -> Path:
        """Folder of the state, absolute."""
        return (self.state or self.out / STATE_FOLDER).absolute()
