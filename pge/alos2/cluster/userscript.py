"""A user's own job script as a job's body, its directive lines handed to the scheduler.

Sites keep an edited copy of one script, with their project, queue and limits as ``#PBS`` lines.
Those lines go on to count: queue, project, account and walltime as if the site file said them,
the others as they stand. What this program must decide itself (the job's name, where its output
goes, its folder and shell) is left out, and an array is refused: a scan makes jobs of its own.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from alos2.cluster.site import Site
from alos2.errors import UsageError

Option = tuple[str, list[str]]
"""An option as it was written (``-l``, ``--time``) and its values."""


@dataclass(frozen=True)
class _Language:
    """What one scheduler's directive lines mean."""

    prefix: str
    taken: Mapping[str, str]
    """Option to the field of `Site` that takes its value."""
    walltime: Mapping[str, str]
    """Option to how its value is a time: ``"value"``, or the name of a resource in its list."""
    name: tuple[str, ...]
    left_out: frozenset[str]
    refused: frozenset[str]
    glued: bool
    """Whether a one-letter option and its value may be one word."""
    to_the_end: bool
    """Whether directives after the first command count, too."""


_PBS: Final = _Language(
    "#PBS",
    {"-q": "queue", "-P": "project", "-A": "account"},
    {"-l": "walltime"},
    ("-N",),
    frozenset(("-o", "-e", "-j", "-k", "-S", "-d", "-w")),
    frozenset(("-J", "-t", "-I")),
    glued=True,
    to_the_end=False,
)
_LANGUAGES: Final[Mapping[str, _Language]] = {
    "pbs": _PBS,
    "slurm": _Language(
        "#SBATCH",
        {"-p": "queue", "--partition": "queue", "-A": "account", "--account": "account"},
        {"-t": "value", "--time": "value"},
        ("-J", "--job-name"),
        frozenset(
            ("-o", "--output", "-e", "--error", "--open-mode", "-D", "--chdir", "-i", "--input")
        ),
        frozenset(("-a", "--array")),
        glued=True,
        to_the_end=False,
    ),
    "gridengine": _Language(
        "#$",
        {"-q": "queue", "-P": "project", "-A": "account"},
        {"-l": "h_rt"},
        ("-N",),
        frozenset(("-o", "-e", "-j", "-S", "-cwd", "-wd", "-terse", "-b", "-sync")),
        frozenset(("-t",)),
        glued=False,
        to_the_end=True,
    ),
    "lsf": _Language(
        "#BSUB",
        {"-q": "queue", "-P": "project", "-G": "account"},
        {"-W": "value"},
        ("-J",),
        frozenset(("-o", "-oo", "-e", "-eo", "-cwd", "-L", "-i", "-is", "-K")),
        frozenset(("-I", "-Is", "-Ip")),
        glued=False,
        to_the_end=True,
    ),
}
_SPEAKS: Final = {"torque": "pbs"}


@dataclass(frozen=True)
class UserScript:
    """A job script as its user wrote it."""

    path: Path
    system: str | None
    """Whose directives it holds: ``pbs`` (Torque too), ``slurm``, ``gridengine``, ``lsf``, None."""
    directives: tuple[str, ...]
    """Those that go on as they stand, without their ``#PBS``."""
    name: str | None
    text: str


def site_from_script(
    path: Path, site: Site, environ: Mapping[str, str] | None = None
) -> tuple[Site, UserScript]:
    """Return the site with the script's directives taken over, and the script.

    Where the site names no scheduler, the script's language chooses one. Where it names another
    than the script speaks to, the directives are left aside, as that scheduler would. ``QUEUE`` of
    the environment wins over the script, as ``qsub -q`` would.

    Raises
    ------
    UsageError
        The script cannot be read, or asks for an array or an interactive job.
    """
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"job script {path} cannot be read: {error.strerror}") from error
    spoken = [name for name, each in _LANGUAGES.items() if any(_lines(text, each))]
    wanted = _SPEAKS.get(site.scheduler or "", site.scheduler)
    system = wanted if wanted in spoken else spoken[0] if spoken else None
    script = UserScript(path, system, (), None, text)
    if system is None or wanted not in (None, system):
        return site, script
    site = replace(site, scheduler=site.scheduler or system)
    site, script = _taken_over(script, _LANGUAGES[system], system, site)
    queue = (os.environ if environ is None else environ).get("QUEUE")
    return (replace(site, queue=queue) if queue else site), script


