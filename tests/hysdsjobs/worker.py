"""HySDS's worker, as far as a job can tell: what it is told, how it is run, what becomes of it.

Sources: HySDS's public code as of August 2026. A job is made by `hysdsjobs.payload`;
``hysds/job_worker.py`` lays files into a directory, runs the command in it and reads what it left;
``hysds/utils.py`` finds the datasets, ``hysds/triage.py`` publishes the remains of a failure.

The container is a process of another user (uid 65534 where the tests run as root), without HOME,
with code that it cannot write to, in a process group of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hysdsjobs.payload import ROOT, Payload, arguments

PGE = ROOT / "pge"
BIN = "/opt/alos2/bin/"
"""Where the image has the scripts."""
MOUNTED = "/run/secrets/alos2"
NOBODY = 65534
TRIAGE = "hysds.triage.triage"
TAG = "v1.2"


@dataclass(frozen=True)
class Done:
    """What the worker knows of a job that has ended."""

    folder: Path
    code: int
    stdout: str
    stderr: str
    status: str
    """``job-completed`` or ``job-failed``."""
    error: str
    """``_alt_error.txt`` of a failed job, or the worker's own complaint."""
    traceback: str
    messages: tuple[str, ...]
    details: str
    metrics: dict[str, Any]
    datasets: dict[str, str]
    """Id of each dataset that is published, and its type."""
    triaged: tuple[str, ...]
    """Names of the files that triage publishes."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the job printed."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def met(self, dataset: str) -> dict[str, Any]:
        """The metadata of a dataset."""
        content: dict[str, Any] = json.loads(
            (self.folder / dataset / f"{dataset}.met.json").read_text("utf-8")
        )
        return content

    def published(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that leaves the worker: datasets with the context, triage, what is shown."""
        for dataset in self.datasets:
            for path in sorted((self.folder / dataset).rglob("*")):
                if path.is_file():
                    yield str(path.relative_to(self.folder)), path.read_bytes()
            yield f"{dataset}.context.json", (self.folder / "_context.json").read_bytes()
        for name in self.triaged:
            yield name, (self.folder / name).read_bytes()
        shown = (self.error, self.traceback, *self.messages, self.details, json.dumps(self.metrics))
        yield "the job's page", "\n".join(shown).encode()

    def left(self) -> set[str]:
        """Names of what the job itself left in its directory, hidden things too."""
        return {path.name for path in self.folder.iterdir()} - LAID


LAID = {
    ".running", ".done", "_context.json", "_job.json", "_docker_params.json", "_run.sh",
    "_stdout.txt", "_stderr.txt", "_exit_code", "_pid", "celeryconfig.py", "datasets.json",
}  # fmt: skip
"""What the worker puts there."""


def job_user() -> int:
    """Whom a job runs as."""
    return NOBODY if os.getuid() == 0 else os.getuid()


def give(path: Path) -> None:
    """Make `path`, and all in it, the job's user's."""
    if os.getuid() == 0:
        for one in (path, *path.rglob("*")):
            os.chown(one, job_user(), job_user())


