"""HySDS's datasets.json, read as HySDS reads it: which rule a folder fits, and what follows.

Source: HySDS ``recognize.py``: ``re.search`` of each ``match_pattern`` in the absolute path, the
first that is found wins; the named groups, ``version`` (of the dataset's own document), ``level``
and ``type`` fill in the locations and URLs by ``str.format``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alos2.errors import PublishFailed, UsageError
from alos2.publish.model import Filing, Place, Placement
from alos2.publish.substitute import fill_in
from alos2.types import Json


@dataclass(frozen=True)
class Rule:
    """One entry of datasets.json."""

    pattern: re.Pattern[str]
    alternative: re.Pattern[str] | None
    """Must be found too: in the same path, or in that of a file in the folder."""
    entry: Json
    """As it stands in the file."""
    where: str
    """For messages."""

    def groups(self, found: re.Match[str], folder: Path) -> dict[str, str | None] | None:
        """Return all named groups; None where the alternative pattern is not found."""
        groups = dict(found.groupdict())
        if self.alternative is None:
            return groups
        path = str(folder.absolute())
        inside = sorted(f"{path}/{file.name}" for file in folder.iterdir())
        for candidate in (path, *inside):
            also = self.alternative.search(candidate)
            if also:
                return {**groups, **also.groupdict()}
        return None


@dataclass(frozen=True)
class Rules:
    """A whole datasets.json."""

    name: str
    """Of the file, for messages."""
    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, path: Path) -> Rules:
        """Read a file.

        Raises
        ------
        UsageError
            It cannot be read, or is no datasets.json.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path} is no JSON: {error}") from error
        return cls.of(document, str(path))

    @classmethod
    def of(cls, document: Any, name: str) -> Rules:
        """Make rules of a document.

        Raises
        ------
        UsageError
            It is no datasets.json.
        """
        entries = document.get("datasets") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise UsageError(
                f"{name} has no list 'datasets'", hint="it must be a datasets.json as HySDS has it"
            )
        return cls(
            name, tuple(_rule(entry, f"{name}, rule {n}") for n, entry in enumerate(entries, 1))
        )

    def find(self, folder: Path) -> tuple[Rule, dict[str, str | None]] | None:
        """Return the first rule that fits `folder`, and the groups that its patterns found."""
        path = str(folder.absolute())
        for rule in self.rules:
            found = rule.pattern.search(path)
            groups = None if found is None else rule.groups(found, folder)
            if groups is not None:
                return rule, groups
        return None

    def placement(
        self, folder: Path, names: Mapping[str, str], *, dataset: Json, met: Json
    ) -> Placement:
        """Return where a dataset goes, and as what it is filed.

        Parameters
        ----------
        folder : Path
            The dataset's folder.
        names : mapping
            Values of the file's ``{{ NAME }}``.
        dataset, met : Json
            The dataset's documents.

        Raises
        ------
        PublishFailed
            No rule fits.
        UsageError
            The rule that fits is incomplete, or leaves something open.
        """
        filing, rule, filled = self._filed(folder, names, dataset=dataset, met=met)
        browse = rule.entry.get("browse")
        return Placement(
            filing,
            _place(rule.entry.get("publish"), f"{rule.where}, 'publish',", names, filled),
            None if browse is None else _place(browse, f"{rule.where}, 'browse',", names, filled),
        )

    def filing(self, folder: Path, *, dataset: Json, met: Json) -> Filing:
        """Return as what a dataset is filed that is not published; raises as `placement`."""
        return self._filed(folder, {}, dataset=dataset, met=met)[0]

    def _filed(
        self, folder: Path, names: Mapping[str, str], *, dataset: Json, met: Json
    ) -> tuple[Filing, Rule, Mapping[str, Any]]:
        hit = self.find(folder)
        if hit is None:
            raise PublishFailed(
                f"no rule of {self.name} fits {folder.name}",
                hint="HySDS would refuse it as well; see config/README.md",
            )
        rule, groups = hit
        entry, version = rule.entry, str(dataset.get("version", ""))
        for key in ("ipath", "level", "type"):
            if not isinstance(entry.get(key), str):
                raise UsageError(f"{rule.where} has no text {key!r}")
        if "/" not in entry["ipath"]:
            raise UsageError(f"{rule.where}: ipath has no / before the dataset's name")
        own = {"version": version, "level": entry["level"], "type": entry["type"]}
        filled = {**own, **groups, "dataset": dataset, "met": met}
        filing = Filing(
            ipath=entry["ipath"],
            dataset=entry["ipath"].split("/")[1],
            type=fill_in(entry["type"], names, filled),
            level=fill_in(entry["level"], names, filled),
            version=version,
        )
        return filing, rule, filled


def _rule(entry: Any, where: str) -> Rule:
    """Make a rule; what only publishing needs is looked at when the rule fits a dataset."""
    if not isinstance(entry, dict) or not isinstance(entry.get("match_pattern"), str):
        raise UsageError(f"{where} has no text 'match_pattern'")
    alternative = entry.get("alt_match_pattern")
    try:
        return Rule(
            re.compile(entry["match_pattern"]),
            None if alternative is None else re.compile(alternative),
            entry,
            where,
        )
    except (re.error, TypeError) as error:
        raise UsageError(f"{where}: a pattern is no regular expression: {error}") from error


def _place(place: Any, where: str, names: Mapping[str, str], fields: Mapping[str, Any]) -> Place:
    good = isinstance(place, dict) and isinstance(place.get("location"), str)
    urls = place.get("urls", []) if good else None
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise UsageError(f"{where} needs a text 'location' and a list 'urls'")
    return Place(
        fill_in(place["location"], names, fields),
        tuple(fill_in(url, names, fields) for url in urls),
        place.get("s3-profile-name"),
    )