def body_argv(script: UserScript, folder: Path) -> tuple[str, ...]:
    """Write the script as it was read to ``folder/body``, and return the command that runs it.

    An edit between submission and start does not reach the job, as it never did with ``qsub``.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    body = folder / "body"
    folder.mkdir(parents=True, exist_ok=True)
    body.write_bytes(os.fsencode(script.text))
    first = script.text.partition("\n")[0]
    interpreter = shlex.split(first[2:]) if first.startswith("#!") else []
    return (*(interpreter or ["/bin/bash"]), str(body))


def _lines(text: str, language: _Language) -> Iterator[str]:
    """Yield the directives in a script, without their prefix."""
    for line in text.splitlines():
        if line.startswith(language.prefix) and line[len(language.prefix) :][:1].isspace():
            rest = line[len(language.prefix) :].strip()
            if rest.startswith("-"):
                yield rest
        elif line.strip() and not line.startswith("#") and not language.to_the_end:
            return


def _options(line: str, language: _Language) -> list[Option]:
    """Return a line's options with their values."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []
    found: list[Option] = []
    for word in words:
        if not word.startswith("-") or re.fullmatch(r"-[\d.]+", word):
            if found:
                found[-1][1].append(word)
        elif word.startswith("--"):
            option, equals, value = word.partition("=")
            found.append((option, [value] if equals else []))
        elif language.glued and len(word) > 2:
            found.append((word[:2], [word[2:].removeprefix("=")]))
        else:
            found.append((word, []))
    return found


def _taken_over(
    script: UserScript, language: _Language, system: str, site: Site
) -> tuple[Site, UserScript]:
    kept: list[str] = []
    for line in _lines(script.text, language):
        left: list[str] = []
        for option, values in _options(line, language):
            value = " ".join(values)
            if option in language.refused or (option in language.name and "[" in value):
                raise UsageError(
                    f"job script {script.path}: {language.prefix} {option} {value} asks for an "
                    "array or an interactive job",
                    hint="leave that line out: the scan makes one job of each chunk",
                )
            if option in language.name:
                script = replace(script, name=value)
            elif option not in language.left_out:
                site, rest = _option(option, values, language, system, site)
                left += rest
        if left:
            # A line of which nothing was taken goes on with the quotes that it has.
            kept.append(line if _whole(line, left) else shlex.join(left))
    site = replace(site, directives=(*site.directives, *kept))
    return site, replace(script, directives=tuple(kept))


def _option(
    option: str, values: list[str], language: _Language, system: str, site: Site
) -> tuple[Site, list[str]]:
    """Return the site with an option taken over, and what of the option is left."""
    value = " ".join(values)
    field = language.taken.get(option)
    if field is not None and value:
        return _with(site, field, value), []
    if option in language.walltime:
        seconds, rest = _walltime(value, language.walltime[option], system)
        if seconds is not None:
            return replace(site, walltime_s=seconds), [option, rest] if rest else []
    return site, [option, *values]


def _with(site: Site, field: str, value: str) -> Site:
    if field == "queue":
        return replace(site, queue=value)
    return replace(site, project=value) if field == "project" else replace(site, account=value)


def _whole(line: str, left: list[str]) -> bool:
    """Whether all of a line is left, so that it can go on with its own quotes."""
    plain = "".join(left)
    return re.sub(r"[\s\"'=]", "", plain) == re.sub(r"[\s\"'=]", "", line)


def _walltime(value: str, where: str, system: str) -> tuple[int | None, str]:
    """Return the walltime in an option's value in seconds, and what else the value says."""
    if where == "value":
        seconds = _seconds(value, system)
        return seconds, "" if seconds is not None else value
    others = []
    found = None
    for part in value.split(","):
        key, _, amount = part.partition("=")
        seconds = _seconds(amount, system) if key.strip() == where else None
        if seconds is None:
            others.append(part)
        else:
            found = seconds
    return found, ",".join(others)


def _seconds(text: str, system: str) -> int | None:
    """Return a scheduler's way to write a time in seconds; None where it is another.

    PBS and Grid Engine: ``[[h:]m:]s``; LSF: ``[h:]m``; Slurm: ``m``, ``m:s``, ``h:m:s``, ``d-h``,
    ``d-h:m``, ``d-h:m:s``.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text.strip())
    if found is None or (found[1] and system != "slurm"):
        return None
    numbers = [int(part) for part in found.groups()[1:] if part is not None]
    if system == "lsf" and len(numbers) == 3:
        return None
    if found[1] or len(numbers) == 3:  # days, then hours first
        unit = 3600
    elif system == "lsf":
        unit = 3600 if len(numbers) == 2 else 60
    elif system == "slurm":
        unit = 60
    else:
        unit = 60 if len(numbers) == 2 else 1
    seconds = 86400 * int(found[1] or 0)
    for number in numbers:
        seconds += number * unit
        unit //= 60
    return seconds or None
