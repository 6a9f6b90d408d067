"""Saved graphs: nothing that was saved is lost, and nobody's change is overwritten unseen."""

import errno
import json
import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine import Graph, GraphError, PatchbayError, ServerError, StoreError
from web.config import SHIPPED_GRAPHS
from web.server.graph_store import VERSIONS, GraphStore


def text(number=0, **more):
    node = {"type": "Number", "inputs": {"b": 1, "a": number}}
    return json.dumps({"version": 1, "name": f"Graph {number}", "nodes": {"n": node}, **more})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "graphs"


@pytest.fixture
def store(folder, tmp_path):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "given.json").write_text(Graph.parse(text(100)).dumps())
    (shipped / "schema.json").write_text("{}")
    return GraphStore(folder, shipped, lambda _type: ("a", "b"))


def refusal(call, *arguments, **more):
    with pytest.raises(PatchbayError) as caught:
        call(*arguments, **more)
    return caught.value.code.value


def tried(call, *arguments, **more):
    """What it gives, or the code of its refusal."""
    try:
        return call(*arguments, **more)
    except ServerError as error:
        return error.code.value


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_graph_is_stored_canonically_and_read_again(store, folder):
    saved = store.save("fox", text(1))
    assert saved.text == (folder / "fox.json").read_text() == Graph.parse(text(1)).dumps(lambda _: ("a", "b"))
    assert saved.text.index('"a"') < saved.text.index('"b"')
    read = store.read("fox")
    assert (read.etag, read.text, read.shipped, read.graph.folder) == (saved.etag, saved.text, False, folder)
    assert store.save("owl", Graph.parse(text(1))).etag == saved.etag


def test_the_list_has_ones_own_graphs_and_those_that_came(store, folder):
    store.save("fox", text(1, description="A fox."))
    (folder / "broken.json").write_text("{")
    (folder / "no name.json").write_text("{}")
    found = {item.name: item for item in store.list()}
    assert list(found) == ["broken", "fox", "given"]
    assert (found["fox"].title, found["fox"].description, found["fox"].shipped) == ("Graph 1", "A fox.", False)
    assert found["given"].shipped
    assert found["fox"].modified == (store._folder / "fox.json").stat().st_mtime
    assert found["broken"].problem.code.value == "broken_json"
    assert found["fox"].etag == store.read("fox").etag


def test_every_shipped_graph_is_listed(tmp_path):
    found = GraphStore(tmp_path / "none", SHIPPED_GRAPHS).list()
    assert {"text_to_image", "image_to_image"} <= {item.name for item in found}
    assert not [item for item in found if item.problem]


def test_an_existing_graph_is_replaced_only_by_who_knows_it(store):
    first = store.save("fox", text(1), if_none_match="*")
    assert refusal(store.save, "fox", text(2)) == "version_needed"
    assert refusal(store.save, "fox", text(2), if_match='"other"') == "changed_meanwhile"
    assert refusal(store.save, "fox", text(2), if_match=f'W/"{first.etag}"') == "changed_meanwhile"
    assert refusal(store.save, "fox", text(2), if_none_match="*") == "changed_meanwhile"
    assert refusal(store.save, "new", text(2), if_match=f'"{first.etag}"') == "changed_meanwhile"
    assert refusal(store.save, "new", text(2), if_match="*") == "changed_meanwhile"
    second = store.save("fox", text(2), if_match=f'"other", "{first.etag}"')
    assert store.save("fox", text(3), if_match=second.etag).etag != second.etag
    assert store.save("fox", text(4), if_match="*").graph.document.name == "Graph 4"


def test_what_is_replaced_is_kept(store, folder):
    etags = [store.save("fox", text(0)).etag]
    for number in range(1, 4):
        etags.append(store.save("fox", text(number), if_match=etags[-1]).etag)
    versions = store.versions("fox")
    assert [store.read_version("fox", version.id).etag for version in versions] == etags[2::-1]
    assert [version.id[-12:] for version in versions] == [etag[:12] for etag in etags[2::-1]]
    assert versions[0].time > versions[1].time
    assert versions[0].bytes == len(store.read_version("fox", versions[0].id).text)
    assert {path.parts[0] for path in map(Path, files(folder))} == {"fox.json", VERSIONS}


