"""What all routes share: the options, the threads that read, the files."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from alos2.catalogue.search.model import Searchable
from alos2.web.archive import ArchiveFiles
from alos2.web.layers import Layers
from alos2.web.options import ServeOptions
from alos2.web.readers import Readers
from alos2.web.stac.links import Links
from alos2.web.stacks.shelf import StackShelf


@dataclass(frozen=True)
class Context:
    """Of one server."""

    options: ServeOptions
    readers: Readers
    files: ArchiveFiles
    layers: Layers
    stacks: StackShelf

    @classmethod
    def of(cls, request: Request) -> Context:
        """Return that of the server which a request came to."""
        context: Context = request.app.state.context
        return context

    def links(self, request: Request) -> Links:
        """Return addresses that the client of a request can reach."""
        return Links.of(request, self.options)

    def folder(self, catalogue: Searchable, dataset: str) -> str | None:
        """Return the folder of a dataset in the archive, where that is not its id."""
        if self.files.has(dataset):
            return None
        return catalogue.folder_of(dataset)
