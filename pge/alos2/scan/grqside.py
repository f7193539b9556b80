"""Datasets of metadata filed straight into HySDS's catalogue (GRQ), from a node of a cluster."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeVar

from alos2.catalogue import GrqCatalogue, Rest, RestOptions, Trust, grq_document, trust_for
from alos2.dataset.documents import DATASET_SUFFIX, MET_SUFFIX
from alos2.dataset.write import Status
from alos2.errors import BadDocument, LoginFailed, PublishFailed, UsageError
from alos2.hysds.accounts import account_for
from alos2.jobs.metadatajob import Filed
from alos2.publish.rules import Rules
from alos2.types import Json

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

NAMESPACE: Final = "ariamh::data"
"""Of HySDS's ipath, where no datasets.json says another."""

_MOST_SILENCES: Final = 2
"""After so many failures to reach it one after the other, it is not asked again by this job."""


class GrqFiling:
    """A catalogue of HySDS that is asked before a dataset is made, and told afterwards.

    A refused login is not tried again: a thousand scenes on fifty nodes would lock the account.

    Parameters
    ----------
    catalogue : GrqCatalogue
    rules : Rules, optional
        A cluster's datasets.json: as what datasets are filed there.
    """

    def __init__(self, catalogue: GrqCatalogue, rules: Rules | None = None) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._silences = 0
        self._final: LoginFailed | PublishFailed | None = None

    def holds(self, dataset_id: str) -> bool:
        """Return whether a dataset is there, in whatever index.

        Raises
        ------
        PublishFailed, LoginFailed
            It does not say.
        """

        def ask() -> bool:
            return self._catalogue.exists(dataset_id)

        try:
            held = self._tried(ask)
        except PublishFailed as error:
            self._silences += 1
            if self._silences >= _MOST_SILENCES:
                self._final = error
            raise
        self._silences = 0
        return held

    def file(self, folder: Path, status: Status) -> Filed:
        """File a dataset, unless another one of its id is there.

        Parameters
        ----------
        folder : Path
            The dataset's.
        status : str
            What became of it there: one that was replaced replaces its document too.

        Raises
        ------
        PublishFailed, LoginFailed
            The catalogue does not take it.
        """
        document = self.document(folder)

        def is_ours(there: Json) -> bool:
            return status == "replaced" or there.get("urls") == document["urls"]

        return self._tried(lambda: self._catalogue.put(document, replace=is_ours))

    def forget(
        self, dataset_id: str, folder: Path, is_ours: Callable[[Json], bool]
    ) -> Literal["removed", "absent", "left"]:
        """Take out the document of a dataset, if it is of the one in `folder`.

        Parameters
        ----------
        dataset_id : str
        folder : Path
            Where it lies, or lay.
        is_ours : callable
            Whether a document, besides, is the one that is meant.

        Raises
        ------
        PublishFailed, LoginFailed
            The catalogue does not do it.
        """
        address = folder.absolute().as_uri()

        def both(there: Json) -> bool:
            return address in (there.get("urls") or ()) and is_ours(there)

        return self._tried(lambda: self._catalogue.forget(dataset_id, both))

    def document(self, folder: Path) -> Json:
        """Return the catalogue's document of the dataset in `folder`.

        Raises
        ------
        BadDocument
            Its documents cannot be read.
        PublishFailed
            No rule fits it.
        """
        dataset, met = (_read(folder, suffix) for suffix in (DATASET_SUFFIX, MET_SUFFIX))
        if self._rules is None:
            ipath, kind = f"{NAMESPACE}/{met['dataset']}", str(met["type"])
            level = str(met["level"]).lower()
        else:
            filing = self._rules.filing(folder, dataset=dataset, met=met)
            ipath, level, kind = filing.ipath, filing.level, filing.type
        return grq_document(
            folder.name,
            dataset,
            met,
            ipath=ipath,
            level=level,
            dataset_type=kind,
            urls=[folder.absolute().as_uri()],
        )

    def _tried(self, ask: Callable[[], _Result]) -> _Result:
        if self._final is not None:
            self._again()
        try:
            return ask()
        except LoginFailed as error:
            self._final = error
            raise

    def _again(self) -> NoReturn:
        final = self._final
        if isinstance(final, LoginFailed):
            raise LoginFailed(final.message, hint=final.hint)
        message = "" if final is None else final.message
        raise PublishFailed(
            f"{message}; not asked again", hint="submit what has failed when the catalogue answers"
        )


def _read(folder: Path, suffix: str) -> Json:
    path = folder / f"{folder.name}{suffix}"
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadDocument(f"{path} cannot be read: {error}", hint="make it anew") from error
    if not isinstance(document, dict):
        raise BadDocument(f"{path} is no object", hint="make it anew")
    return document


def grq_filing(place: Json, dataset_file: str | None = None) -> GrqFiling:
    """Connect to a catalogue.

    Parameters
    ----------
    place : Json
        ``url``, and perhaps ``ca`` (a PEM file) and ``fingerprint`` (SHA-256), else
        ``$ALOS2_GRQ_CA`` and ``$ALOS2_GRQ_FINGERPRINT``; ``alias``, if it is not ``grq``. The login
        comes from where all logins come: never from here.
    dataset_file : str, optional
        A datasets.json.

    Raises
    ------
    UsageError
        The address is none, or holds a password; a certificate or datasets.json cannot be read.
    """
    url = place.get("url")
    if not isinstance(url, str):
        raise UsageError("there is no address of GRQ")
    if "@" in url:
        raise UsageError(
            "the address of GRQ holds a login, which batch systems would show to all",
            hint="put it into a credential profile or netrc: docs/credentials.md",
        )
    named = place.get("ca"), place.get("fingerprint")
    trust = trust_for("GRQ")
    if any(named):
        trust = Trust(Path(named[0]) if named[0] else None, named[1] or None)
    rest = Rest("GRQ", url, RestOptions(trust=trust, logins=account_for))
    rules = Rules.read(Path(dataset_file)) if dataset_file else None
    return GrqFiling(GrqCatalogue(rest, alias=str(place.get("alias") or "grq")), rules)
