"""HySDS's rules for every dataset of this suite: made from the grammar of names, not by hand.

``python -m alos2.publish.patterns s3 > config/datasets.json`` (``dav`` for the other file) writes
them. HySDS searches each ``match_pattern`` in the absolute path of a dataset's folder and takes the
first that is found, so that each pattern is anchored at both ends and no name fits two of them.
Sources: HySDS ``recognize.py`` (keys, search, ``str.format``), the ``{{ NAME }}`` of the ``sds``
command's templates, and docs/dataset.md for what each id is filed as.
"""

from __future__ import annotations

import json
import sys
from typing import Final, Literal, TypeAlias

from alos2.dataset.identity import DATASET_VERSION, METADATA_SUFFIX
from alos2.naming import LEVELS, MODES
from alos2.types import Json, Level, ProductFormat

Flavour: TypeAlias = Literal["s3", "dav"]

NAMESPACE: Final = "ariamh::data"
"""First part of HySDS's ipath, as the reference suite has it."""

# No \d: it takes the digits of every script. Every fourth year of this century is a leap year.
_DATE: Final = (
    r"(?=[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)"
    r"|(?:0[13578]|1[02])31)|(?:[02468][048]|[13579][26])0229)"
    r"(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
)
_SCENE: Final = rf"ALOS2(?P<orbit>[0-9]{{5}})(?P<frame>[0-9]{{4}})-{_DATE}"
_OPTIONS: Final[dict[Level, str]] = {
    "1.1": "__",
    "1.5": "[GR][UPML]",
    "2.1": "G[UPML]",
    "3.1": "[GR][UPML]",
}
"""Option and projection that a level can have."""


STACK_PATTERN: Final = (
    r"/(?P<id>ALOS2-STACK-(?:P[0-9]{3}-F[0-9]{4}(?:_F[0-9]{4})?-"
    rf"(?P<mode>{'|'.join(MODES)})-[LR][AD]|MOSAIC-P[0-9]{{3}}(?:_P[0-9]{{3}})?)"
    rf"-20{_DATE}-20[0-9]{{6}}-[0-9a-f]{{8}})\Z"
)
"""Folders of finished stacks (`alos2.stack.result.item`), filed by their first day."""


def match_pattern(level: Level, suffix: str) -> str:
    r"""Return the pattern of the folders of one kind of dataset.

    Parameters
    ----------
    level : str
        JAXA's processing level.
    suffix : str
        What follows scene and product in the id, e.g. ``-ceos-md``.

    Returns
    -------
    str
        Named groups: ``id``, ``orbit``, ``frame``, ``year`` (two digits), ``month``, ``day``,
        ``mode``. It ends in ``\Z`` and not in ``$``, which allows a line's end behind it.
    """
    modes = "|".join(MODES)
    digits = level.replace(".", r"\.")
    product = rf"(?P<mode>{modes})[LR]{digits}{_OPTIONS[level]}[AD]"
    return rf"/(?P<id>{_SCENE}-{product}{suffix})\Z"


def kind_of(level: Level, form: ProductFormat) -> tuple[str, str, str]:
    """Return the id's suffix, type and dataset, as docs/dataset.md has them under Ids."""
    if level == "1.1":
        if form == "ceos":
            return "", "alos2_slc", "ALOS2-L1.1-SLC"
        return "-geotiff", "L1.1_geotiff", "ALOS2-L1.1-GeoTIFF"
    if form == "geotiff":
        return "", f"L{level}_geotiff", "ALOS2_GeoTIFF"
    return "-ceos", f"L{level}_ceos", "ALOS2_CEOS"


def rules_document(flavour: Flavour) -> Json:
    """Return the whole ``datasets.json`` for publishing to S3 or to WebDAV."""
    forms: tuple[ProductFormat, ...] = ("ceos", "geotiff")
    rules = []
    for level in LEVELS:
        for form in forms:
            suffix, kind, dataset = kind_of(level, form)
            rules.append(_rule(level, suffix, kind, dataset, flavour))
            rules.append(
                _rule(level, suffix + METADATA_SUFFIX, f"{kind}_md", f"{dataset}-MD", flavour)
            )
    rules.append(_whole_rule("l3", STACK_PATTERN, "alos2_stack", "ALOS2-STACK", flavour))
    return {"datasets": rules}


def _rule(level: Level, suffix: str, kind: str, dataset: str, flavour: Flavour) -> Json:
    return _whole_rule(f"l{level}", match_pattern(level, suffix), kind, dataset, flavour)


def _whole_rule(level: str, pattern: str, kind: str, dataset: str, flavour: Flavour) -> Json:
    return {
        "ipath": f"{NAMESPACE}/{dataset}",
        "version": DATASET_VERSION,
        "level": level,
        "type": kind,
        "match_pattern": pattern,
        "alt_match_pattern": None,
        "extractor": None,
        "publish": _place("datasets", flavour),
        "browse": _place("browse", flavour),
    }


def _place(room: str, flavour: Flavour) -> Json:
    path = f"{room}/{{type}}/{{version}}/20{{year}}/{{month}}/{{day}}/{{id}}"
    if flavour == "dav":
        return {
            "location": f"davs://{{{{ DAV_SERVER }}}}/{path}",
            "urls": [f"https://{{{{ DAV_SERVER }}}}/{path}"],
        }
    location = f"s3://{{{{ DATASET_S3_ENDPOINT }}}}:80/{{{{ DATASET_BUCKET }}}}/{path}"
    website = f"http://{{{{ DATASET_BUCKET }}}}.{{{{ DATASET_S3_WEBSITE_ENDPOINT }}}}/{path}"
    return {"s3-profile-name": "default", "location": location, "urls": [website, location]}


def rules_text(flavour: Flavour) -> str:
    """Return the file as it is written."""
    return json.dumps(rules_document(flavour), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rules_text("dav" if sys.argv[1:] == ["dav"] else "s3"))
