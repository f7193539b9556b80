"""Where ``--to`` leads: the rules of a datasets.json, or a folder or URL of one's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from alos2.errors import UsageError
from alos2.publish.model import Placement
from alos2.publish.patterns import rules_document
from alos2.publish.rules import Rules
from alos2.publish.substitute import check_location
from alos2.types import Json

ENVIRONMENT_PREFIX: Final = "ALOS2_"
_STANDARD: Final = "alos2-ingest's own rules"


@dataclass(frozen=True)
class Target:
    """Says for each dataset where it goes."""

    rules: Rules
    names: Mapping[str, str]
    """Values of ``{{ NAME }}``."""
    template: str | None = None
    """Instead of the rules' own places: a location with ``{name}`` that ends in ``{id}``."""

    def placement(self, folder: Path, *, dataset: Json, met: Json) -> Placement:
        """Return where the dataset in `folder` goes.

        Raises
        ------
        PublishFailed
            No rule fits it.
        UsageError
            The rule or the template cannot be filled in, or does not end in the dataset's id.
        """
        if self.template is not None:
            place = _own_place(self.template)
            entries = tuple(
                replace(rule, entry={**rule.entry, "publish": place, "browse": None})
                for rule in self.rules.rules
            )
            filled = replace(self.rules, rules=entries).placement(
                folder, self.names, dataset=dataset, met=met
            )
        else:
            filled = self.rules.placement(folder, self.names, dataset=dataset, met=met)
        for spot in (filled.publish, filled.browse):
            if spot is not None and spot.location.rstrip("/").rpartition("/")[2] != folder.name:
                raise UsageError(
                    f"{spot.location} does not end in the dataset's id: two could meet there",
                    hint="let the location end in /{id}",
                )
        return filled


def target_of(to: str, settings: Sequence[str] = ()) -> Target:
    """Make a target of what the user says.

    Parameters
    ----------
    to : str
        Path of a datasets.json, path of a folder, or a URL; folder and URL may hold ``{name}``
        as a rule's location does, and ``/{id}`` is added where they do not end in it.
    settings : sequence of str
        ``NAME=VALUE`` for the ``{{ NAME }}`` of the rules; the environment's ``ALOS2_<NAME>``
        come after them.

    Raises
    ------
    UsageError
        It is neither, or holds credentials.
    """
    names = {
        key.removeprefix(ENVIRONMENT_PREFIX): value
        for key, value in os.environ.items()
        if key.startswith(ENVIRONMENT_PREFIX) and value
    }
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise UsageError(f"--set {setting!r} is not NAME=VALUE")
        names[name] = value
    if "://" not in to:
        path = Path(to)
        if path.is_file():
            return Target(Rules.read(path), names)
        if ".json" in path.name:
            raise UsageError(f"{to} does not exist", hint="name a datasets.json, a folder or a URL")
        to = str(path.expanduser().absolute())
    check_location(to)
    template = to.rstrip("/")
    if not template.endswith("/{id}"):
        template += "/{id}"
    return Target(Rules.of(rules_document("s3"), _STANDARD), names, template)


def _own_place(template: str) -> Json:
    url = template if "://" in template else f"file://{quote(template, safe='/{}[]')}"
    for scheme, public in (("davs://", "https://"), ("dav://", "http://")):
        if url.startswith(scheme):
            url = public + url.removeprefix(scheme)
    return {"location": template, "urls": [url]}
