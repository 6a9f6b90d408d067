"""The video nodes as people call them."""

import io
import json

import av
import pytest
import torch

from engine import Catalog, Code, Graph, PatchbayError, Paths, Settings, plan
from engine.context import NodeContext, call_within
from nodes import images_to_video, save_video, video_to_images
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
