"""The editor's pages and files: found at their addresses, kept by browsers as long as they stay true."""

import pytest
from aiohttp import ClientSession

from tests.web.fake_npm import write_source
from tests.web.server.site import TOKEN
from web.editor_build import Editor
from web.server.security import HEADERS

ADDRESSES = ["/", "/graph/text_to_image", "/graph/a%20b", "/form/text_to_image"]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_address_of_the_editor_gives_its_page(site, editor, address):
    async with site.client.get(address) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert await response.read() == (editor.static / "index.html").read_bytes()


@pytest.mark.parametrize("address", ADDRESSES)
async def test_the_token_is_swapped_at_every_address(site, address):
    async with ClientSession(site.url) as stranger:
        async with stranger.get(f"{address}?token={TOKEN}&x=1", allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, f"{address}?x=1")
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        async with stranger.get(address, headers={"Cookie": cookie}) as response:
            assert response.status == 200
        stranger.cookie_jar.clear()
        async with stranger.get(address) as response:
            assert response.status == 401


@pytest.mark.parametrize("address", ["/graph", "/graph/", "/graph/a/b", "/form/", "/editor"])
async def test_there_are_no_other_pages(site, address):
    assert (await site.get(address))[0] == 404


@pytest.mark.parametrize(
    ("name", "media_type", "kept"),
    [
        ("assets/index-abcd1234.js", "javascript", "private, max-age=31536000, immutable"),
        ("assets/index-abcd1234.css", "css", "private, max-age=31536000, immutable"),
        ("icon.svg", "svg+xml", "no-cache"),
        ("index.html", "html", "no-cache"),
    ],
)
async def test_only_what_never_changes_is_kept_without_asking(site, name, media_type, kept):
    async with site.client.get(f"/static/{name}") as response:
        assert (response.status, response.content_type.partition("/")[2]) == (200, media_type)
        assert response.headers["Cache-Control"] == kept


async def test_a_browser_that_has_the_page_is_told_so(site):
    async with site.client.get("/") as response:
        tag = response.headers["ETag"]
    async with site.client.get("/", headers={"If-None-Match": tag}) as response:
        assert (response.status, response.headers["Cache-Control"]) == (304, "no-cache")


@pytest.mark.parametrize("name", ["nothing.js", "assets", "assets/", "x" * 300, "assets/" + "y/" * 300])
async def test_a_file_that_is_not_there_is_not_found(site, name):
    assert (await site.get(f"/static/{name}"))[0] == 404


async def test_a_link_out_of_the_folder_is_not_followed(site, editor, home):
    (home / "secret.js").write_text("secret")
    (editor.static / "out.js").symlink_to(home / "secret.js")
    (editor.static / "round.js").symlink_to(editor.static / "round.js")
    assert [(await site.get(f"/static/{name}.js"))[0] for name in ("out", "round")] == [404, 404]


@pytest.fixture
def unbuilt(tmp_path, monkeypatch):
    found = Editor(write_source(tmp_path / "web" / "editor"), tmp_path / "web" / "static")
    monkeypatch.setattr("web.server.app.EDITOR", found)
    return found


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_editor_that_is_not_built_is_replaced_by_a_page_that_names_the_command(
    config, unbuilt, open_site, address
):
    site = await open_site()
    async with site.client.get(address) as response:
        text = await response.text()
        assert (response.status, response.content_type) == (503, "text/html")
        assert response.headers["Cache-Control"] == "no-store"
    assert "patchbay editor build" in text
    assert "<script" not in text
    assert (await site.get("/static/index.html"))[0] == 404
    assert (await site.get("/api/graphs"))[0] == 200


async def test_a_changed_editor_is_not_shown_until_it_is_built(config, unbuilt, open_site):
    site = await open_site()
    unbuilt.static.mkdir()
    (unbuilt.static / "index.html").write_text("old")
    (unbuilt.static / "sources.sha256").write_text("0" * 64)
    status, text = await site.get("/")
    assert (status, b"changed since it was built" in text) == (503, True)
    (unbuilt.static / "sources.sha256").write_text(unbuilt.digest())
    assert await site.get("/") == (200, b"old")
