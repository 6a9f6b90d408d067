"""The pictures, videos and sounds in what a graph gives, and what kind of file each is."""

from __future__ import annotations

from engine.picture import embed, is_picture


def pictures_in(value: object) -> list[bytes]:
    """The files that a value, or each item of a list, says it can be saved as; none for a plain value."""
    return [data for item in (value if isinstance(value, list) else [value]) for data in _files(item)]


def is_video(data: bytes) -> bool:
    """Whether these are the bytes of an MP4 file, or its first few."""
    return data[4:8] == b"ftyp"


def is_sound(data: bytes) -> bool:
    """Whether these are the bytes of a FLAC file, or its first few."""
    return data[:4] == b"fLaC"


def kept(data: bytes, graph: str) -> tuple[str, bytes]:
    """The ending of a file and what to write to it: a picture carries the graph, all else is as it is."""
    if is_video(data):
        return ".mp4", data
    return (".flac", data) if is_sound(data) else (".png", embed(data, graph))


def first_picture(value: object) -> bytes:
    """The first of the pictures in a value; empty where there is none."""
    return next(filter(is_picture, pictures_in(value)), b"")


def _files(value: object) -> list[bytes]:
    files = getattr(value, "files", None)
    return files() if callable(files) else []
