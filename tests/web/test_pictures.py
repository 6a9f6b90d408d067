"""What can be looked at in a value."""

from web.pictures import pictures_in


class Drawing:
    def files(self):
        return [b"one", b"two"]


def test_a_value_and_a_list_of_them_give_their_files_in_order():
    assert pictures_in(Drawing()) == [b"one", b"two"]
    assert pictures_in([Drawing(), 3, Drawing()]) == [b"one", b"two"] * 2


def test_a_plain_value_has_none():
    assert pictures_in(3) == pictures_in(None) == pictures_in([]) == []
