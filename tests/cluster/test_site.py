"""The site file: what it may hold, and who wins over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alos2.cluster.site import Site, load_site, with_scheduler
from alos2.errors import UsageError

EXAMPLE = Path(__file__).parents[2] / "gekko" / "site.example.toml"


def _file(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, "utf-8")
    return path


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_site(environ={"HOME": str(tmp_path)}) == Site()


def test_every_key_arrives(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        """
scheduler = "pbs"
queue = "q32"
project = "eos_x-1"
account = "a.b"
walltime = "120:00:00"
cpus = 4
memory = "8GB"
parallel_environment = "orte"
modules = ["anaconda3/2020"]
setup = ["ulimit -c 0", "source $HOME/env 'a b'"]
python = "/opt/python 3/bin/python"
directives = ["-l place=free"]
chunk_size = 7
jobs_in_flight = 3
[environment]
NUMBA_CACHE_DIR = "/scratch/a b"
""",
    )
    assert load_site(path, {}) == Site(
        scheduler="pbs", queue="q32", project="eos_x-1", account="a.b", walltime_s=432000, cpus=4,
        memory_mb=8192, parallel_environment="orte", modules=("anaconda3/2020",),
        setup=("ulimit -c 0", "source $HOME/env 'a b'"), python="/opt/python 3/bin/python",
        directives=("-l place=free",), environment={"NUMBA_CACHE_DIR": "/scratch/a b"},
        chunk_size=7, jobs_in_flight=3, path=path,
    )  # fmt: skip


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, 'scheduler = "pbs"\nqueue = "a"\nproject = "p"\n')
    site = load_site(None, {"ALOS2_SITE": str(path), "QSUB_SYSTEM": "bsub", "QUEUE": "b"})
    assert (site.scheduler, site.queue, site.project) == ("lsf", "b", "p")
    assert with_scheduler(site, "qsub").scheduler == "gridengine"


def test_a_named_file_wins_over_the_usual_one(tmp_path: Path) -> None:
    usual = tmp_path / "alos2" / "site.toml"
    usual.parent.mkdir()
    usual.write_text('queue = "usual"\n')
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert load_site(None, environ).queue == "usual"
    assert load_site(_file(tmp_path, 'queue = "named"\n'), environ).queue == "named"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("qsub", "gridengine"),
        ("bsub", "lsf"),
        ("pbs", "pbs"),
        ("slurm", "slurm"),
        ("local", "local"),
        ("pbs_classic", "torque"),
        ("Torque", "torque"),
    ],
)
def test_qsub_system_speaks_as_in_scops(given: str, name: str) -> None:
    assert load_site(None, {"QSUB_SYSTEM": given}).scheduler == name


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("queu = 'a'", "unknown key 'queu'"),
        ("queue = 'a b'", "key 'queue'"),
        ("queue = 'a\\n#PBS -A x'", "key 'queue'"),
        ('queue = "a\\n#PBS -A x"', "key 'queue'"),
        ("queue = 3", "key 'queue'"),
        ("queue = '-q'", "key 'queue'"),
        ("walltime = '1:30'", "key 'walltime'"),
        ("walltime = 'long'", "key 'walltime'"),
        ("walltime = true", "key 'walltime'"),
        ("cpus = 0", "key 'cpus'"),
        ("cpus = '2'", "key 'cpus'"),
        ("memory = '8 parsecs'", "key 'memory'"),
        ("modules = 'a'", "key 'modules'"),
        ('setup = ["a\\nb"]', "key 'setup'"),
        ("directives = [3]", "key 'directives'"),
        ("environment = 'A=1'", "key 'environment'"),
        ("[environment]\n'A B' = 'x'", "'A B' is no variable's name"),
        ("[environment]\nA = 1", "A must be text"),
        ("python = ''", "key 'python'"),
        ("queue = ", "is not TOML"),
    ],
)
def test_each_fault_has_one_clear_sentence(tmp_path: Path, text: str, word: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_site(path, {})
    assert word in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert "\n" not in caught.value.message or word == "is not TOML"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_site(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'queue = "\xe9"')
    with pytest.raises(UsageError, match="is not TOML"):
        load_site(tmp_path / "latin.toml", {})


def test_a_queue_in_the_environment_must_be_a_word() -> None:
    with pytest.raises(UsageError, match=r"\$QUEUE"):
        load_site(None, {"QUEUE": "a b"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("24:00:00", 86400), ("5-00:00:00", 432000), ("90m", 5400), ("36h", 129600), ("2d", 172800)],
)
def test_times(tmp_path: Path, text: str, seconds: int) -> None:
    assert load_site(_file(tmp_path, f'walltime = "{text}"'), {}).walltime_s == seconds


def test_the_example_holds_as_it_stands_and_with_every_line_uncommented(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8")
    assert load_site(EXAMPLE, {}).scheduler is not None
    lines = [line[1:] if line.startswith("#") and line[1:2].strip() else line
             for line in text.splitlines()]  # fmt: skip
    site = load_site(_file(tmp_path, "\n".join(lines)), {})
    default = Site()
    unset = [name for name in vars(default)
             if getattr(site, name) == getattr(default, name) and name != "path"]  # fmt: skip
    # What the example does not change it must still name.
    assert all(name.removesuffix("_s").removesuffix("_mb") in text for name in unset), unset
