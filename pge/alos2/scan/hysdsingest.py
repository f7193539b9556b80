"""Datasets of metadata given to HySDS's own ``ingest_dataset.py``.

Public HySDS code: ``scripts/ingest_dataset.py DATASET_DIR DATASETS_JSON [-f]`` publishes the folder
as datasets.json says and files it in GRQ. It is run as it is, by the interpreter that its first
line names (HySDS's own environment, not ours), and finds ``celeryconfig.py`` on its path.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from alos2.catalogue import GrqCatalogue
from alos2.dataset.scrub import scrub
from alos2.dataset.write import Status
from alos2.errors import NoResource, PublishFailed, UsageError
from alos2.hysds.accounts import account_for
from alos2.hysds.celeryconfig import FILE_NAME
from alos2.hysds.cluster import connect, find_cluster
from alos2.jobs.metadatajob import Filed
from alos2.scan.grqside import GrqFiling

log = logging.getLogger(__name__)

_SCRIPT: Final = Path("scripts") / "ingest_dataset.py"
_PLACES: Final = ("", "hysds", "ops/hysds")
"""Below ``-hysdsdir``: the checkout itself, or what holds it."""
_LONGEST_S: Final = 3600.0
_TOLD_LINES: Final = 4
_TOLD: Final = 600


class HysdsIngest:
    """HySDS's own way into its catalogue.

    Parameters
    ----------
    hysds_dir : Path
        HySDS's checkout, or the folder that holds it.
    dataset_file : Path, optional
        datasets.json; else the one in `hysds_dir`.
    grq : GrqFiling, optional
        The same catalogue, to be asked first; else it is looked for in ``$ALOS2_GRQ_URL`` and in
        the ``celeryconfig.py`` of `hysds_dir`, and not asked where neither knows it.

    Raises
    ------
    UsageError
        There is no such script, or no datasets.json.
    """

    def __init__(
        self, hysds_dir: Path, dataset_file: Path | None, grq: GrqFiling | None = None
    ) -> None:
        self._checkout = _checkout(hysds_dir.absolute())
        self._dataset_file = _datasets_json(dataset_file, hysds_dir.absolute(), self._checkout)
        self._grq = grq or _grq_of(hysds_dir.absolute(), self._checkout)

    def holds(self, dataset_id: str) -> bool:
        """Return whether GRQ has it; False where its address is not known.

        Raises
        ------
        PublishFailed, LoginFailed
            It does not say.
        """
        return self._grq is not None and self._grq.holds(dataset_id)

    def file(self, folder: Path, status: Status) -> Filed:
        """Have a dataset ingested.

        Raises
        ------
        PublishFailed
            The script ends with another exit code than 0; the message has the end of what it said.
        NoResource
            It cannot be run.
        """
        if status == "unchanged" and self.holds(folder.name):
            return "present"
        command = [*_runner(self._checkout / _SCRIPT), str(folder.absolute())]
        command.append(str(self._dataset_file))
        if status == "replaced":
            command.append("--force")
        done = self._run(command)
        if done.returncode == 0:
            return "updated" if status == "replaced" else "created"
        said = _last_words(done.stderr)
        if self._came_first(folder.name):
            log.info("%s: another one was faster (%s)", folder.name, said)
            return "present"
        raise PublishFailed(
            f"HySDS's {_SCRIPT.name} ends with exit code {done.returncode} for {folder.name}: "
            f"{said or 'it says nothing'}",
            hint="the dataset is made; submit it again when HySDS takes it",
        )

    def _came_first(self, dataset_id: str) -> bool:
        """Whether somebody else has filed it meanwhile; no further error hides the first."""
        try:
            return self.holds(dataset_id)
        except PublishFailed:
            return False

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        paths = [str(self._checkout), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        # It leaves folders of its own in its working directory.
        with tempfile.TemporaryDirectory(prefix="alos2-hysds-") as here:
            try:
                done = subprocess.run(  # noqa: S603  a list, no shell
                    command,
                    cwd=here,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_LONGEST_S,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise PublishFailed(
                    f"HySDS's {_SCRIPT.name} has not ended within {_LONGEST_S:.0f} s"
                ) from error
            except OSError as error:
                raise NoResource(
                    f"{command[0]} cannot be run: {error.strerror or error}",
                    hint="check the first line of the script, and that its interpreter is there",
                ) from error
        log.debug("%s: %s", command[0], scrub(done.stderr.decode("utf-8", "replace")))
        return done


def _checkout(hysds_dir: Path) -> Path:
    for place in _PLACES:
        if (hysds_dir / place / _SCRIPT).is_file():
            return hysds_dir / place
    raise UsageError(
        f"{hysds_dir} holds no {_SCRIPT}", hint="give the folder of HySDS's own checkout"
    )


def _datasets_json(given: Path | None, *folders: Path) -> Path:
    if given is not None:
        if not given.is_file():
            raise UsageError(f"{given} is no file", hint="give HySDS's datasets.json")
        return given.absolute()
    for folder in folders:
        if (folder / "datasets.json").is_file():
            return folder / "datasets.json"
    raise UsageError(
        f"{folders[0]} holds no datasets.json", hint="name it: -dsfile .../datasets.json"
    )


def _grq_of(*folders: Path) -> GrqFiling | None:
    # The environment is looked at for each of them, and wins over the file.
    for folder in folders:
        cluster = find_cluster(folder)
        if cluster.knows("GRQ"):
            return GrqFiling(GrqCatalogue(connect(cluster, "GRQ", logins=account_for)))
        if "GRQ" in cluster.problems:
            log.warning("GRQ is not asked first: %s", cluster.problems["GRQ"])
    log.info("no %s tells where GRQ is: it is not asked first", FILE_NAME)
    return None


def _runner(script: Path) -> list[str]:
    if os.access(script, os.X_OK):
        return [str(script)]
    python = shutil.which("python") or shutil.which("python3")
    if python is None:
        raise NoResource(
            f"{script} is not executable and there is no python to run it",
            hint=f"chmod +x {script}",
        )
    return [python, str(script)]


def _last_words(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    told = " | ".join([line for line in lines if line][-_TOLD_LINES:])
    return scrub(told)[-_TOLD:]
