"""Which catalogue a job on a node tells of its datasets."""

from __future__ import annotations

from pathlib import Path

from alos2.jobs.metadatajob import Filing
from alos2.types import Json


def filing_for(options: Json) -> Filing | None:
    """Return the catalogue that the options of a chunk name; None where they name none.

    Parameters
    ----------
    options : Json
        ``hysds_dir``: HySDS's own script files the datasets. ``grq``: it is asked first, and
        without ``hysds_dir`` also told. ``dataset_file``: a datasets.json for either.

    Raises
    ------
    UsageError
        What they name is not there, or cannot be.
    """
    place, hysds_dir = options.get("grq"), options.get("hysds_dir")
    dataset_file = options.get("dataset_file")
    if not place and not hysds_dir:
        return None
    where: Json = place or {}
    # Imported when needed: most jobs speak to no catalogue.
    from alos2.scan.grqside import grq_filing  # noqa: PLC0415

    if not hysds_dir:
        return grq_filing(where, dataset_file)
    from alos2.scan.hysdsingest import HysdsIngest  # noqa: PLC0415

    grq = grq_filing(where) if where else None
    return HysdsIngest(Path(hysds_dir), Path(dataset_file) if dataset_file else None, grq)
