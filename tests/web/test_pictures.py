"""What can be looked at in a value."""

from engine.picture import SIGNATURE
from web.pictures import first_picture, is_sound, is_video, kept, pictures_in

MOVIE = b"\0\0\0\x20ftypisom"


class Drawing:
    def files(self):
        return [b"one", b"two"]


def test_a_value_and_a_list_of_them_give_their_files_in_order():
    assert pictures_in(Drawing()) == [b"one", b"two"]
    assert pictures_in([Drawing(), 3, Drawing()]) == [b"one", b"two"] * 2


def test_a_plain_value_has_none():
    assert pictures_in(3) == pictures_in(None) == pictures_in([]) == []


def test_a_video_is_told_from_a_picture_and_kept_as_it_is():
    assert is_video(MOVIE)
    assert not is_video(SIGNATURE)
    assert kept(MOVIE, "{}") == (".mp4", MOVIE)


def test_a_sound_is_told_from_a_video_and_a_picture_and_kept_as_it_is():
    sound = b"fLaC\0\0\0\x22"
    assert is_sound(sound)
    assert not is_video(sound)
    assert not is_sound(MOVIE)
    assert not is_sound(SIGNATURE)
    assert kept(sound, "{}") == (".flac", sound)


def test_the_first_picture_is_no_video():
    class Both:
        def files(self):
            return [MOVIE, SIGNATURE]

    assert first_picture(Both()) == SIGNATURE
    assert first_picture([3]) == b""
