"""Files of runs over HTTP: as they were made or not at all."""

import asyncio
import hashlib
import io
import os

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from engine import StoreError
from web.server.files import Files, Thumbnails
from web.server.problems import problems_middleware


def png(size=(400, 200), mode="RGB"):
    found = io.BytesIO()
    Image.new(mode, size, 200).save(found, "PNG")
    return found.getvalue()


DATA = bytes(range(256)) * 4000


@pytest.fixture
def make(tmp_path):
    """Write a file and give how it is served."""

    def write(data, name="fox-0001.png", media_type="image/png"):
        path = tmp_path / "run" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path, hashlib.sha256(data).hexdigest(), media_type

    return write


@pytest.fixture
async def serve(tmp_path):
    clients = []

    async def start(path, digest, media_type):
        files = Files(tmp_path / "thumbnails")

        async def handler(request):
            width = request.query.get("width")
            return await files.send(request, path, digest, media_type, int(width) if width else None)

        app = web.Application(middlewares=[problems_middleware])
        app.router.add_get("/", handler)
        clients.append(TestClient(TestServer(app)))
        await clients[-1].start_server()
        return clients[-1]

    yield start
    for client in clients:
        await client.close()


async def test_a_file_is_sent_whole_with_its_digest(serve, make):
    path, digest, _ = make(DATA)
    client = await serve(path, digest, "image/png")
    response = await client.get("/")
    assert (response.status, await response.read()) == (200, DATA)
    head = response.headers
    assert (head["ETag"], head["Content-Type"], head["Accept-Ranges"]) == (f'"{digest}"', "image/png", "bytes")
    assert head["Content-Length"] == str(len(DATA))
    assert head["Cache-Control"] == "private, max-age=31536000, immutable"
    assert head["Content-Disposition"] == "inline; filename=\"fox-0001.png\"; filename*=UTF-8''fox-0001.png"
    response = await client.head("/")
    assert (response.headers["Content-Length"], await response.read()) == (str(len(DATA)), b"")


@pytest.mark.parametrize(
    ("header", "status"), [('"{}"', 304), ('W/"{}"', 304), ('"x", "{}"', 304), ("*", 304), ('"x"', 200)]
)
async def test_what_a_client_has_is_not_sent_again(serve, make, header, status):
    served = make(DATA)
    client = await serve(*served)
    response = await client.get("/", headers={"If-None-Match": header.format(served[1])})
    assert (response.status, len(await response.read())) == (status, 0 if status == 304 else len(DATA))
    assert response.headers["ETag"] == f'"{served[1]}"'


SIZE = len(DATA)
RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=10-19", 10, 20),
    (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ("bytes=-5", SIZE - 5, SIZE),
    (f"bytes=-{SIZE * 2}", 0, SIZE),
    (f"bytes=300000-{SIZE * 2}", 300_000, SIZE),
]


@pytest.mark.parametrize(("header", "start", "stop"), RANGES)
async def test_a_part_is_sent(serve, make, header, start, stop):
    client = await serve(*make(DATA))
    response = await client.get("/", headers={"Range": header})
    assert (response.status, await response.read()) == (206, DATA[start:stop])
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 7}-{SIZE + 9}"])
async def test_a_part_beyond_the_end_cannot_be_sent(serve, make, header):
    client = await serve(*make(DATA))
    response = await client.get("/", headers={"Range": header})
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=5-2", "x", f"bytes={'9' * 5000}-"])
async def test_a_range_that_is_not_understood_gets_the_whole(serve, make, header):
    client = await serve(*make(DATA))
    response = await client.get("/", headers={"Range": header})
    assert (response.status, await response.read()) == (200, DATA)


async def test_a_part_of_another_version_gets_the_whole(serve, make):
    served = make(DATA)
    client = await serve(*served)
    for etag, status in ((f'"{served[1]}"', 206), ('"other"', 200)):
        response = await client.get("/", headers={"Range": "bytes=0-9", "If-Range": etag})
        assert response.status == status


async def test_an_empty_file_is_sent(serve, make):
    client = await serve(*make(b"", "empty.txt", "text/plain"))
    assert (await (await client.get("/")).read(), (await client.get("/", headers={"Range": "bytes=0-"})).status) == (
        b"",
        416,
    )


@pytest.mark.parametrize("query", ["/", "/?width=64"])
async def test_a_file_that_changed_is_not_sent(serve, make, query):
    path, digest, kind = make(png())
    client = await serve(path, digest, kind)
    assert (await client.get(query)).status == 200
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    response = await client.get(query)
    body = await response.json()
    assert (response.status, body["code"], body["at"]) == (410, "damaged", "fox-0001.png")
    assert "Run the graph again" in body["fix"]
    path.unlink()
    response = await client.get(query)
    body = await response.json()
    assert (response.status, body["code"]) == (404, "not_found")
    assert str(path.parent) not in body["detail"]


