"""Pictures over HTTP: as they were made, small, and where they come from; and those that people bring."""

import hashlib
import io
import pickle
import struct
import zlib

import pytest
from PIL import Image

from tests.web.server.kit import draw, pictures_in


def png(color=(200, 30, 30), size=(90, 60)):
    found = io.BytesIO()
    Image.new("RGB", size, color).save(found, "PNG")
    return found.getvalue()


def bomb():
    """A small file that says it has 2**30 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1 << 15, 1 << 15, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


async def made(site, shade=1):
    run = await site.done(draw(shade))
    return run, run["files"][0]["digest"]


async def upload(site, data, media_type="image/png"):
    return await site.post("/api/uploads", data=io.BytesIO(data), headers={"Content-Type": media_type})


async def test_a_picture_comes_as_it_lies_on_the_disk(site, home):
    _, digest = await made(site)
    (path,) = pictures_in(home)
    data = path.read_bytes()
    async with site.client.get(f"/api/artifacts/{digest}") as response:
        assert (response.status, response.content_type, await response.read()) == (200, "image/png", data)
        assert response.headers["ETag"] == f'"{digest}"'
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert hashlib.sha256(data).hexdigest() == digest
    async with site.client.get(f"/api/artifacts/{digest}", headers={"If-None-Match": f'"{digest}"'}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with site.client.get(f"/api/artifacts/{digest}", headers={"Range": "bytes=8-15"}) as response:
        assert (response.status, await response.read()) == (206, data[8:16])
    status, problem = await site.get(f"/api/artifacts/{digest}", headers={"Range": f"bytes={len(data)}-"})
    assert (status, problem["status"]) == (416, 416)


async def test_a_thumbnail_is_never_wider_than_the_picture(site):
    _, digest = await made(site)
    async with site.client.get(f"/api/artifacts/{digest}?width=64") as response:
        assert (response.status, response.content_type) == (200, "image/webp")
        assert Image.open(io.BytesIO(await response.read()), formats=["WEBP"]).size == (2, 2)
    for width in ("63", "1025", "-1", "x", "1e3", "9" * 50):
        status, problem = await site.get(f"/api/artifacts/{digest}?width={width}")
        assert (status, problem["pointer"]) == (400, "/width")


async def test_a_picture_tells_which_graph_and_values_made_it(site):
    run, digest = await made(site, 5)
    status, origin = await site.get(f"/api/artifacts/{digest}/origin")
    assert (status, origin["run"], origin["inputs"]) == (200, run["id"], {})
    assert origin == (await site.get(f"/api/runs/{run['id']}/graph"))[1]
    assert (await site.done(origin["graph"]))["files"][0]["digest"] == digest


async def test_a_picture_that_two_runs_made_is_found_while_one_has_it(site, home):
    await made(site)
    await made(site)
    first, second = pictures_in(home)
    digest = hashlib.sha256(second.read_bytes()).hexdigest()
    second.unlink()
    assert (await site.get(f"/api/artifacts/{digest}"))[0] == 200
    first.unlink()
    status, problem = await site.get(f"/api/artifacts/{digest}")
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_flipped_bit_is_not_sent(site, home):
    _, digest = await made(site)
    (path,) = pictures_in(home)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    for query in ("", "?width=64"):
        status, problem = await site.get(f"/api/artifacts/{digest}{query}")
        assert (status, problem["code"]) == (410, "damaged")


@pytest.mark.parametrize(
    "digest", ["0" * 64, "x", "..%2F..%2Fqueue.db", "%00", "%ED%A0%80", "%F0%9F%A6%8A", "A" * 4000]
)
async def test_what_no_run_has_made_is_not_there(site, digest):
    for rest in ("", "/origin"):
        status, problem = await site.get(f"/api/artifacts/{digest}{rest}")
        assert (status, problem["code"]) == (404, "not_found")


async def test_a_run_whose_folder_lies_elsewhere_is_not_served(site, home):
    """A queue that was moved here from another machine may name any path."""
    run, digest = await made(site)
    other = home.parent / "other"
    (home / "outputs").rename(other)

    def misplace(queue):
        queue._put(queue.get(run["id"]).to(folder=str(other / "000001-fox")))

    await site.service.writer.do(misplace)
    status, problem = await site.get(f"/api/artifacts/{digest}")
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_picture_is_kept_by_its_content_and_used_by_a_graph(site, home):
    data = png()
    digest = hashlib.sha256(data).hexdigest()
    for media_type in ("image/png", "application/octet-stream"):
        status, found = await upload(site, data, media_type)
        assert (status, found["width"], found["height"], found["media_type"]) == (201, 90, 60, "image/png")
        assert found["name"] == f"uploads/{digest}.png"
    assert [path.read_bytes() for path in (home / "inputs" / "uploads").iterdir()] == [data]
    graph = {
        "version": 1,
        "nodes": {"load": {"type": "LoadImage", "inputs": {"file": found["name"]}}},
        "interface": {"inputs": {"file": "load.file"}, "outputs": {"image": "load.image"}},
    }
    run = await site.done(graph)
    async with site.client.get(f"/api/artifacts/{run['files'][0]['digest']}") as response:
        picture = Image.open(io.BytesIO(await response.read()), formats=["PNG"])
    assert (picture.size, picture.getpixel((3, 3))) == ((90, 60), (200, 30, 30))
    status, problem = await site.post("/api/runs", {"graph": graph, "inputs": {"file": "../queue.db"}})
    assert (status, problem["pointer"]) == (422, "/inputs/file")


async def test_what_a_graph_may_name_is_shown_before_it_runs(site, home):
    _, found = await upload(site, png())
    (home / "inputs" / "deep" / "er").mkdir(parents=True)
    (home / "inputs" / "deep" / "er" / "my picture é.png").write_bytes(png((1, 2, 3)))
    for name, data in ((found["name"], png()), ("deep/er/my picture é.png", png((1, 2, 3)))):
        async with site.client.get(f"/api/inputs/{name}") as response:
            assert (response.status, response.content_type, await response.read()) == (200, "image/png", data)
            assert response.headers["Cache-Control"] == "private, no-cache"
            etag = response.headers["ETag"]
        async with site.client.get(f"/api/inputs/{name}", headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with site.client.get(f"/api/inputs/{name}?width=64") as response:
            assert (response.status, response.content_type) == (200, "image/webp")
            assert Image.open(io.BytesIO(await response.read()), formats=["WEBP"]).width == 64
    async with site.client.get("/api/inputs/sailboat.png") as response:
        assert (response.status, response.content_type) == (200, "image/png")
    (home / "inputs" / "deep" / "er" / "my picture é.png").write_bytes(png((9, 9, 9)))
    async with site.client.get("/api/inputs/deep/er/my picture é.png") as response:
        assert await response.read() == png((9, 9, 9))


@pytest.mark.parametrize(
    "name", ["gone.png", "..%2Fqueue.db", "..%2f..%2fsecret.png", "%2Fetc%2Fpasswd", "out/secret.png", "%00", "."]
)
async def test_what_a_graph_may_not_name_is_not_shown(site, home, name):
    (home.parent / "secret.png").write_bytes(png())
    (home / "inputs").mkdir(exist_ok=True)
    (home / "inputs" / "out").symlink_to(home.parent)
    status, problem = await site.get(f"/api/inputs/{name}")
    assert (status, problem["code"]) in ((404, "not_found"), (422, "bad_picture"))


async def test_a_file_that_is_no_picture_is_not_shown(site, home):
    (home / "inputs").mkdir(exist_ok=True)
    (home / "inputs" / "page.png").write_text("<script>alert(1)</script>")
    status, problem = await site.get("/api/inputs/page.png")
    assert (status, problem["code"]) == (422, "bad_picture")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        pickle.dumps({"a": 1}),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        bomb(),
        png()[:-30],
    ],
    ids=["nothing", "head", "pickle", "svg", "html", "pdf", "postscript", "bomb", "torn"],
)
async def test_what_is_no_picture_is_not_kept(site, home, data):
    for media_type in ("image/png", "application/octet-stream"):
        status, problem = await upload(site, data, media_type)
        assert (status, problem["code"]) == (422, "bad_picture")
    assert not [*(home / "inputs").rglob("*.*")]


@pytest.mark.parametrize(
    "media_type", ["image/svg+xml", "text/html", "application/json", "multipart/form-data; boundary=x"]
)
async def test_another_type_of_body_is_refused(site, media_type):
    status, problem = await upload(site, png(), media_type)
    assert (status, problem["code"]) == (415, "wrong_media_type")
