"""Which scheduler a name means."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from alos2.cluster import registry
from alos2.cluster.registry import known_schedulers, scheduler_for
from alos2.cluster.site import Site
from alos2.errors import NoResource, UsageError


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("qsub", "gridengine"),
        ("bsub", "lsf"),
        ("pbs", "pbs"),
        ("pbs_classic", "torque"),
        ("slurm", "slurm"),
        ("local", "local"),
    ],
)
def test_names(named: str, name: str) -> None:
    assert scheduler_for(Site(), {"QSUB_SYSTEM": named}).name == name
    assert scheduler_for(Site(scheduler=named)).name == name
    assert name in known_schedulers()


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match="'condor' is not known") as caught:
        scheduler_for(Site(scheduler="condor"))
    assert all(name in caught.value.hint for name in known_schedulers())


def test_no_name_says_where_to_write_one() -> None:
    with pytest.raises(UsageError, match="no scheduler is named") as caught:
        scheduler_for(Site(path=Path("/etc/site.toml")))
    assert "/etc/site.toml" in caught.value.hint


def test_without_psij_the_message_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(registry, "psij_installed", lambda: False)
    with pytest.raises(NoResource) as caught:
        scheduler_for(Site(scheduler="slurm"))
    assert "alos2-ingest[cluster]" in caught.value.hint


class _Moon:
    """Somebody else's scheduler."""

    def __init__(self, site: Site) -> None:
        self.name = f"moon of {site.queue}"


def test_a_third_party_adds_one(monkeypatch) -> None:
    mine = EntryPoint("moon", f"{__name__}:_Moon", registry.ENTRY_POINT_GROUP)
    broken = EntryPoint("broken", "no.such.module:thing", registry.ENTRY_POINT_GROUP)
    takeover = EntryPoint("slurm", f"{__name__}:_Moon", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [mine, broken, takeover])
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _module())
    assert scheduler_for(Site(scheduler="moon", queue="luna")).name == "moon of luna"
    assert scheduler_for(Site(scheduler="slurm")).name == "slurm"
    with pytest.raises(UsageError, match="cannot be loaded"):
        scheduler_for(Site(scheduler="broken"))


def _module():
    import types  # noqa: PLC0415

    module = types.ModuleType(__name__)
    module._Moon = _Moon
    return module


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, alos2.cluster.registry, alos2.cluster.site, alos2.cluster.model, "
        "alos2.cluster.userscript, alos2.cluster.witness\n"
        "heavy = {'psij', 'psutil', 'pystache', 'pydantic', 'numpy', 'requests'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
