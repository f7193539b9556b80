"""What there is: scenes from an archive's catalogue and from folders, with where their files lie.

Nothing is unpacked and no pixel is read. A delivery that cannot be used is named with its reason,
never passed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded.folders import CATALOGUE_FOLDER
from alos2.errors import BadProduct, NothingFound
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.asking import Asked, query_of
from alos2.stack.planning.delivered import Leaders, find_in_folder, leaders_of, scene_of_item
from alos2.stack.planning.model import Inventory, LeftOut

log = logging.getLogger(__name__)


def take_inventory(
    config: StackConfig, *, tell: Callable[[str, int, int | None], None] | None = None
) -> Inventory:
    """Find the scenes that a configuration means.

    Parameters
    ----------
    config : StackConfig
        Its sections ``[stack]`` and ``[search]`` count.
    tell : callable, optional
        Told of progress: stage, done, total.

    Raises
    ------
    NothingFound
        An archive or folder is not there, or there is none to look in.
    UsageError
        It asks for what cannot be.
    PublishFailed, NoResource
        The catalogue cannot be read.
    """
    stack = config.stack
    if stack.archive is None and not stack.folders:
        raise NothingFound(
            "nothing says where the scenes are",
            hint="give [stack] archive or folders (--archive DIR, or a folder)",
        )
    query = query_of(config)
    found = Inventory()
    leaders = leaders_of(stack.leaders)
    if stack.archive is not None:
        _from_archive(stack.archive, query, leaders, found)
    for number, place in enumerate(stack.folders):
        if tell is not None:
            tell("look through", number, len(stack.folders))
        if (place / CATALOGUE_FOLDER).is_dir():
            _from_archive(place, query, leaders, found)
        else:
            _from_folder(place, query, leaders, found)
    unknown = sorted(set(leaders) - {scene.scene for scene in found.scenes})
    for scene in unknown:
        log.info("there is a leader of %s, which was not found", scene)
    return found


def _from_archive(archive: Path, query: Query, leaders: Leaders, found: Inventory) -> None:
    """Add what the catalogue of an archive knows."""
    if not archive.is_dir():
        raise NothingFound(f"there is no archive {archive}")
    found.searched.append(str(archive))
    with EmbeddedCatalogue.open_to_read(archive) as catalogue:
        for hit in catalogue.search(query):
            item = hit.item
            if "alos2:scene" not in item["properties"]:
                continue  # a stack or another thing that is no scene
            try:
                scene = scene_of_item(item, hit.folder, leaders)
            except BadProduct as error:
                found.left_out.append(LeftOut("gone", hit.id, error.message, hit.folder))
            else:
                found.scenes.append(scene)


def _from_folder(place: Path, query: Query, leaders: Leaders, found: Inventory) -> None:
    """Add what lies in a folder or zip."""
    if not place.exists():
        raise NothingFound(f"there is no folder or file {place}")
    found.searched.append(str(place))
    asked = Asked(query)
    for one in find_in_folder(place, leaders):
        if isinstance(one, LeftOut):
            found.left_out.append(one)
        elif asked.means(one):
            found.scenes.append(one)
        else:
            what = "[search] and the area do not mean it"
            found.left_out.append(LeftOut("not_asked_for", one.label, what, one.path))
