"""The video nodes as people call them."""

import io
import json

import av
import pytest
import torch

from engine import Catalog, Code, Graph, PatchbayError, Paths, Settings, plan
from engine.context import NodeContext, call_within
from nodes import images_to_video, load_video, save_video, video_to_images
from nodes.diffusion.pictures import movies
from nodes.types import Image, Video

FRAMES = torch.rand(6, 3, 16, 32, generator=torch.Generator().manual_seed(0))


def test_frames_become_a_video_and_come_back_as_they_were():
    (video,) = images_to_video(Image(FRAMES), fps=24.0)
    assert video.fps == 24.0
    assert torch.equal(video_to_images(video).pixels, FRAMES)
    assert [len(each.frames) for each in images_to_video(Image(FRAMES), frames=2)] == [2, 2, 2]


def test_a_video_is_saved_with_its_graph_and_never_over_another(tmp_path):
    graph = Graph.from_data({"version": 1, "nodes": {"n": {"type": "Note", "inputs": {"text": "a fox"}}}})
    context = NodeContext("save", paths=Paths(outputs=tmp_path), graph=graph)
    saved = call_within(context, save_video, {"video": Video(FRAMES, 8.0), "name": "sub/fox"})
    assert saved.files == [str(tmp_path / "sub" / "fox-0001.mp4")]
    with av.open(saved.files[0]) as container:
        assert Graph.from_data(json.loads(container.metadata["comment"])).dumps() == graph.dumps()
    again = call_within(context, save_video, {"video": Video(FRAMES, 8.0), "name": "sub/fox"})
    assert again.files == [str(tmp_path / "sub" / "fox-0002.mp4")]


def test_a_name_outside_the_output_folder_is_refused(tmp_path):
    context = NodeContext("save", paths=Paths(outputs=tmp_path))
    with pytest.raises(PatchbayError) as caught:
        call_within(context, save_video, {"video": Video(FRAMES, 8.0), "name": "../fox"})
    assert caught.value.code == Code.OUTSIDE_ROOTS


def test_a_video_is_a_value_with_a_size_a_digest_and_a_file():
    video = Video(FRAMES, 8.0)
    assert video.nbytes == FRAMES.nbytes
    assert video.digest() == Video(FRAMES.clone(), 8.0).digest()
    assert video.digest() != Video(FRAMES, 9.0).digest()
    assert video.digest() != Video(FRAMES.flip(0), 8.0).digest()
    (data,) = video.files()
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video[0].frames == 6


def test_several_videos_are_saved_one_by_one():
    nodes = {
        "load": {"type": "LoadImage", "inputs": {"file": "sailboat.png"}},
        "make": {"type": "ImagesToVideo", "inputs": {"image": {"link": "load.image"}}},
        "save": {"type": "SaveVideo", "inputs": {"video": {"link": "make.videos"}, "name": "boat"}},
    }
    graph = Graph.from_data({"version": 1, "nodes": nodes})
    assert plan(graph, Catalog.load(), Paths(), Settings())


@pytest.fixture
def film(tmp_path):
    """A video of six frames, each of one brightness."""
    path = tmp_path / "film.mp4"
    shades = torch.linspace(0, 1, 6).view(6, 1, 1, 1).expand(6, 3, 16, 32)
    path.write_bytes(movies.to_mp4(Video(shades, 12.5)))
    return path


def test_a_video_is_read_as_it_was_written(film):
    video = load_video(file=film)
    assert video.frames.shape == (6, 3, 16, 32)
    assert video.fps == 12.5
    assert torch.allclose(video.frames.mean((1, 2, 3)), torch.linspace(0, 1, 6), atol=0.02)


def test_some_frames_are_read(film):
    part, whole = load_video(file=film, first=2, frames=3), load_video(file=film)
    assert torch.equal(part.frames, whole.frames[2:5])
    with pytest.raises(PatchbayError, match="only 6 frames"):
        load_video(file=film, first=4, frames=3)


def test_what_is_no_video_is_refused(tmp_path, film, monkeypatch):
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\nhttp://example.com/film.ts\n")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:40])
    for path, message in ((playlist, "no video of a known kind"), (broken, "no video that can be read")):
        with pytest.raises(PatchbayError, match=message) as caught:
            load_video(file=path)
        assert caught.value.code == Code.BAD_PICTURE
    with pytest.raises(PatchbayError, match="does not exist"):
        load_video(file=tmp_path / "gone.mp4")
    monkeypatch.setattr(movies, "LARGEST_PICTURE", 1000)
    with pytest.raises(PatchbayError, match="in all of its frames"):
        load_video(file=film)


def test_a_graph_reads_a_video_of_the_input_folder_and_none_outside(film, tmp_path):
    graphs = [
        Graph.from_data({"version": 1, "nodes": {"load": {"type": "LoadVideo", "inputs": {"file": name}}}})
        for name in (film.name, "../film.mp4")
    ]
    assert plan(graphs[0], Catalog.load(), Paths(inputs=(tmp_path,)), Settings())
    with pytest.raises(PatchbayError):
        plan(graphs[1], Catalog.load(), Paths(inputs=(tmp_path / "in",)), Settings())