def test_saving_what_is_there_changes_nothing_however_often(store, folder):
    etag = store.save("fox", text(1)).etag
    assert store.save("fox", text(1)).etag == etag
    assert store.save("fox", text(1), if_match='"old"').etag == etag
    assert files(folder) == ["fox.json"]


def test_what_is_no_graph_is_refused_and_changes_nothing(store, folder):
    store.save("fox", text(1))
    with pytest.raises(GraphError):
        store.save("fox", b'{"version": 1, "nodes": 3}', if_match="*")
    assert files(folder) == ["fox.json"]


def test_a_shipped_graph_is_copied_when_it_is_changed_and_cannot_be_deleted(store, tmp_path):
    shipped = store.read("given")
    assert shipped.shipped
    assert refusal(store.delete, "given", shipped.etag) == "conflict"
    assert refusal(store.save, "given", text(1)) == "version_needed"
    own = store.save("given", text(1), if_match=shipped.etag)
    assert not own.shipped
    assert store.versions("given") == ()
    assert (tmp_path / "shipped" / "given.json").read_text() == shipped.text
    store.delete("given", own.etag)
    assert store.read("given").etag == shipped.etag
    assert store.read_version("given", store.versions("given")[0].id).etag == own.etag


def test_what_is_deleted_is_kept(store, folder):
    etag = store.save("fox", text(1)).etag
    assert refusal(store.delete, "fox") == "version_needed"
    assert refusal(store.delete, "fox", '"other"') == "changed_meanwhile"
    store.delete("fox", f'"{etag}"')
    assert not (folder / "fox.json").exists()
    assert refusal(store.read, "fox") == refusal(store.delete, "fox", etag) == "not_found"
    assert store.read_version("fox", store.versions("fox")[0].id).etag == etag
    assert store.save("fox", text(1), if_none_match="*").etag == etag


def test_a_graph_that_is_saved_very_often_keeps_a_few_of_its_versions(store, folder, monkeypatch):
    monkeypatch.setattr("web.server.thinning.MOST_LATELY", 3)
    for number in range(8):
        saved = store.save("fox", text(number), if_match="*" if number else None)
    (folder / VERSIONS / "fox" / "notes.txt").write_text("not ours")
    found = [store.read_version("fox", version.id).graph.document.name for version in store.versions("fox")]
    assert found[:3] == ["Graph 6", "Graph 5", "Graph 4"]
    assert len(found) <= 4  # one more where ten minutes have just begun
    assert store.read("fox").etag == saved.etag
    store.save("fox", text(9), if_match=saved.etag)
    assert (folder / VERSIONS / "fox" / "notes.txt").exists()


def test_a_version_that_cannot_be_removed_stays_and_the_graph_is_saved(store, monkeypatch):
    monkeypatch.setattr("web.server.thinning.MOST_LATELY", 1)

    def refuse(_path, **_more):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        for number in range(5):
            store.save("fox", text(number), if_match="*" if number else None)
    assert store.read("fox").graph.document.name == "Graph 4"
    assert len(store.versions("fox")) == 4


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a.b", "a\0", "x" * 101, "ü", "a\n", ".versions", "schema"])
def test_what_cannot_be_a_name_names_nothing(store, folder, name):
    if name != "schema":
        assert refusal(store.save, name, text(1)) == "not_found"
        assert refusal(store.versions, name) == "not_found"
        assert refusal(store.read_version, name, "x") == "not_found"
    assert refusal(store.read, name) == refusal(store.delete, name, "*") == "not_found"
    assert not folder.exists()


@pytest.mark.parametrize("version", ["", "..", "../../fox", "20260101T000000.000000Z-abcdefabcdef", "a\0b"])
def test_a_version_that_is_not_there_is_said(store, version):
    store.save("fox", text(1))
    assert refusal(store.read_version, "fox", version) == "not_found"


