"""What the routes work with: the parts of one running server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from engine import Catalog, Paths, Settings
    from web.config import Config
    from web.editor_build import Editor
    from web.server.dispatcher import Dispatcher
    from web.server.files import Files
    from web.server.graph_store import GraphStore
    from web.server.hub import Hub
    from web.server.metrics import Metrics
    from web.server.uploads import Uploads
    from web.server.writer import Writer


@dataclass(frozen=True)
class Service:
    """One server's queue, stores and stream, over one catalogue."""

    config: Config
    catalog: Catalog
    writer: Writer
    hub: Hub
    dispatcher: Dispatcher
    graphs: GraphStore
    uploads: Uploads
    files: Files
    metrics: Metrics
    editor: Editor
    paths: Paths = field(init=False)
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", self.config.paths())
        object.__setattr__(self, "settings", self.config.settings())


SERVICE: web.AppKey[Service] = web.AppKey("service")


def service_of(request: web.Request) -> Service:
    """The service behind a request."""
    return request.app[SERVICE]
