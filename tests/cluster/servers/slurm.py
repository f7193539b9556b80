"""A Slurm of one node, for the user who runs the tests: munged, slurmctld and slurmd.

All lies in one folder: key and socket of munge, the configuration, states and spool; ports are
free ones on loopback. Nothing of the system's own Slurm is read or changed, and none of it needs
root: all three daemons run as the user whose jobs they start.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
from pathlib import Path

from cluster.servers.daemons import Daemons, NotStartedError, free_ports

PACKAGES = "slurm-wlm and munge"
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CONFIGURATION = """\
ClusterName=alos2test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SchedulerParameters=sched_interval=1,bf_interval=1
KillWait=2
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=other Nodes={host} MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Return what is not installed here, or None."""
    lacking = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    return f"{', '.join(lacking)} not installed (Debian: {PACKAGES})" if lacking else None


def start(folder: Path, logs: Path) -> tuple[Daemons, dict[str, str]]:
    """Start the daemons in a folder whose path is short (it holds a socket).

    Returns
    -------
    Daemons
        The running processes.
    dict
        What a client's environment needs.
    """
    host = socket.gethostname().partition(".")[0]
    user = pwd.getpwuid(os.getuid()).pw_name
    configuration = folder / "slurm.conf"
    controller_port, node_port = free_ports(2)
    configuration.write_text(
        _CONFIGURATION.format(
            host=host,
            user=user,
            folder=folder,
            controller_port=controller_port,
            node_port=node_port,
        )
    )
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)

    client = {"SLURM_CONF": str(configuration)}
    daemons = Daemons({"PATH": _PATH, "LC_ALL": "C.UTF-8", **client}, logs)
    daemons.start(
        "munged",
        [
            "munged",
            "--foreground",
            f"--socket={folder}/munge.socket",
            f"--key-file={key}",
            f"--log-file={logs}/munged.log",
            f"--pid-file={folder}/munged.pid",
            f"--seed-file={folder}/munged.seed",
        ],
    )
    daemons.wait("munge's socket", (folder / "munge.socket").exists)
    daemons.start("slurmctld", ["slurmctld", "-D", "-c"])
    daemons.start("slurmd", ["slurmd", "-D", "-c"])

    def idle() -> bool:
        state = daemons.run("sinfo", "--noheader", "--format=%t").split()
        if any(word.startswith(("inval", "drain")) for word in state):
            raise NotStartedError(f"the node is {state}")
        return bool(state) and set(state) == {"idle"}

    daemons.wait("an idle Slurm node", idle)
    return daemons, client
