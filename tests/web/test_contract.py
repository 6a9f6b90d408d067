"""The types that the editor is written against are those of this server."""

from pydantic import BaseModel, JsonValue

from web import contract


class Small(BaseModel):
    name: str
    size: float | None


class Large(BaseModel):
    """Holds much.

    And more.
    """

    spot: tuple[int, int]
    parts: dict[str, list[Small]]
    data: JsonValue
    word: str = "a"


def written(model):
    return contract._type(model.model_json_schema()).replace("\n", " ")


def test_the_file_in_the_editor_is_up_to_date():
    assert contract.FILE.read_text(encoding="utf-8") == contract.contract(), "run `python -m web.contract`"


def test_short_objects_stand_in_one_line():
    assert written(Small) == "{ name: string; size: number | null }"


def test_a_default_may_be_left_out_and_a_list_has_items():
    fields = Large.model_json_schema()
    del fields["properties"]["spot"]
    assert (
        contract._type(fields) == "{\n  parts: Record<string, Array<Small>>;\n  data: JsonValue;\n  word?: string;\n}"
    )


def test_a_description_is_a_comment():
    assert contract._comment(Large.model_json_schema(), "  ") == "  /** Holds much.\n   * \n   * And more. */\n"


def test_a_list_of_known_length_is_a_tuple():
    schema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    assert contract._type(schema) == "[number, number]"


def test_every_route_that_speaks_json_is_listed_with_its_body():
    text = contract.contract()
    assert '"POST /api/runs": { body: Submission; answer: Run };' in text
    assert '"GET /metrics"' not in text
    assert '"DELETE /api/graphs/{name}"' not in text


def test_what_is_answered_has_every_field_and_what_is_sent_may_lack_defaults():
    text = contract.contract()
    assert "\n  cancelling: boolean;" in text
    assert "\n  priority?: number;" in text
    assert "\n  nodes?: Record<string, GraphNode>;" in text
