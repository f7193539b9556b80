"""The script of a batch job: a scheduler's directives, then the same few steps everywhere.

All that is not a directive is quoted for bash, so names with spaces, commas and newlines arrive
whole; nothing is handed over by ``qsub -v``, which takes a comma for the end of a value. The
script itself notes when it started and with which code its command ended
(`alos2.cluster.witness`): a scheduler without a history forgets both.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alos2.cluster.model import BatchJob
from alos2.cluster.site import Site
from alos2.errors import UsageError

NATIVE_OUTPUT: Final = "native.txt"
"""What the scheduler itself prints about a job (node failures, limits), beside its own output."""

NO_FOLDER: Final = 96
"""Exit code of a job whose folder its node does not see."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9._/+=@-]+")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_BEGIN: Final = """
# Made by alos2-ingest.
alos2_native={job_id}
alos2_id=${{alos2_native%%.*}}
alos2_walltime={walltime}
alos2_folder={folder}
cd "$alos2_folder" || exit {no_folder}
rm -f "job-$alos2_id.exit"
alos2_now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
printf '%s\\n%s\\n%s\\n' "$(uname -n)" "$alos2_now" "$alos2_native" > "job-$alos2_id.started"
exec >> stdout 2>> stderr
SECONDS=0
alos2_leave() {{
  alos2_code=$?
  trap - EXIT
  alos2_exit="$alos2_folder/job-$alos2_id.exit"
  printf '%s %s %s\\n' "$alos2_code" "$SECONDS" "$alos2_walltime" > "$alos2_exit.part" &&
    mv -f "$alos2_exit.part" "$alos2_exit"
  # To Grid Engine 99 means "run me again" and 100 "hold me for ever".
  case $alos2_code in 99 | 100) exit 98 ;; esac
  exit "$alos2_code"
}}
trap alos2_leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
export ALOS2_JOB_ID="$alos2_id"
"""

# Standard input stays as it is: some schedulers let the shell read the script itself from there.
# The command runs in the background (its input is /dev/null then), so that a signal to this shell
# is heard at once. Some schedulers warn the shell, some all its processes, some with USR1, USR2 or
# XCPU before the KILL: the command hears TERM and not the others, which would end it untidily.
_RUN: Final = """
alos2_caught=
alos2_child=
alos2_pass_on() {
  alos2_caught=$1
  [ -z "$alos2_child" ] || kill -TERM "$alos2_child" 2> /dev/null
}
for alos2_signal in TERM INT USR1 USR2 XCPU; do
  trap "alos2_pass_on $alos2_signal" "$alos2_signal"
done
"""

_WAIT: Final = """
alos2_child=$!
wait "$alos2_child"
alos2_code=$?
while [ -n "$alos2_caught" ]; do
  alos2_caught=
  wait "$alos2_child"
  alos2_again=$?
  # bash loses the code of a child that ends while a trap runs: then the first answer was it.
  case $alos2_again in -1 | 127 | 255) ;; *) alos2_code=$alos2_again ;; esac
done
exit "$alos2_code"
"""

_MODULES: Final = """
if ! command -v module > /dev/null 2>&1; then
  for start in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh \\
    "$MODULESHOME/init/bash" /usr/share/modules/init/bash; do
    [ -r "$start" ] && . "$start" && break
  done
fi
"""


@dataclass(frozen=True)
class Request:
    """What a job asks its scheduler for: the job's own wishes, else the site's."""

    name: str
    queue: str | None
    project: str | None
    account: str | None
    walltime_s: int | None
    cpus: int
    memory_mb: int | None
    parallel_environment: str
    directives: tuple[str, ...]
    native_output: str
    """Where the scheduler's own words may go: a file of the job's folder, or ``/dev/null``."""

    @property
    def is_plain(self) -> bool:
        """Whether the folder's name is one that schedulers take for no more than a name."""
        return self.native_output == NATIVE_OUTPUT

    @property
    def clock(self) -> str | None:
        """The walltime as hours:minutes:seconds; hours go beyond 24."""
        if self.walltime_s is None:
            return None
        minutes, seconds = divmod(self.walltime_s, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def job_name(name: str, *, longest: int = 60) -> str:
    """Return a name that every scheduler takes: letters, digits and ``._-``, a letter first.

    Grid Engine refuses a digit at the start; older PBS takes 15 characters.
    """
    fit = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_")
    if not fit or not fit[0].isalpha():
        fit = f"a{fit}"
    return fit[:longest]


def request(job: BatchJob, site: Site, *, longest_name: int = 60) -> Request:
    """Return what `job` asks for at `site`."""
    plain = _PLAIN.fullmatch(str(job.folder)) is not None
    return Request(
        name=job_name(job.name, longest=longest_name),
        queue=site.queue,
        project=site.project,
        account=site.account,
        walltime_s=site.walltime_s if job.walltime_s is None else job.walltime_s,
        cpus=site.cpus if job.cpus is None else job.cpus,
        memory_mb=site.memory_mb if job.memory_mb is None else job.memory_mb,
        parallel_environment=site.parallel_environment,
        directives=site.directives,
        native_output=NATIVE_OUTPUT if plain else "/dev/null",
    )


def _exports(environment: Mapping[str, str]) -> list[str]:
    lines = []
    for name, value in environment.items():
        if not _VARIABLE.fullmatch(name) or "\0" in value:
            raise UsageError(
                f"{name!r} cannot be set for a job: it is no variable's name, or its value "
                "holds a zero byte"
            )
        lines.append(f"export {name}={shlex.quote(value)}")
    return lines


def write_script(
    job: BatchJob, site: Site, *, prefix: str, directives: Sequence[str], job_id: str
) -> str:
    """Return the text of a job's script.

    Parameters
    ----------
    job : BatchJob
        What it runs.
    site : Site
        Whose modules, setup lines and environment come before it.
    prefix : str
        What begins a directive, e.g. ``#PBS``.
    directives : sequence of str
        Directives without it.
    job_id : str
        The job's id as bash finds it on the node, e.g. ``$PBS_JOBID``.

    Raises
    ------
    UsageError
        The folder or a variable cannot be written into a script.
    """
    folder = str(job.folder)
    if not job.folder.is_absolute() or "\0" in folder:
        raise UsageError(f"the folder of a job must be an absolute path, not {folder!r}")
    walltime = site.walltime_s if job.walltime_s is None else job.walltime_s
    parts = [
        "#!/bin/bash",
        *(f"{prefix} {line}" for line in directives),
        _BEGIN.format(
            job_id=f'"{job_id}"',
            walltime=walltime or 0,
            folder=shlex.quote(folder),
            no_folder=NO_FOLDER,
        ).rstrip(),
    ]
    if site.modules:
        parts.append(_MODULES.strip("\n"))
        parts += [f"module load {shlex.quote(name)} || exit 97" for name in site.modules]
    parts += site.setup
    # After the setup: a module must not take away what the job was given.
    parts += [*_exports(site.environment), *_exports(job.environment)]
    parts += [
        f'cd "$alos2_folder" || exit {NO_FOLDER}',
        _RUN.strip("\n"),
        f"(trap '' USR1 USR2 XCPU && exec -- {shlex.join(job.argv)}) &",
        _WAIT.strip("\n"),
    ]
    return "\n".join(parts) + "\n"
