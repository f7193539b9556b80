"""A configuration becomes the options of the steps, each of which knows its own alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alos2.ard.options import ArdOptions
from alos2.speckle import SpeckleFilter
from alos2.stack.config.model import SpeckleFilter as Said
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.model import Track
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.animation import AnimationOptions
    from alos2.mosaic import MosaicOptions
    from alos2.timeseries.options import SeriesOptions
    from alos2.timeseries.timescanoptions import TimescanOptions


def speckle_filter(said: Said) -> SpeckleFilter:
    """Return the speckle filter that a section describes.

    OpenSarToolkit has a window of its own for Lee Sigma and Refined Lee, and another one for the
    rest; its number of looks is ``num_of_looks`` for Lee Sigma and ``ENL`` for the others.
    """
    of_window = said.filter in ("Lee Sigma", "Refined Lee")
    size = int(said.window_size.partition("x")[0]) if of_window else said.filter_x_size
    looks = float(said.num_of_looks) if said.filter == "Lee Sigma" else said.ENL
    return SpeckleFilter(
        filter=said.filter,
        window_size=size,
        looks=None if said.estimate_ENL else looks,
        sigma=said.sigma,
        target_window_size=int(said.target_window_size.partition("x")[0]),
        damping=said.damping,
    )


def ard_options(config: StackConfig, track: Track | None = None) -> ArdOptions:
    """Return how scenes become analysis-ready; of a track in the polarisations that it has."""
    said = config.single_ard
    wanted = said.polarisation
    if wanted is not None and track is not None:
        wanted = tuple(pol for pol in track.polarizations if pol in wanted)
    return ArdOptions(
        resolution_m=said.resolution,
        product_type=said.product_type,
        flattening=said.flattening,
        angular_model=said.angular_model,
        create_ls_mask=said.create_ls_mask,
        apply_ls_mask=said.apply_ls_mask,
        remove_speckle=said.remove_speckle,
        speckle_filter=speckle_filter(said.speckle_filter),
        border_px=said.border_px,
        polarizations=wanted,
        layers=said.layers,
        height_m=said.dem.height_m,
    )


def series_options(config: StackConfig) -> SeriesOptions:
    """Return how scenes become a time series."""
    # Imported late, as all below: whoever makes a plan needs none of it.
    from alos2.timeseries.options import SeriesOptions  # noqa: PLC0415

    said = config.time_series_ard
    return SeriesOptions(
        remove_mt_speckle=said.remove_mt_speckle,
        mt_speckle_filter=speckle_filter(said.mt_speckle_filter),
        to_db=said.to_db,
        dtype_output=said.dtype_output,
        apply_ls_mask=said.apply_ls_mask,
        ls_mask=said.ls_mask,
        extent=config.stack.extent,
    )


def timescan_options(config: StackConfig) -> TimescanOptions:
    """Return what is made of each pixel's series; its type is the series' one, as OST has it."""
    from alos2.timeseries.timescanoptions import TimescanOptions  # noqa: PLC0415

    said = config.time_scan_ard
    return TimescanOptions(
        metrics=said.metrics,
        remove_outliers=said.remove_outliers,
        z_threshold=said.z_threshold,
        to_db=config.time_series_ard.to_db,
        dtype=config.time_series_ard.dtype_output,
    )


def mosaic_options(config: StackConfig, area: Json | None) -> MosaicOptions:
    """Return how tracks come together; `area` is the plan's."""
    from alos2.mosaic import MosaicOptions  # noqa: PLC0415

    said = config.mosaic
    cut = area if said.cut_to_aoi and area is not None else None
    return MosaicOptions(
        harmonization=said.harmonization,
        weighting=said.weighting,
        feather_px=said.feather_px,
        cut_to_aoi=cut if cut is None or cut["type"] in ("Polygon", "MultiPolygon") else None,
    )


def animation_options(config: StackConfig) -> AnimationOptions:
    """Return how a series is drawn."""
    from alos2.animation import AnimationOptions  # noqa: PLC0415

    said = config.animation
    return AnimationOptions(
        max_px=said.max_px,
        seconds_per_frame=said.seconds_per_frame,
        stretch=said.stretch,
        limits_db={str(name): limits for name, limits in said.limits_db.items()},
        composite=said.composite,
        polarization=said.polarization,
        title=said.title,
    )
