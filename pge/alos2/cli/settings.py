"""What may be set for all runs: by the environment (``ALOS2_*``) or a configuration file.

A flag wins over the environment, the environment over the file. The file is
``$ALOS2_CONFIG``, else ``alos2.toml`` in the user's configuration folder; its keys are the field
names below, e.g. ``archive = "/data/alos2"``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.sources.portals.model import PortalProfile


HYSDS_TILE_BUDGET: Final = 3000
"""HySDS uploads each file with locks of its own, and one failure undoes the job."""

_MOST_THREADS: Final = 4
"""Each thread needs some tens of MB."""


def config_file() -> Path | None:
    """Return where the configuration file is looked for; it need not exist.

    None where there is no place for one: a HySDS job may run as a user that nobody knows.
    """
    named = os.environ.get("ALOS2_CONFIG")
    if named:
        return Path(named)
    try:
        return Path(click.get_app_dir("alos2")).expanduser() / "alos2.toml"
    except RuntimeError:
        return None


class Settings(BaseSettings):
    """Settings with their defaults; each has an environment variable ``ALOS2_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="ALOS2_", extra="forbid", env_ignore_empty=True)

    archive: Path | None = None
    """Folder that takes the datasets; else the working directory."""
    sarcat: bool = True
    """Whether the BOS SARCAT footprint catalogue is asked."""
    sarcat_url: str | None = None
    """Another address of it."""
    footprint: Literal["bos_sarcat", "geometry", "raster", "summary", "isce"] | None = None
    """Force one footprint provider."""
    cache: Path | None = None
    """Folder for what need not be asked twice; else the user's cache folder."""
    downloads: Path | None = None
    """Folder for downloads while they are needed; else a hidden one beside the datasets."""
    keep_download: bool = False
    """Whether they stay after their datasets have been made."""
    min_overlap: float = Field(0.8, gt=0, le=1)
    """Area ratio from which a catalogue's footprint is believed."""
    tile_budget: int | None = Field(None, ge=0)
    """Most tile files of a dataset, 0 for any number; else 3000 under HySDS, and any elsewhere."""
    beams: bool = True
    """Whether each beam of ScanSAR level 1.1 gets pictures of its own."""
    pmtiles: bool = False
    """Tiles as PMTiles archives instead of files."""
    cog: Literal["db", "power", "amplitude"] | None = None
    """A Cloud-Optimised GeoTIFF of each polarisation, in this quantity."""
    threads: int | None = Field(None, ge=1, le=64)
    """Threads that draw pictures; else as many as there are cores, but not more than 4."""
    portals: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Sites of portals: ``[portals.<name>]`` of the file, see `alos2.sources.portals.profiles`."""
    limit_total_bytes: int | None = Field(None, gt=0)
    """This and the next: what an archive may unpack to; defaults in `alos2.archive.limits`."""
    limit_file_bytes: int | None = Field(None, gt=0)
    limit_entries: int | None = Field(None, gt=0)
    limit_depth: int | None = Field(None, gt=0)
    limit_ratio: float | None = Field(None, gt=1)
    limit_spare_bytes: int | None = Field(None, ge=0)
    limit_allow_overlap: bool | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flag, then environment, then file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file


def load() -> Settings:
    """Read the settings.

    Raises
    ------
    UsageError
        The file is not TOML, or a value in it or in the environment is not of its type.
    """
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting {name!r}: {first['msg']}",
            hint=f"see ALOS2_{name.upper()} in the environment and {config_file() or 'no file'}",
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{config_file()} cannot be read: {error}", hint="mend or remove it"
        ) from error


def ingest_options(settings: Settings, *, out: Path | None) -> IngestOptions:
    """Return the options of an ingest that the settings imply.

    Parameters
    ----------
    settings : Settings
        As `load` gives them.
    out : Path, optional
        Folder that takes the datasets; else the setting, else the working directory. Under HySDS
        (``_context.json`` is there) always the working directory.
    """
    from alos2.archive.limits import Limits
    from alos2.footprint import FootprintOptions
    from alos2.hysds.workdir import WorkDir
    from alos2.jobs.options import IngestOptions
    from alos2.raster.pictures import PictureOptions

    limits = {
        name.removeprefix("limit_"): value
        for name, value in settings.model_dump(exclude_none=True).items()
        if name.startswith("limit_")
    }
    here = Path.cwd()
    is_hysds = WorkDir(here).is_hysds
    folder = here if is_hysds else out or settings.archive or here
    budget = settings.tile_budget
    if budget is None:
        budget = HYSDS_TILE_BUDGET if is_hysds else 0
    defaults = FootprintOptions()
    return IngestOptions(
        out=folder,
        limits=Limits(**limits),
        downloads=settings.downloads,
        keep_download=settings.keep_download,
        footprint=settings.footprint,
        footprint_options=FootprintOptions(
            sarcat=settings.sarcat,
            sarcat_url=settings.sarcat_url or defaults.sarcat_url,
            min_overlap=settings.min_overlap,
            cache_dir=settings.cache,
        ),
        pictures=PictureOptions(
            tile_budget=budget,
            beams=settings.beams,
            pmtiles=settings.pmtiles,
            cog=settings.cog,
            threads=settings.threads or min(_MOST_THREADS, usable_cores()),
        ),
    )


def portal_profile(settings: Settings, portal: str, name: str | None) -> PortalProfile | None:
    """Return the site of a portal that the settings and the environment mean.

    Parameters
    ----------
    settings : Settings
        As `load` gives them.
    portal : str
        The portal's name, e.g. ``gportal``.
    name : str, optional
        The profile that was asked for.

    Returns
    -------
    PortalProfile or None
        None where nothing is said: the portal knows its own default.

    Raises
    ------
    UsageError
        There is no such portal or profile.
    """
    from alos2.sources.portals.profiles import chosen_profile

    return chosen_profile(portal, name, settings.portals, os.environ)


def usable_cores() -> int:
    """Return how many cores this process may use: a batch system may have lent it only some."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
