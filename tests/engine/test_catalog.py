from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from typing import Annotated

import pytest

from engine import Catalog, PatchbayError, node
from engine import catalog as catalog_module
from engine.catalog import describe, node_types_in
from engine.types import parse, to_json
from tests.engine import kit
from tests.engine.kit import write_file


class Song(kit.File):
    noun = "song"


GOOD = """
from engine import node

@node("{name}")
def one() -> int:
    return 1

again = one
"""


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch):
    """Only what a test puts there; modules of custom files end with it."""
    before = set(sys.modules)
    monkeypatch.setattr(catalog_module, "entry_points", lambda **_: [])
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def found(folder):
    loaded = Catalog.load(folder)
    return set(loaded.types), [(item.code.value, item.at, item.what, item.fix) for item in loaded.problems]


def test_each_file_of_the_users_folder_adds_its_node_types(tmp_path):
    write_file(tmp_path / "a.py", GOOD.format(name="A"))
    write_file(tmp_path / "b.py", GOOD.format(name="B"))
    write_file(tmp_path / "notes.txt", "no Python")
    assert found(tmp_path) == ({"A", "B"}, [])
    assert sys.modules["patchbay_custom.a"].one.id == "A"


@pytest.mark.parametrize("folder", ["missing", "file.py"])
def test_without_a_folder_there_is_nothing(tmp_path, folder):
    write_file(tmp_path / "file.py", GOOD.format(name="A"))
    assert found(tmp_path / folder) == (set(), [])
    assert found(None) == (set(), [])


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("\n\n1 / 0\n", 3, "It failed to import: ZeroDivisionError: division by zero."),
        (
            "import nowhere_to_be_found\n",
            1,
            "It failed to import: ModuleNotFoundError: No module named 'nowhere_to_be_found'.",
        ),
        ("\nraise SystemExit(3)\n", 2, "It failed to import: SystemExit: 3."),
        ("def broken(:\n", 1, "It failed to import: SyntaxError: invalid syntax"),
    ],
)
def test_a_file_that_fails_to_import_is_named_with_its_line_and_the_rest_goes_on(tmp_path, source, line, what):
    write_file(tmp_path / "a_broken.py", source)
    write_file(tmp_path / "b.py", GOOD.format(name="B"))
    types, ((code, at, said, fix),) = found(tmp_path)
    assert types == {"B"}
    assert (code, at, fix) == ("broken_node_file", f"{tmp_path / 'a_broken.py'}:{line}", "Mend or remove the file.")
    assert said.startswith(what)
    assert "patchbay_custom.a_broken" not in sys.modules


def test_a_file_with_a_bad_declaration_is_named(tmp_path):
    write_file(tmp_path / "a.py", "from engine import node\n\n@node('A')\ndef a(x) -> int: ...\n")
    _, ((code, at, what, fix),) = found(tmp_path)
    assert (code, at) == ("broken_node_file", f"{tmp_path / 'a.py'}:3")
    assert what == "A.x: It has no annotation."
    assert fix == "Annotate it; the annotation is its type."


def test_a_file_that_is_no_python_is_named(tmp_path, monkeypatch):
    write_file(tmp_path / "a.py", "")
    monkeypatch.setattr("importlib.util.spec_from_file_location", lambda *_: None)
    _, ((_, at, what, _),) = found(tmp_path)
    assert at == str(tmp_path / "a.py")
    assert what == "It failed to import: ImportError: not a Python file."


def test_the_interrupt_of_a_user_is_no_broken_file(tmp_path):
    write_file(tmp_path / "a.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Catalog.load(tmp_path)


def test_of_two_types_of_one_id_the_first_stays(tmp_path):
    write_file(tmp_path / "a.py", GOOD.format(name="A"))
    write_file(tmp_path / "b.py", GOOD.format(name="A"))
    types, ((code, at, what, fix),) = found(tmp_path)
    assert (types, code, at) == ({"A"}, "bad_declaration", str(tmp_path / "b.py"))
    assert what == 'The node type "A" is already defined; this one is left out.'
    assert fix == "Give it another id."


def test_a_catalogue_of_given_types_takes_each_id_once():
    assert list(Catalog.of([kit.add, kit.number]).types) == ["Add", "Number"]
    with pytest.raises(PatchbayError, match='"Add" is already defined'):
        Catalog.of([kit.add, kit.add])


def test_installed_packages_add_theirs(monkeypatch):
    points = [
        EntryPoint("z", "tests.engine.kit", "patchbay.nodes"),
        EntryPoint("a", "nowhere.at_all", "patchbay.nodes"),
    ]
    monkeypatch.setattr(catalog_module, "entry_points", lambda group: points if group == "patchbay.nodes" else [])
    types, ((code, at, _, _),) = found(None)
    assert "Add" in types
    assert (code, at) == ("broken_node_file", "entry point nowhere.at_all")


def test_node_types_come_from_modules_and_from_lists():
    assert [type_.id for type_ in node_types_in([kit.add, kit.add, "text", kit.number])] == ["Add", "Number"]
    assert kit.add in node_types_in(kit)


def test_the_catalogue_is_plain_data():
    everything = kit.catalog().describe()
    assert json.loads(json.dumps(everything)) == everything
    percentage = describe(kit.percentage)
    assert percentage["inputs"] == [
        {
            "name": "value",
            "type": to_json(parse(int)),
            "label": "int",
            "required": True,
            "dial": False,
            "lazy": False,
            "description": "From nothing to all.",
            "schema": {"type": "integer", "minimum": 0, "maximum": 100, "description": "From nothing to all."},
            "resource": None,
        }
    ]
    output = {"name": "number", "type": to_json(parse(int)), "label": "int", "inspectable": True}
    assert percentage["outputs"] == [output]


def test_an_input_says_what_its_value_names():
    @node("Play")
    def play(*, song: Annotated[str, Song()], file: Annotated[str, kit.File()]) -> None: ...

    assert [port["resource"] for port in describe(play)["inputs"]] == ["song", "file"]


def test_inputs_in_order_suit_the_writer():
    assert kit.catalog().inputs_in_order("Add") == ("a", "b")
    assert kit.catalog().inputs_in_order("Unknown") == ()
