"""From a scheduler's refusal to the line of the site file that would mend it."""

from __future__ import annotations

import re
from typing import Final

from alos2.cluster.site import Site

_KEYS: Final = (
    ("walltime", r"walltime|time[ _-]?limit|wall[ _-]?clock|run ?limit|h_rt"),
    ("memory", r"memory|\bmem\b|h_vmem"),
    ("parallel_environment", r"parallel environment|\bPE\b"),
    ("project or account", r"project|account|billing|fairshare|charge"),
    ("queue", r"queue|partition|destination"),
    ("cpus", r"cpu|ncpus|core|node configuration|nodes? count|processors|resource"),
    ("directives", r"option|directive|argument|usage|syntax|illegal|unknown|invalid"),
)


def hint_for(words: str, site: Site) -> str:
    """Return what to do about a scheduler's refusal: the key that its words are about."""
    for keys, pattern in _KEYS:
        if re.search(pattern, words, re.IGNORECASE):
            where = "$QUEUE or " if keys == "queue" else ""
            return f"mend {keys} in {where}{site.file}"
    return f"see the queue, project, account and walltime in {site.file}"
