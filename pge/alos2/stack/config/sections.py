"""The sections of a configuration that say what is made: names as OpenSarToolkit has them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from alos2.stack.config.base import OURS, File, Section, Words, said
from alos2.types import Polarization

Filter = Literal[
    "None", "Boxcar", "Median", "Frost", "Gamma Map", "Lee", "Refined Lee", "Lee Sigma"
]  # fmt: skip
Channel = Literal["HH", "HV", "VH", "VV", "ratio"]
DAY: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
BLOCK_LINES: Final = 512
"""Work is cut at multiples of so many lines."""

METRIC_NAMES: Final = (
    "avg", "max", "min", "median", "std", "cov", "p5", "p95", "percentiles", "harmonics", "count",
    "amplitude", "phase", "trend", "model_mean", "residuals",
)  # fmt: skip


class SpeckleFilter(Section):
    """A local speckle filter."""

    filter: Filter = said("Refined Lee", "Which one. None leaves the values as they are.")
    ENL: float = said(1.0, "Equivalent number of looks, where it is not estimated.", gt=0)
    estimate_ENL: bool = said(  # noqa: N815  OpenSarToolkit's name
        True, "Whether the number of looks is taken from the product or estimated."
    )
    sigma: float = said(
        0.9, "Lee Sigma: share of the speckle's distribution that is averaged.", ge=0.5, le=0.98
    )
    filter_x_size: int = said(
        3, "Boxcar, Median, Frost, Gamma Map, Lee: pixels of the window across, odd.", ge=3, le=31
    )
    filter_y_size: int = said(3, "The same down; windows are square.", ge=3, le=31)
    window_size: str = said("7x7", "Lee Sigma: window. Refined Lee is 7x7 and no other.")
    target_window_size: Literal["3x3", "5x5"] = said(
        "3x3", "Lee Sigma: window of the first guess of the mean."
    )
    num_of_looks: int = said(
        1, "Lee Sigma: number of looks, where it is not estimated.", ge=1, le=100
    )
    damping: float = said(2.0, "Frost: how fast weights fall with distance.", ge=0, le=100)

    @field_validator("filter_x_size", "filter_y_size", mode="after")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("odd numbers of pixels are allowed: a window has a middle")
        return value

    @field_validator("window_size", "target_window_size", mode="before")
    @classmethod
    def _square(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value}x{value}"
        return value

    @field_validator("window_size", mode="after")
    @classmethod
    def _odd_square(cls, value: str) -> str:
        side, _, other = value.partition("x")
        if not (side.isdecimal() and side == other and int(side) % 2 and 3 <= int(side) <= 31):
            raise ValueError("odd squares from 3x3 to 31x31 are allowed, such as 7x7")
        return value

    @model_validator(mode="after")
    def _one_size(self) -> SpeckleFilter:
        if self.filter_x_size != self.filter_y_size:
            raise ValueError(
                f"filter_x_size {self.filter_x_size} and filter_y_size {self.filter_y_size} "
                "differ: windows are square"
            )
        if self.filter == "Refined Lee" and self.window_size != "7x7":
            raise ValueError(f"window_size {self.window_size}: Refined Lee knows 7x7 only")
        return self


class MtSpeckleFilter(SpeckleFilter):
    """The local mean within the multi-temporal filter."""

    filter: Filter = said(
        "Boxcar",
        "Which one. A boxcar keeps the mean of speckle; OpenSarToolkit takes Refined Lee, which "
        "lowers it (docs/time-series.md). None leaves the values as they are.",
    )
    filter_x_size: int = said(
        7, "Boxcar, Median, Frost, Gamma Map, Lee: pixels of the window across, odd.", ge=3, le=31
    )
    filter_y_size: int = said(7, "The same down; windows are square.", ge=3, le=31)


class DemFile(Section):
    """A digital elevation model."""

    path: File | None = said(
        None,
        "GeoTIFF, VRT or COG of heights. Level 1.1 and 1.5, RTC-gamma0 and the layover and shadow "
        "mask need one.",
        ost="dem_file, dem_name",
    )
    heights: str = said(
        "auto",
        "What its heights refer to: auto (its vertical CRS says), ellipsoid, egm96, egm2008, a "
        "file of geoid undulations, or their value in metres.",
        ost="egm_correction",
    )
    fill_m: float | None = said(
        None,
        "Height that its holes have, m, in its own reference (0: a DEM that leaves out the sea). "
        "Without it there is no data in holes.",
        ge=-1000, le=10000, ost="dem_nodata",
    )  # fmt: skip
    height_m: float = said(
        0.0, "Without a DEM: height of all the ground above the ellipsoid, m.", ge=-1000, le=10000
    )


class SingleArd(Section):
    """How a scene becomes analysis-ready."""

    resolution: float = said(
        25.0, "Pixel spacing, m (degrees where the CRS counts degrees).",
        gt=0, le=10000, old="outResolution",
    )  # fmt: skip
    product_type: Literal["GTC-sigma0", "GTC-gamma0", "RTC-gamma0"] = said(
        "RTC-gamma0",
        "Sigma nought or gamma nought of the ellipsoid, or terrain-flattened gamma nought.",
        old="outPrdType",
    )
    flattening: Literal["auto", "area", "angular"] = said(
        "auto",
        "RTC-gamma0: by illuminated area (needs an orbit), by local angles, or by area where there "
        "is an orbit.",
        ost=OURS,
    )
    angular_model: Literal["volume", "surface"] = said(
        "volume",
        "Of flattening by angles: scatterers fill a volume, or lie on a surface.",
        ost=OURS,
    )
    polarisation: Annotated[tuple[Polarization, ...] | None, Field(strict=False)] = said(
        None, "Polarisations to make, such as [\"HH\", \"HV\"]. Without it all that there are.",
        old="polarisation",
    )  # fmt: skip
    border_px: int = said(
        0, "Pixels that are taken off along the edge of valid data.",
        ge=0, le=1000, ost="remove_border_noise",
    )  # fmt: skip
    create_ls_mask: bool = said(
        True, "Whether layover and shadow are marked in the mask layer.", old="lsMask"
    )
    apply_ls_mask: bool = said(
        False, "Whether layover and shadow become no data in the scenes themselves."
    )
    remove_speckle: bool = said(False, "Whether each scene is speckle-filtered.", old="spkFlt")
    layers: Annotated[tuple[Literal["lia", "ei", "area", "gs"], ...], Field(strict=False)] = said(
        ("lia", "ei", "area", "gs"),
        "Layers beside backscatter and mask: local and ellipsoid incidence angle, scattering area, "
        "ratio of gamma to sigma nought.",
        ost=OURS,
    )
    speckle_filter: SpeckleFilter = said(SpeckleFilter(), "The filter of remove_speckle.")
    dem: DemFile = said(DemFile(), "The digital elevation model.")

    @model_validator(mode="after")
    def _mask_is_made(self) -> SingleArd:
        if self.apply_ls_mask and not self.create_ls_mask:
            raise ValueError("apply_ls_mask needs create_ls_mask")
        return self

    @field_validator("polarisation", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        # OpenSarToolkit writes them as one text.
        return [w.strip() for w in value.split(",")] if isinstance(value, str) else value


class TimeSeriesArd(Section):
    """How scenes become a time series."""

    remove_mt_speckle: bool = said(
        True, "Whether the series is speckle-filtered over time (Quegan & Yu).", old="mtSpkFlt"
    )
    apply_ls_mask: bool = said(
        False, "Whether layover and shadow become no data in the series.", old="lsMask"
    )
    ls_mask: Literal["date", "union"] = said(
        "date", "Which: of each date its own, or of all dates that of any.", ost=OURS
    )
    to_db: bool = said(True, "Values in dB, else in power.", old="toDB")
    dtype_output: Literal["float32", "uint8", "uint16"] = said(
        "float32", "Type of the values; whole numbers are codes of dB from -30 to 5.", old="dType"
    )
    cube: Literal["none", "netcdf", "zarr"] = said(
        "none", "Whether the series is written as one CF cube too.", ost=OURS
    )
    mt_speckle_filter: MtSpeckleFilter = said(
        MtSpeckleFilter(), "The local filter within remove_mt_speckle."
    )

    @model_validator(mode="after")
    def _codes_are_db(self) -> TimeSeriesArd:
        if self.dtype_output != "float32" and not self.to_db:
            raise ValueError(
                f"dtype_output {self.dtype_output} needs to_db: its codes are decibels"
            )
        return self


class TimeScanArd(Section):
    """What is made of the series of each pixel."""

    metrics: Words = said(
        ("avg", "max", "min", "std", "cov"), f"Which of {', '.join(METRIC_NAMES)}.", old="metrics"
    )
    remove_outliers: bool = said(
        True, "Whether outliers of each pixel's series are left out.", old="outRem"
    )
    z_threshold: float = said(
        2.0,
        "Outliers: standard deviations from the mean of the values within p5 and p95.",
        gt=0,
        ost=OURS,
    )

    @field_validator("metrics", mode="after")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if word not in METRIC_NAMES:
                raise ValueError(f"{word!r} is not one of {', '.join(METRIC_NAMES)}")
        if not value:
            raise ValueError("a timescan has at least one metric")
        return value


class Mosaic(Section):
    """How tracks come together."""

    harmonization: bool = said(
        True, "Whether tracks are brought to one level by the statistics of their overlaps."
    )
    cut_to_aoi: bool = said(True, "Whether what lies beyond the area becomes no data.")
    incomplete: bool = said(
        True,
        "Whether dates that not every track has a partner for become mosaics too, of the tracks "
        "that there are.",
        ost=OURS,
    )
    date_window_days: float = said(
        15.0,
        "Acquisitions that lie at most so many days apart make one mosaic.",
        ge=0,
        ost=OURS,
    )
    feather_px: float | None = said(
        None, "Feathering: distance from the edge, pixels, from which on all weights are the same."
        " Without it the passage is as wide as the overlap.", gt=0, ost=OURS)  # fmt: skip
    weighting: Literal["feather", "area", "none"] = said(
        "feather", "Where tracks overlap: by distance from the edge, by local resolution (Small "
        "2012; where the scattering area is known), or all the same (the plain mean).",
        ost=OURS,
    )  # fmt: skip


class Animation(Section):
    """What is drawn of a series."""

    formats: Annotated[tuple[Literal["gif", "mp4"], ...], Field(strict=False)] = said(
        ("gif",), "Files to make: gif, mp4; none with []."
    )
    seconds_per_frame: float = said(
        1.0, "Seconds for which a date is shown.", gt=0, le=60, ost="duration"
    )
    max_px: int = said(
        1024, "Longer side of the pictures, pixels.", ge=64, le=4096,
        ost="shrink_factor",
    )  # fmt: skip
    stretch: Literal["percentile", "fixed"] = said(
        "percentile", "From black to white: percentiles of the whole stack, or fixed decibels."
    )
    limits_db: dict[Channel, Annotated[tuple[float, float], Field(strict=False)]] = said(
        {},
        "Decibels of black and of white by polarisation, or by ratio (of the composite), before "
        "all other limits, such as { HH = [-18, 0] }.",
    )
    composite: bool = said(True, "Whether two polarisations make one picture in colours.")
    polarization: Polarization | None = said(
        None, "Draw this one alone, in grey. Without it the composite, or HH, else VV."
    )
    title: str = said("", "Goes before the date in each picture.")
    before: str | None = said(
        None, "Day of the pair's first picture, 2020-07-13, or the date nearest to it. Without "
        "it the first of all.", pattern=DAY
    )  # fmt: skip
    after: str | None = said(
        None, "The same of its second picture. Without it the last of all.", pattern=DAY
    )

    @field_validator("before", "after", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        # TOML and YAML have dates of their own.
        return value.isoformat() if type(value) is date else value

    @field_validator("before", "after", mode="after")
    @classmethod
    def _is_in_the_calendar(cls, value: str | None) -> str | None:
        if value is not None:
            date.fromisoformat(value)
        return value

    @field_validator("limits_db", mode="after")
    @classmethod
    def _have_width(
        cls, value: dict[Channel, tuple[float, float]]
    ) -> dict[Channel, tuple[float, float]]:
        for name, (low, high) in value.items():
            if not low < high:
                raise ValueError(f"the limits of {name}, {low:g} and {high:g} dB, have no width")
        return value


class Cluster(Section):
    """How the work is spread over a cluster."""

    site: File | None = said(
        None, "Site file of the scheduler (docs/schedulers.md). Without one all runs here."
    )
    lines_per_job: int = said(
        4096, "Lines of a series or timescan that one job does, a multiple of 512.", ge=BLOCK_LINES
    )

    @field_validator("lines_per_job", mode="after")
    @classmethod
    def _blocks(cls, value: int) -> int:
        if value % BLOCK_LINES:
            raise ValueError(f"multiples of {BLOCK_LINES} are allowed")
        return value
