"""What a configuration's ``[search]`` asks: of an archive's catalogue, and of scenes in folders."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from functools import cached_property
from typing import Final

from shapely.geometry import shape

from alos2.catalogue.embedded import Query
from alos2.catalogue.embedded.areas import Area, area_of_geometry
from alos2.errors import UsageError
from alos2.sources.portals.gportal.modes import datasets_of, mode_of
from alos2.sources.portals.querytext import parse_days
from alos2.stack.config.model import StackConfig
from alos2.stack.config.read import area_of
from alos2.stack.planning.model import PlannedScene

_DAY: Final = timedelta(days=1, microseconds=-1)


def query_of(config: StackConfig) -> Query:
    """Return what a configuration asks a catalogue.

    All levels are asked for: which of them is taken is decided later, and the rest is named.

    Raises
    ------
    UsageError
        It asks for what cannot be.
    """
    asked = config.search
    start, end = _moments(asked.date)
    query = Query(
        geometry=area_of(config),
        start=start,
        end=end,
        modes=_modes(asked.mode),
        polarizations=tuple(asked.pol),
        pass_direction=asked.pass_,
        look=asked.look,
        paths=asked.path,
        frames=tuple(frame.zfill(4) for frame in asked.frame),
        orbits=asked.orbit,
        off_nadir=asked.off_nadir,
        text=asked.text,
        tags=asked.tag,
        sort=("time", "id"),
    )
    query.check()
    return query


def _modes(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    return tuple(str(mode) for mode in map(mode_of, datasets_of(text)) if mode)


def _moments(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the first and last moment of the days that are meant."""
    if text is None:
        return None, None
    start, end = parse_days(text)
    return (
        None if start is None else datetime.combine(start, time(), timezone.utc),
        None if end is None else datetime.combine(end, time(), timezone.utc) + _DAY,
    )


class Asked:
    """Tells whether a scene that was found in a folder is meant.

    Parameters
    ----------
    query : Query
        As `query_of` gives it.

    Raises
    ------
    UsageError
        It asks for what only a catalogue knows.
    """

    def __init__(self, query: Query) -> None:
        if query.text is not None or query.tags:
            raise UsageError(
                "only an archive can be searched by text and tags, not folders",
                hint="leave them out of [search], or ingest the products",
            )
        self._query = query

    @cached_property
    def _area(self) -> Area | None:
        geometry = self._query.geometry
        return None if geometry is None else area_of_geometry(geometry)

    def means(self, scene: PlannedScene) -> bool:
        """Whether `scene` is meant."""
        query, said = self._query, scene.said
        angle = said("view:off_nadir")
        in_time = (query.start is None or scene.when >= query.start) and (
            query.end is None or scene.when <= query.end
        )
        listed = (
            (query.modes, said("sar:instrument_mode")),
            (query.paths, said("alos2:path")),
            (query.frames, scene.frame),
            (query.orbits, said("sat:absolute_orbit")),
        )
        single = (
            (query.pass_direction, said("alos2:pass")),
            (query.look, said("alos2:look")),
        )
        return (
            in_time
            and all(not wanted or value in wanted for wanted, value in listed)
            and all(wanted in (None, value) for wanted, value in single)
            and set(query.polarizations) <= set(scene.polarizations)
            and (
                query.off_nadir is None
                or (isinstance(angle, float) and query.off_nadir[0] <= angle <= query.off_nadir[1])
            )
            and (self._area is None or bool(self._area.meets(shape(scene.geometry))))
        )
