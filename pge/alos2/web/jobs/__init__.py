"""Ingest from the page: jobs that run ``alos2 ingest`` in processes of their own.

`board.JobBoard` keeps and runs them, `routes.routes` tells of them over HTTP.
"""

from alos2.web.jobs.board import JobBoard, lifespan
from alos2.web.jobs.routes import routes

__all__ = ["JobBoard", "lifespan", "routes"]
