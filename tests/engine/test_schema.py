from __future__ import annotations

import json

from engine import node
from engine.schema import LINK, document_schema
from tests.engine import kit


def inputs_of(schema, type_id):
    rules = {rule["if"]["properties"]["type"]["const"]: rule["then"] for rule in schema["$defs"]["Node"]["allOf"]}
    return rules[type_id]["properties"]["inputs"]


def test_the_schema_is_plain_data_that_knows_every_node_type():
    schema = document_schema(kit.catalog())
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$defs"]["Node"]["properties"]["type"]["examples"] == sorted(kit.catalog().types)
    assert schema["$defs"]["Link"] == LINK


def test_an_input_takes_a_link_or_what_its_type_takes():
    @node("Shapes")
    def shapes(model: kit.Model[kit.K] | None = None, *, items: list[int], size: kit.Percent = 3) -> None:
        """Show shapes."""

    found = inputs_of(document_schema(kit.catalog(shapes)), "Shapes")
    assert found["description"] == "Show shapes."
    assert found["required"] == ["items"]
    assert found["additionalProperties"] is False
    link = {"$ref": "#/$defs/Link"}
    assert found["properties"]["model"]["anyOf"] == [link, {"type": "null"}]
    assert found["properties"]["model"]["description"] == "Model or nothing"
    assert found["properties"]["items"]["anyOf"][:2] == [link, {"type": "array", "items": {"anyOf": [link, {}]}}]
    assert found["properties"]["size"]["anyOf"][1]["maximum"] == 100
    assert inputs_of(document_schema(kit.catalog()), "Encode")["properties"]["model"]["anyOf"] == [link]
