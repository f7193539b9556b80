"""A client library of the cluster in place of our own requests, for those who want theirs.

``GrqCatalogue(ClientRequests(elasticsearch.Elasticsearch(...)))``: the connection, its login and
certificates are the client's, and what is sent is the same. Clients that speak to both
Elasticsearch 7 and OpenSearch 2 are elasticsearch 7 up to 7.13 and opensearch-py 2: from 7.14 on,
elasticsearch refuses servers that are not Elastic's. Neither is needed for anything else here.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from typing import Any

from alos2.catalogue.rest import Answer, Params
from alos2.errors import PublishFailed, UsageError
from alos2.types import Json


class ClientRequests:
    """Makes the requests of a `GrqCatalogue` through a client.

    Parameters
    ----------
    client : elasticsearch.Elasticsearch or opensearchpy.OpenSearch
        It stays open.

    Raises
    ------
    UsageError
        It is neither, or of another version.
    """

    def __init__(self, client: Any) -> None:
        package = type(client).__module__.partition(".")[0]
        try:
            self._perform = client.transport.perform_request
            self._failure: type[Exception] = importlib.import_module(
                f"{package}.exceptions"
            ).TransportError
            self._wrong: type[Exception] = importlib.import_module(
                f"{package}.exceptions"
            ).SerializationError
        except (AttributeError, ImportError) as error:
            raise UsageError(
                f"{package} gives no client of the right kind: {error}",
                hint="elasticsearch >=7.10,<7.14 or opensearch-py >=2.3,<3",
            ) from error

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        params: Params | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Make a request; see `alos2.catalogue.rest.Rest.call`.

        Raises
        ------
        PublishFailed
            No answer, or an error; with the server's reason.
        """
        try:
            content = self._perform(method, path, params=dict(params or {}), body=body)
        except self._failure as error:
            status = getattr(error, "status_code", None)
            if not isinstance(status, int):
                raise PublishFailed(f"GRQ does not answer: {type(error).__name__}") from error
            answer = Answer(status, getattr(error, "info", None))
            if status in accept:
                return answer
            raise PublishFailed(
                f"GRQ refuses {method} {path} (HTTP {status}): {answer.reason}"
            ) from error
        except self._wrong as error:
            raise PublishFailed("what GRQ says is no JSON") from error
        return Answer(200, content)
