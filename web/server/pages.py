"""The editor's pages: one document at each of their addresses, and the files that it is made of."""

from __future__ import annotations

import asyncio
import html
from pathlib import Path

from aiohttp import web

from engine.paths import contains
from web.server.files import FOREVER
from web.server.service import service_of

PAGES = ("/", "/graph/{name}", "/form/{name}")
"""The addresses of the editor, which looks itself at where it is."""

FILES = "/static/{path:.+}"

HASHED = "assets"
"""Where Vite puts what has a digest in its name, and so never changes."""

WITHOUT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Patchbay</title></head>
<body>
<h1>Patchbay</h1>
<p>{advice}</p>
<p>Runs can be submitted all the same: with <code>patchbay submit</code>, or over <a href="/api/openapi.json">HTTP</a>.
</p>
</body>
</html>
"""


async def page(request: web.Request) -> web.StreamResponse:
    """The editor, or how to get it where it is not built."""
    editor = service_of(request).editor
    advice = await asyncio.to_thread(editor.advice)
    if advice is not None:
        text = WITHOUT.format(advice=html.escape(advice))
        return web.Response(text=text, status=503, content_type="text/html", headers={"Cache-Control": "no-store"})
    return web.FileResponse(editor.static / "index.html", headers={"Cache-Control": "no-cache"})


async def file(request: web.Request) -> web.StreamResponse:
    """A file of the editor."""
    folder, name = service_of(request).editor.static, request.match_info["path"]
    path = folder / name
    if not _is_there(folder, path):
        raise web.HTTPNotFound
    never_changes = path.parent == folder / HASHED
    return web.FileResponse(path, headers={"Cache-Control": FOREVER if never_changes else "no-cache"})


def _is_there(folder: Path, path: Path) -> bool:
    try:
        return contains(folder, path) and path.is_file()
    except (OSError, RuntimeError, ValueError):  # a name too long, a circle of links, a null byte
        return False


def add_pages(app: web.Application) -> None:
    """Let an application answer with the editor's pages."""
    for address in PAGES:
        app.router.add_get(address, page)
    app.router.add_get(FILES, file)
