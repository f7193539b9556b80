"""What a mosaic must know of its inputs before a block can be made: gains and feathers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from alos2.mosaic.cells import Cells, Feather, read_cells
from alos2.mosaic.harmonise import harmonise
from alos2.mosaic.metrics import Rule, rule_of
from alos2.mosaic.model import Gains, MosaicOptions
from alos2.mosaic.reading import Layer, Rasters
from alos2.raster.pictures import Cancelled, Progress


@dataclass(frozen=True)
class Prepared:
    """What must be known of the whole inputs before a block can be made."""

    layers: tuple[Layer, ...]
    gains: Gains
    feathers: tuple[Feather | None, ...]


def prepare(
    rasters: Rasters,
    layers: Sequence[Layer],
    pool: ThreadPoolExecutor,
    *,
    threads: int,
    rule: Rule,
    gains: Gains | None,
    options: MosaicOptions,
    progress: Progress,
    cancelled: Cancelled,
) -> Prepared:
    """Read what must be known of the whole inputs: once, and only those of which it is needed.

    Raises
    ------
    BadProduct
        A file cannot be read.
    Interrupted
        `cancelled` said so.
    """
    none = Gains({layer.input.track: 0.0 for layer in layers})
    wanted = options.harmonization and gains is None and rule == rule_of(None) and len(layers) > 1
    feathered = options.weighting == "feather" and rule.combine != "sum"
    cells: dict[str, Cells] = {}
    for layer in layers:
        if wanted or (feathered and _meets_another(layer, layers)):
            cells[layer.input.track] = read_cells(
                rasters, layer, pool, threads, progress=progress, cancelled=cancelled
            )
    found = harmonise(cells) if wanted else gains if options.harmonization else None
    feathers = (
        cells[layer.input.track].feather() if feathered and layer.input.track in cells else None
        for layer in layers
    )
    return Prepared(tuple(layers), found or none, tuple(feathers))


def _meets_another(layer: Layer, layers: Sequence[Layer]) -> bool:
    return any(other is not layer and layer.place.within(other.place) for other in layers)
