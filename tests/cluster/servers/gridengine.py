"""A Grid Engine of one host, for the user who runs the tests: sge_qmaster and sge_execd.

It has a cell of its own below an SGE_ROOT in one folder, spooled from the package's files, and
ports of its own. Host names decide everything in Grid Engine; here the master is ``localhost``, and
``host_aliases`` says that all names of this machine mean it, so neither /etc/hosts nor a network
namespace is touched. None of it needs root: the administrator is the user whose jobs are run.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

from cluster.servers.daemons import Daemons, NotStartedError, free_ports

PACKAGES = "gridengine-master, gridengine-exec and gridengine-client"
_PROGRAMS = Path("/usr/lib/gridengine")
_SHARE = Path("/usr/share/gridengine")
_NEEDED = (
    *(_PROGRAMS / name for name in ("sge_qmaster", "sge_execd", "spoolinit", "spooldefaults")),
    _SHARE / "default-configuration",
)
_PATH = "/usr/local/bin:/usr/bin:/bin"

_BOOTSTRAP = """\
admin_user              {administrator}
default_domain          none
ignore_fqdn             true
spooling_method         classic
spooling_lib            libspoolc
spooling_params         {spooling}
binary_path             /usr/lib/gridengine
qmaster_spool_dir       {folder}/spool/qmaster
security_mode           none
listener_threads        2
worker_threads          2
scheduler_threads       1
jvm_threads             0
"""

_QUEUE = """\
qname all.q
hostlist localhost
seq_no 0
load_thresholds NONE
suspend_thresholds NONE
nsuspend 1
suspend_interval 00:05:00
priority 0
min_cpu_interval 00:00:01
processors UNDEFINED
qtype BATCH
ckpt_list NONE
pe_list smp
rerun FALSE
slots 4
tmpdir {folder}/tmp
shell /bin/sh
prolog NONE
epilog NONE
shell_start_mode posix_compliant
starter_method NONE
suspend_method NONE
resume_method NONE
terminate_method NONE
notify 00:00:01
owner_list NONE
user_lists NONE
xuser_lists NONE
subordinate_list NONE
complex_values NONE
projects NONE
xprojects NONE
calendar NONE
initial_state default
"""
_LIMITS = ("rt", "cpu", "fsize", "data", "stack", "core", "rss", "vmem")


def missing() -> str | None:
    """Return what is not installed here, or None."""
    lacking = [path.name for path in _NEEDED if not path.exists()]
    lacking += [name for name in ("qsub", "qstat", "qdel", "qacct") if not shutil.which(name)]
    return f"{', '.join(lacking)} not installed (Debian: {PACKAGES})" if lacking else None


def _lay_out(folder: Path, architecture: str) -> None:
    """Make an SGE_ROOT whose programs are the package's."""
    for name in ("cell/common", "spool/qmaster/job_scripts", "spool/execd", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "util").symlink_to(_SHARE / "util")
    for name in ("bin", "lib", "utilbin"):
        (folder / name).mkdir()
        (folder / name / architecture).symlink_to(_PROGRAMS)
    common = folder / "cell" / "common"
    (common / "bootstrap").write_text(
        _BOOTSTRAP.format(
            administrator="none" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name,
            spooling=f"{common};{folder}/spool/qmaster",
            folder=folder,
        )
    )
    (common / "act_qmaster").write_text("localhost\n")
    (common / "host_aliases").write_text(" ".join(["localhost", *_own_names()]) + "\n")


def _own_names() -> list[str]:
    """Return all names that this machine may be found under, but localhost."""
    own = socket.gethostname()
    found = {own, own.partition(".")[0]}
    for ask, name in ((socket.gethostbyname_ex, own), (socket.gethostbyaddr, "127.0.0.1")):
        try:
            canonical, others, addresses = ask(name)
        except OSError:
            continue
        found |= {canonical, *others} - set(addresses)
    return sorted(found - {"localhost"})


