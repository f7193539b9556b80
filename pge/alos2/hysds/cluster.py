"""Where the services of a HySDS cluster are, and how they are spoken to.

From the environment, else from the ``celeryconfig.py`` that a worker lays into a job's directory:

=================== ==================== =====================================================
environment         celeryconfig.py      what
=================== ==================== =====================================================
ALOS2_MOZART_URL    MOZART_REST_URL      Mozart's REST API
ALOS2_GRQ_URL       GRQ_ES_URL           GRQ's Elasticsearch or OpenSearch
ALOS2_JOBS_URL      JOBS_ES_URL          the index of Mozart's jobs; may be unknown
=================== ==================== =====================================================

Each has ``ALOS2_<...>_CA`` and ``ALOS2_<...>_FINGERPRINT`` (`alos2.catalogue.trust`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from alos2.catalogue.rest import Rest, RestOptions
from alos2.catalogue.trust import trust_for
from alos2.errors import UsageError
from alos2.hysds.accounts import account_for, index_account_for
from alos2.hysds.celeryconfig import FILE_NAME, Settings
from alos2.types import Logins

Service: TypeAlias = Literal["MOZART", "GRQ", "JOBS"]

_SETTINGS: Final[dict[Service, str]] = {
    "MOZART": "MOZART_REST_URL",
    "GRQ": "GRQ_ES_URL",
    "JOBS": "JOBS_ES_URL",
}
_NAMES: Final[dict[Service, str]] = {
    "MOZART": "Mozart",
    "GRQ": "GRQ",
    "JOBS": "the index of Mozart's jobs",
}
_API: Final = "/api/v0.1"


@dataclass(frozen=True)
class Cluster:
    """Addresses of a cluster's services; empty: not known.

    An address may have its login in it, so they are not shown.
    """

    addresses: Mapping[Service, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: Mapping[Service, UsageError] = field(default_factory=dict, repr=False)
    """Why an address is not known, where somebody has tried to set it."""

    def knows(self, service: Service) -> bool:
        """Return whether the address of a service is known."""
        return bool(self.addresses.get(service))


def find_cluster(folder: Path, environment: Mapping[str, str] | None = None) -> Cluster:
    """Return what is known of the cluster that the job in `folder` runs in."""
    values = os.environ if environment is None else environment
    file = folder / FILE_NAME
    found: dict[Service, tuple[str, ...]] = {}
    problems: dict[Service, UsageError] = {}
    for service, name in _SETTINGS.items():
        named = values.get(f"ALOS2_{service}_URL", "").strip()
        try:
            urls = (named,) if named else _configured(file, name)
        except UsageError as error:
            problems[service] = error
        else:
            found[service] = tuple(_with_api(url) for url in urls) if service == "MOZART" else urls
    return Cluster(found, problems)


def _configured(file: Path, name: str) -> tuple[str, ...]:
    return Settings(file).urls(name) if file.is_file() else ()


def connect(
    cluster: Cluster,
    service: Service,
    *,
    logins: Logins | None = None,
    environment: Mapping[str, str] | None = None,
    options: RestOptions | None = None,
) -> Rest:
    """Return a connection to one of the cluster's services.

    Parameters
    ----------
    cluster : Cluster
    service : str
        ``MOZART``, ``GRQ`` or ``JOBS``.
    logins : callable, optional
        Gives the login for a host; default: `accounts_for`.
    environment : mapping, optional
        Where certificates are named; default: the process's environment.
    options : RestOptions, optional
        Patience; trust and logins in it are replaced.

    Raises
    ------
    UsageError
        Its address is not known, or is none.
    """
    if service in cluster.problems:
        raise cluster.problems[service]
    urls = cluster.addresses.get(service, ())
    if not urls:
        raise UsageError(
            f"the address of {_NAMES[service]} is not known",
            hint=f"set ALOS2_{service}_URL, or run where HySDS has laid its {FILE_NAME}",
        )
    trust = trust_for(service, environment)
    return Rest(
        _NAMES[service],
        urls,
        replace(
            options or RestOptions(), trust=trust, logins=logins or accounts_for(service, urls)
        ),
    )


def accounts_for(service: Service, urls: Sequence[str]) -> Logins:
    """Return what gives the logins for a service at these addresses.

    The login that HySDS has for all its indices is for those alone, and never for open
    connections: there it would be refused, where none may be asked for.
    """
    closed = all(urlsplit(url.strip()).scheme == "https" for url in urls)
    return index_account_for if closed and service != "MOZART" else account_for


def _with_api(url: str) -> str:
    """Return Mozart's address with its version, which people leave out."""
    path = urlsplit(url).path
    return url if "/api/" in path else url.rstrip("/") + _API