@dataclass
class Worker:
    """A worker whose jobs' directories are made in `root`, which everybody can enter.

    Parameters
    ----------
    root : Path
        Of its own; not below a folder that other users cannot enter.
    celeryconfig : str
        Text of the cluster's ``celeryconfig.py``.
    image : dict
        Environment of the container, besides what our image sets.
    """

    root: Path
    celeryconfig: str = ""
    image: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 120.0

    def __post_init__(self) -> None:
        self.uid = job_user()
        self.home = self.root / "home"
        self.credentials = self.home / ".alos2" / "credentials"
        self.credentials.mkdir(parents=True)
        give(self.home)

    def credential(self, name: str, **entries: str) -> None:
        """Put an account into the folder that the job-specs mount."""
        file = self.credentials / f"{name}.json"
        file.unlink(missing_ok=True)
        file.write_text(json.dumps(entries), encoding="utf-8")
        file.chmod(0o400)
        give(file)

    def new_folder(self, payload: Payload) -> Path:
        """Make the directory of a job."""
        now = datetime.now(timezone.utc)
        name = f"{payload.job}-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        folder = self.root / "jobs" / f"{now:%Y/%m/%d/%H/%M}" / name
        folder.mkdir(parents=True)
        return folder

    def run(self, payload: Payload, folder: Path | None = None) -> Done:
        """Run a job; in the `folder` of an earlier one, as when it is delivered again."""
        folder = folder or self.new_folder(payload)
        self._lay(payload, folder)
        words = arguments(payload)
        assert words[0].startswith(BIN)
        script = PGE / words[0].removeprefix(BIN)
        environment = {**self.image, **self._mounts(payload)}
        environment |= {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        assert "HOME" not in environment
        done = subprocess.run(
            [*_as_user(self.uid, script), sys.executable, str(script), *words[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=self.timeout_s,
            check=False,
            start_new_session=True,
            umask=0o022,
        )
        (folder / "_stdout.txt").write_text(done.stdout, encoding="utf-8")
        (folder / "_stderr.txt").write_text(done.stderr, encoding="utf-8")
        (folder / "_exit_code").write_text(str(done.returncode))
        (folder / ".running").rename(folder / ".done")
        return self._after(payload, folder, done)

    def _lay(self, payload: Payload, folder: Path) -> None:
        context = {
            **payload.context,
            "_command": payload.command,
            "_disk_usage": payload.spec["disk_usage"],
            "_force_ingest": False,
            "_prov": {"wasGeneratedBy": f"task_id:{uuid.uuid4()}"},
            "container_image_name": f"container-alos2-ingest:{TAG}",
            "container_image_url": None,
            "container_mappings": payload.spec.get("imported_worker_files", {}),
            "job_id": folder.name,
            "job_info": {"id": folder.name, "job_dir": str(folder), "status": "job-started"},
            "job_priority": payload.submission.get("priority", 0),
            "job_specification": {**payload.spec, "id": f"job-{payload.job}:{TAG}"},
            "localize_urls": [],
            "payload_hash": payload.submission.get("payload_hash", uuid.uuid4().hex),
            "tag": payload.submission.get("tag", "somebody's tag"),
            "username": payload.submission.get("username", "ops"),
        }
        everything = {"params": payload.params, "payload": payload.context, "name": payload.job}
        files = {
            ".running": "",
            "_context.json": json.dumps(context, indent=2, sort_keys=True),
            "_job.json": json.dumps({**everything, "job_info": context["job_info"]}),
            "_docker_params.json": "{}",
            "_run.sh": "".join(f"export {k}={v}\n" for k, v in self.image.items()),
            "_pid": "1",
            "celeryconfig.py": self.celeryconfig,
            "datasets.json": (ROOT / "config/datasets.json").read_text("utf-8"),
        }
        for name, text in files.items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        give(folder)
        for name in ("celeryconfig.py", "datasets.json"):
            # Mounted read-only.
            (folder / name).chmod(0o444)
            if os.getuid() == 0:
                os.chown(folder / name, 0, 0)

    def _mounts(self, payload: Payload) -> dict[str, str]:
        found = {}
        for host, place in payload.spec.get("imported_worker_files", {}).items():
            inside = place if isinstance(place, str) else place[0]
            assert inside == MOUNTED
            assert isinstance(place, str) or place[1] == "ro"
            # There is no such mount here, so the job is told another place.
            found["ALOS2_CREDENTIALS_DIR"] = host.replace("$HOME", str(self.home))
        return found

    def _after(
        self, payload: Payload, folder: Path, done: subprocess.CompletedProcess[str]
    ) -> Done:
        context = json.loads((folder / "_context.json").read_text("utf-8"))
        failed, error, metrics = done.returncode != 0, "", {}
        if not failed:
            try:
                metrics = _metrics(folder)
                datasets = dict(_recognised(folder))
            except (ValueError, KeyError, LookupError) as fault:
                failed, error = True, f"{type(fault).__name__}: {fault}"
        elif (folder / "_alt_error.txt").exists():
            error = (folder / "_alt_error.txt").read_text("utf-8")
        elif failed:
            error = f"Got non-zero exit code: {done.returncode}"
        triage = failed and TRIAGE in payload.spec.get("post", [])
        if context.get("_triage_disabled"):
            triage = False
        return Done(
            folder=folder,
            code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            status="job-failed" if failed else "job-completed",
            error=error,
            traceback=_text(folder / "_alt_traceback.txt") if failed else "",
            messages=tuple(_text(folder / "_alt_msg.txt").splitlines()),
            details=_text(folder / "_alt_msg_details.txt"),
            metrics=metrics,
            datasets={} if failed else datasets,
            triaged=tuple(_remains(folder)) if triage else (),
        )


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def _metrics(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"download": [], "upload": []}
    for directory, _, names in os.walk(folder):
        for name in names:
            if re.search(r"pge_metrics\.json$", name):
                content = json.loads((Path(directory) / name).read_text("utf-8"))
                for key in found:
                    found[key] += content.get(key, [])
    for download in found["download"]:
        _ = download["url"]
    return found


def _recognised(folder: Path) -> Iterator[tuple[str, str]]:
    """``find_dataset_json`` and ``recognize``: every D with D/D.dataset.json, by the first rule."""
    rules = json.loads((folder / "datasets.json").read_text("utf-8"))["datasets"]
    for directory, _, names in os.walk(folder, followlinks=True):
        name = Path(directory).name
        if f"{name}.dataset.json" not in names or ".localized" in names:
            continue
        json.loads((Path(directory) / f"{name}.dataset.json").read_text("utf-8"))["version"]
        path = str(Path(directory).absolute())
        rule = next((r for r in rules if re.search(r["match_pattern"], path)), None)
        if rule is None:
            raise LookupError(f"No dataset configured for {path}")
        yield name, rule["type"]


def _remains(folder: Path) -> Iterator[str]:
    """What triage publishes of a failed job."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and (path.name.startswith("_") or path.suffix == ".log"):
            yield path.name


def _as_user(uid: int, script: Path) -> list[str]:
    """Return the command that becomes another user; with no more than the right to read.

    Code and interpreter may lie where nobody else can look (a checkout in /root): then the user
    may read all, as a container's image lets it, and write as little as any other.
    """
    if uid == os.getuid():
        return []
    setpriv = shutil.which("setpriv")
    assert setpriv is not None, "setpriv of util-linux is needed to run jobs as another user"
    become = [setpriv, "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    places = (script, Path(sys.executable), Path(sys.executable).resolve(), Path(sys.prefix))
    if all(_open_to_all(place) for place in places):
        return [*become, "--inh-caps=-all", "--bounding-set=-all"]
    return [*become, "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]


def _open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH) and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
    )
