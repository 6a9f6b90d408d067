"""Frames arrive as they were sent, whatever is in them."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.worker.wire import HEADER, LARGEST, pack, read_frame, receive

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.binary(max_size=50)), max_size=4))
def test_frames_come_back_in_order(messages):
    try:
        pipe = io.BytesIO(b"".join(pack(message, data) for message, data in messages))
    except (TypeError, UnicodeEncodeError):
        return  # half a surrogate pair is no text
    assert [read_frame(pipe) for _ in messages] == messages
    assert read_frame(pipe) is None


async def test_a_stream_reads_the_same_frames():
    reader = asyncio.StreamReader()
    reader.feed_data(pack({"say": "ready"}) + pack({"n": 2**80}, b"picture"))
    reader.feed_eof()
    assert await receive(reader) == ({"say": "ready"}, b"")
    assert await receive(reader) == ({"n": 2**80}, b"picture")
    with pytest.raises(asyncio.IncompleteReadError):
        await receive(reader)


@pytest.mark.parametrize("keep", [0, 3, 8, 12])
def test_a_frame_that_breaks_off_is_the_end(keep):
    assert read_frame(io.BytesIO(pack({"say": "ready"})[:keep])) is None


def test_a_length_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="larger than"):
        read_frame(io.BytesIO(HEADER.pack(LARGEST, 1)))
