"""The one line of JSON that ``alos2 info`` and ``alos2 ingest`` print about a product."""

from __future__ import annotations

from pathlib import Path

from alos2.dataset.footprint_report import FootprintAnswer, FootprintReport
from alos2.dataset.identity import dataset_kind
from alos2.dataset.times import utc_text_or_none
from alos2.product.model import Problem, Product, ProductFile
from alos2.types import Json


def product_line(
    product: Product,
    *,
    footprint: FootprintReport | FootprintAnswer | None = None,
    dataset_dir: Path | None = None,
    status: str | None = None,
    metadata_only: bool = False,
) -> Json:
    """Return what is said about `product`: always the same keys, null where nothing is known.

    Parameters
    ----------
    product : Product
        May have problems: nothing of it is required.
    footprint : FootprintReport or FootprintAnswer, optional
        Where it lies; of a report, the chosen answer.
    dataset_dir : Path, optional
        The dataset's folder, once there is one.
    status : str, optional
        What became of it, e.g. ``new``, ``unchanged``, ``replaced``.
    metadata_only : bool, optional
        Whether the dataset describes files that stay where they are.

    Returns
    -------
    Json
        The keys are in docs/dataset.md, "The JSON line".
    """
    kind = dataset_kind(product, metadata_only=metadata_only)
    answer = footprint.chosen if isinstance(footprint, FootprintReport) else footprint
    return {
        "id": kind.id,
        "type": kind.type,
        "dataset": kind.dataset,
        "level": product.level,
        "format": product.format,
        "mode": product.mode,
        "polarizations": list(product.polarizations),
        "beams": [str(beam) for beam in product.beams],
        "look": product.look,
        "pass": product.pass_direction,
        "footprint": None if answer is None else answer.geometry,
        "footprint_source": None if answer is None else answer.source,
        "footprint_method": None if answer is None else answer.method,
        "starttime": utc_text_or_none(product.start_time),
        "endtime": utc_text_or_none(product.end_time),
        "path": product.scene.path,
        "orbit": product.scene.orbit,
        "frame": product.scene.frame,
        "problems": [problem_json(problem) for problem in product.problems],
        "files": [file_line(file) for file in product.files],
        "dataset_dir": None if dataset_dir is None else str(dataset_dir),
        "status": status,
    }


def problem_json(problem: Problem) -> Json:
    """Return a problem as all documents write it."""
    return {
        "code": problem.code,
        "message": problem.message,
        "file": problem.file,
        "blocks_ingest": problem.blocks_ingest,
    }


def file_line(file: ProductFile) -> Json:
    """Return a file of the product as the JSON line writes it."""
    return {
        "name": file.name,
        "size": file.size_bytes,
        "sha256": file.sha256,
        "kind": file.kind,
    }