async def test_a_file_that_goes_between_looking_and_sending_is_said(serve, make, monkeypatch):
    path, digest, kind = make(png())
    client = await serve(path, digest, kind)
    monkeypatch.setattr("web.server.files._verify", lambda *_: path.unlink())
    assert (await client.get("/")).status == 404


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.js", "text/javascript")]
)
async def test_what_could_run_in_a_browser_is_only_saved(serve, make, name, media_type):
    client = await serve(*make(b"<script>", name, media_type))
    head = (await client.get("/")).headers
    assert head["Content-Type"] == "application/octet-stream"
    assert head["Content-Disposition"].startswith("attachment;")
    assert head["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_a_name_cannot_break_out_of_its_header(serve, make):
    client = await serve(*make(png(), 'лис"\r\nX: 1;.png'))
    head = (await client.get("/")).headers
    assert "X" not in head
    assert head["Content-Disposition"] == (
        "inline; filename=\"_X_1_.png\"; filename*=UTF-8''%D0%BB%D0%B8%D1%81%22%0D%0AX%3A%201%3B.png"
    )


@pytest.mark.parametrize(
    ("mode", "width", "size"), [("RGB", 100, (100, 50)), ("RGBA", 64, (64, 32)), ("L", 1024, (400, 200))]
)
async def test_a_thumbnail_is_small_and_kept(serve, make, tmp_path, mode, width, size):
    path, digest, kind = make(png(mode=mode))
    client = await serve(path, digest, kind)
    response = await client.get(f"/?width={width}")
    data = await response.read()
    assert (response.status, response.content_type, response.headers["ETag"]) == (
        200,
        "image/webp",
        f'"{digest}-{width}"',
    )
    with Image.open(io.BytesIO(data)) as small:
        assert (small.size, small.format) == (size, "WEBP")
    assert [file.name for file in (tmp_path / "thumbnails").iterdir()] == [f"{digest}-{width}.webp"]
    assert await (await client.get(f"/?width={width}")).read() == data
    assert (await client.get(f"/?width={width}", headers={"If-None-Match": f'"{digest}-{width}"'})).status == 304
    assert (await client.get(f"/?width={width}", headers={"If-None-Match": f'"{digest}"'})).status == 200


async def test_a_narrow_tower_gets_a_thumbnail_too(serve, make):
    client = await serve(*make(png((64, 16_384))))
    assert (await client.get("/?width=1024")).status == 200


@pytest.mark.parametrize("width", ["63", "1025", "-1", "99999999999999999999"])
async def test_a_width_that_cannot_be_is_refused(serve, make, width):
    client = await serve(*make(png()))
    response = await client.get(f"/?width={width}")
    assert (response.status, (await response.json())["at"]) == (400, "width")


async def test_what_is_no_picture_has_no_thumbnail(serve, make):
    client = await serve(*make(b"text", "a.txt", "text/plain"))
    assert (await client.get("/?width=64")).status == 400
    client = await serve(*make(b"no picture", "b.png"))
    response = await client.get("/?width=64")
    assert (response.status, (await response.json())["code"]) == (422, "bad_picture")


def test_the_oldest_thumbnails_go_when_there_are_too_many(make, tmp_path):
    cache = Thumbnails(tmp_path / "cache", limit=1000)
    path, digest, _ = make(png())
    for number, width in enumerate(range(64, 84)):
        small = cache.make(path, digest, width)
        os.utime(small, ns=(number, number))
    kept = {file.name for file in (tmp_path / "cache").iterdir()}
    assert f"{digest}-83.webp" in kept
    assert f"{digest}-64.webp" not in kept
    assert sum(file.stat().st_size for file in (tmp_path / "cache").iterdir()) <= 1000


async def test_many_who_ask_at_once_get_one_thumbnail(serve, make, tmp_path):
    client = await serve(*make(png()))
    answers = await asyncio.gather(*(client.get("/?width=80") for _ in range(12)))
    assert len({await answer.read() for answer in answers}) == 1
    assert len(list((tmp_path / "thumbnails").iterdir())) == 1


def test_a_thumbnail_that_cannot_be_kept_is_said(make, tmp_path):
    (tmp_path / "cache").touch()
    path, digest, _ = make(png())
    with pytest.raises(StoreError):
        Thumbnails(tmp_path / "cache").make(path, digest, 64)