def test_no_link_leads_out_of_the_folder(store, folder, tmp_path):
    outside = tmp_path / "secret.json"
    outside.write_text(text(7))
    folder.mkdir()
    (folder / "link.json").symlink_to(outside)
    (folder / "loop.json").symlink_to("loop.json")
    for name in ("link", "loop"):
        assert refusal(store.read, name) == "outside_roots"
        assert refusal(store.save, name, text(1), if_match="*") == "outside_roots"
        assert refusal(store.delete, name, "*") == "outside_roots"
    assert [item.problem.code.value for item in store.list() if item.name != "given"] == ["outside_roots"] * 2
    etag = store.save("fox", text(1)).etag
    (tmp_path / "elsewhere").mkdir()
    (folder / VERSIONS).symlink_to(tmp_path / "elsewhere")
    assert refusal(store.save, "fox", text(2), if_match=etag) == "outside_roots"
    assert refusal(store.versions, "fox") == "outside_roots"
    assert store.read("fox").etag == etag
    assert outside.read_text() == text(7)


def test_a_full_disk_leaves_the_graph_as_it_was(store, monkeypatch):
    etag = store.save("fox", text(1)).etag

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert refusal(store.save, "fox", text(2), if_match=etag) == "not_written"
    monkeypatch.undo()
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError) as caught:
        store.delete("fox", etag)
    assert caught.value.what == "The graph was not deleted: No space left on device."
    monkeypatch.undo()
    assert store.read("fox").etag == etag


def test_a_graph_that_may_not_be_read_is_said(store, monkeypatch):
    store.save("fox", text(1))

    def refuse(_path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert refusal(store.read, "fox") == "file_not_found"


def test_of_two_who_save_at_once_with_one_etag_exactly_one_wins(store):
    etag = store.save("fox", text(0)).etag
    workers = 8
    barrier = threading.Barrier(workers)

    def save(number):
        barrier.wait()
        return tried(store.save, "fox", text(number), if_match=etag)

    with ThreadPoolExecutor(workers) as pool:
        for turn in range(10):
            answers = list(pool.map(save, range(turn * workers + 1, (turn + 1) * workers + 1)))
            assert answers.count("changed_meanwhile") == workers - 1
            (etag,) = {answer.etag for answer in answers if answer != "changed_meanwhile"}
            assert store.read("fox").etag == etag
    assert len(store.versions("fox")) == 10


class Editors(RuleBasedStateMachine):
    """Two people at one graph: whoever saves knows what is there, and all that was ever there is still to be had."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.store = GraphStore(self.root / "graphs", self.root)
        self.current = None
        self.seen = {"a": None, "b": None}
        self.ever = set()

    def teardown(self):
        shutil.rmtree(self.root)

    @rule(who=st.sampled_from("ab"))
    def read(self, who):
        self.seen[who] = self.current
        if self.current is None:
            assert refusal(self.store.read, "g") == "not_found"
        else:
            assert self.store.read("g").etag == self.current

    @rule(who=st.sampled_from("ab"), number=st.integers(0, 3))
    def save(self, who, number):
        known = self.seen[who]
        conditions = {"if_none_match": "*"} if known is None else {"if_match": f'"{known}"'}
        saved = tried(self.store.save, "g", text(number), **conditions)
        if saved == "changed_meanwhile":
            assert known != self.current
        else:
            assert self.current in (saved.etag, known)
            self.current = self.seen[who] = saved.etag
            self.ever.add(saved.etag)

    @rule(who=st.sampled_from("ab"))
    def delete(self, who):
        refused = tried(self.store.delete, "g", f'"{self.seen[who]}"')
        assert refused == (
            "not_found" if self.current is None else None if self.seen[who] == self.current else "changed_meanwhile"
        )
        self.current = None if refused is None else self.current

    @invariant()
    def nothing_is_lost(self):
        kept = {self.store.read_version("g", version.id).etag for version in self.store.versions("g")}
        assert self.ever <= kept | {self.current}


TestEditors = Editors.TestCase
TestEditors.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