def _configuration(folder: Path) -> str:
    """Return the package's global configuration with short times, and without lowest user id."""
    changed = {
        "execd_spool_dir": f"{folder}/spool/execd",
        "mailer": "/bin/true",
        "min_uid": "0",
        "min_gid": "0",
        "load_report_time": "00:00:01",
        "reporting_params": "accounting=true reporting=false flush_time=00:00:01 "
        "accounting_flush_time=00:00:00 joblog=false sharelog=00:00:00",
    }
    lines = []
    for line in (_SHARE / "default-configuration").read_text().splitlines():
        name = line.split(maxsplit=1)[0] if line.split() else ""
        lines.append(f"{name} {changed[name]}" if name in changed else line)
    return "\n".join(lines) + "\n"


def _spool(daemons: Daemons, folder: Path) -> None:
    """Write the master's first state, as the package's own cluster script does."""
    defaults = str(_PROGRAMS / "spooldefaults")
    resources = _SHARE / "util" / "resources"
    common = folder / "cell" / "common"
    (folder / "global").write_text(_configuration(folder))
    daemons.run(
        str(_PROGRAMS / "spoolinit"),
        "classic",
        "libspoolc",
        f"{common};{folder}/spool/qmaster",
        "init",
    )
    daemons.run(defaults, "configuration", str(folder / "global"))
    daemons.run(defaults, "complexes", str(resources / "centry"))
    daemons.run(defaults, "usersets", str(resources / "usersets"))
    daemons.run(defaults, "managers", pwd.getpwuid(os.getuid()).pw_name)
    daemons.run(defaults, "adminhosts", str(common / "act_qmaster"))


def _set_up(daemons: Daemons, folder: Path) -> None:
    """Tell the running master its hosts, intervals, parallel environment and queue."""
    daemons.run("qconf", "-as", "localhost")
    quick = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
    lines = []
    for line in daemons.run("qconf", "-ssconf").splitlines():
        name = line.split(maxsplit=1)[0] if line.split() else ""
        lines.append(f"{name} {quick[name]}" if name in quick else line)
    (folder / "scheduler").write_text("\n".join(lines) + "\n")
    (folder / "queue").write_text(_queue(folder))
    daemons.run("qconf", "-Msconf", str(folder / "scheduler"))
    daemons.run("qconf", "-Ap", str(_SHARE / "util" / "resources" / "pe" / "smp"))
    daemons.run("qconf", "-Aq", str(folder / "queue"))


def _queue(folder: Path) -> str:
    limits = [f"{kind}_{what} INFINITY" for what in _LIMITS for kind in ("s", "h")]
    return _QUEUE.format(folder=folder) + "\n".join(limits) + "\n"


def start(folder: Path, logs: Path) -> tuple[Daemons, dict[str, str]]:
    """Start both daemons below a folder.

    Returns
    -------
    Daemons
        The running processes.
    dict
        What a client's environment needs.
    """
    script = _SHARE / "util" / "arch"
    architecture = subprocess.run(
        [str(script)], capture_output=True, text=True, check=True
    ).stdout.strip()
    _lay_out(folder, architecture)
    master_port, node_port = free_ports(2)
    client = {
        "SGE_ROOT": str(folder),
        "SGE_CELL": "cell",
        "SGE_QMASTER_PORT": str(master_port),
        "SGE_EXECD_PORT": str(node_port),
    }
    libraries = {"LD_LIBRARY_PATH": str(_PROGRAMS), "SGE_ND": "1"}
    daemons = Daemons({"PATH": _PATH, "LC_ALL": "C.UTF-8", **client, **libraries}, logs)
    _spool(daemons, folder)
    daemons.start("sge_qmaster", [str(_PROGRAMS / "sge_qmaster")])
    daemons.wait("an answer of sge_qmaster", lambda: bool(daemons.run("qconf", "-sh")))
    _set_up(daemons, folder)
    daemons.start("sge_execd", [str(_PROGRAMS / "sge_execd")])

    def reports() -> bool:
        last = daemons.run("qhost").splitlines()[-1].split()
        return last[0] == "localhost" and last[2] != "-"

    try:
        daemons.wait("a report of sge_execd", reports)
    except NotStartedError as error:
        messages = folder / "spool" / "qmaster" / "messages"
        words = messages.read_text("utf-8", "replace").splitlines()[-1:]
        raise NotStartedError(f"{error}; {' '.join(words)}") from None
    return daemons, client
