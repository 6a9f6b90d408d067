"""What comes in by the address, and what goes out."""

import json

import pytest
from aiohttp.test_utils import make_mocked_request

from web.server.problems import BodyError
from web.server.route import Answer, Body, Query, answer, read_query


class Page(Query):
    limit: int = 10
    name: str | None = None


class Thing(Answer):
    name: str
    size: int | None = None


def query(text):
    return read_query(make_mocked_request("GET", f"/?{text}"), Page)


def test_a_query_is_text_that_is_read_as_declared():
    assert query("") == Page()
    assert query("limit=3&name=a%20b%2B%F0%9F%A6%8A") == Page(limit=3, name="a b+🦊")
    assert query("name=") == Page(name="")


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("limit=x", ["/limit"]),
        ("limit=&nme=1", ["/limit", "/nme"]),
        ("a%2Fb=1", ["/a~1b"]),
        ("limit=1&limit=2", ["/limit"]),
    ],
)
def test_a_bad_query_names_every_parameter(text, pointers):
    with pytest.raises(BodyError) as caught:
        query(text)
    assert [problem.at for problem in caught.value.problems] == pointers


def test_an_answer_is_json_of_a_model_or_of_plain_data():
    response = answer(Thing(name="é"), 201, {"Location": "/x"})
    assert (response.status, response.headers["Location"], response.content_type) == (201, "/x", "application/json")
    assert json.loads(response.body) == {"name": "é", "size": None}
    assert json.loads(answer([2**80]).body) == [2**80]


def test_a_body_is_strict():
    class Wish(Body):
        count: int = 0
        share: float = 0.0

    for data in ({"count": "1"}, {"count": True}, {"count": 1.0}, {"share": float("nan")}, {"other": 1}):
        with pytest.raises(ValueError, match="validation error"):
            Wish.model_validate(data)
