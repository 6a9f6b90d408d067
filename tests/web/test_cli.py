"""The command line as a person uses it; every refusal is a sentence and exit code 2, and nothing is written."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

SMALL = ["--set", "size.width=64", "--set", "size.height=64", "--steps", "2"]


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def written(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_run_draws_what_was_asked_and_prints_path_and_seed(patchbay):
    prompt = "a red mushroom on a yellow background"
    result = patchbay("run", "text_to_image", "--prompt", prompt, "-o", "out")
    assert result.exit_code == 0, result.output
    path = Path("out/text_to_image-0001.png")
    assert result.stdout == f"image: {path.absolute()}\nseed: 0\n"
    pixels = np.asarray(Pillow.open(path).convert("RGB")).astype(int)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(border, axis=0)
    assert red > 200
    assert green > 170
    assert blue < 120
    is_red = (pixels[..., 0] > 150) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
    assert is_red.mean() > 0.03
    for line in ("load", "prompt", "sample", "decode"):
        assert f"✓ {line}" in result.stderr


def test_a_second_run_never_overwrites_the_first(patchbay):
    for _ in range(2):
        assert patchbay("run", "text_to_image", *SMALL, "-o", "out").exit_code == 0
    assert written(Path("out")) == ["text_to_image-0001.png", "text_to_image-0002.png"]
    first, second = (Path("out", name).read_bytes() for name in written(Path("out")))
    assert first == second


def test_json_gives_every_event_and_then_the_result(patchbay):
    result = patchbay("run", "text_to_image", *SMALL, "--seed", "5", "-o", "out", "--json")
    *events, last = lines(result)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"] == "run_started"
    assert events[-1] == {**events[-1], "event": "run_finished", "state": "done"}
    assert last["state"] == "done"
    assert last["inputs"]["seed"] == 5
    assert last["outputs"]["image"] == [str(Path("out/text_to_image-0001.png").absolute())]


def test_a_flag_may_be_written_with_an_equals_sign_and_with_hyphens(patchbay, write_graph):
    graph = write_graph({"a": {"type": "Text", "inputs": {"text": "x"}}}, {"my_text": "a.text"}, {"out": "a.text"})
    assert patchbay("run", graph, "--my-text=hello").stdout == "out: hello\n"
    assert patchbay("run", graph, "--my_text", "--help me").stdout == "out: --help me\n"


def test_set_and_only_reach_every_node(patchbay, write_graph):
    nodes = {
        "a": {"type": "Number", "inputs": {"value": 1}},
        "b": {"type": "Collect", "inputs": {"items": [{"link": "a.number"}]}},
    }
    graph = write_graph(nodes, outputs={"out": "b.values"})
    assert lines(patchbay("run", graph, "--set", "a.value=7", "--json"))[-1]["outputs"] == {"out": [7]}
    assert lines(patchbay("run", graph, "--only", "a", "--json"))[-1]["outputs"] == {"number": 1}
    both = lines(patchbay("run", graph, "--only", "a", "--only", "b", "--json"))[-1]["outputs"]
    assert both == {"a.number": 1, "b.values": [1]}


def test_a_run_on_this_machine_uses_the_seed_that_is_written(patchbay, write_graph):
    nodes = {"a": {"type": "Number", "inputs": {"value": 7}}}
    graph = write_graph(nodes, outputs={"out": "a.number"}, seeds={"a.value": "random"})
    assert [patchbay("run", graph).stdout for _ in range(2)] == ["out: 7\n"] * 2


def test_help_of_a_graph_lists_its_flags_with_ranges_and_defaults(patchbay):
    result = patchbay("run", "text_to_image", "--help")
    assert result.exit_code == 0
    for text in ("--prompt", "--seed", "--scheduler", "1 to 1000. Default: 20.", "Outputs: image"):
        assert text in result.stdout


def test_help_without_a_graph_and_a_missing_graph(patchbay):
    assert patchbay("run", "--help").exit_code == 0
    assert patchbay("run").exit_code == 2
    result = patchbay("run", "--steps", "3")
    assert result.exit_code == 2
    assert "Name the graph first" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "place", "reason", "fix"),
    [
        (["--promt", "x"], "--promt", "no such input", 'Did you mean "prompt"?'),
        (["--steps", "0"], "sample.steps", "greater than or equal to 1", "steps"),
        (["--steps", "true"], "sample.steps", "true does not fit", "steps"),
        (["--steps", "2.5"], "sample.steps", "2.5 does not fit", "steps"),
        (["--guidance", "NaN"], "sample.guidance", "does not fit", "steers"),
        (["--width", "130"], "size.width", "multiple of 8", "multiple of 8"),
        (["--scheduler", "DDIMM"], "sample.scheduler", "'DDIMM' does not fit", ""),
        (["--prompt"], "--prompt", "A value must follow", ""),
        (["stray"], "stray", "belongs to no flag", "quote"),
        (["--set", "sample"], "--set sample", "node.input=value", ""),
        (["--set", "smple.seed=1"], "smple.seed", 'no node "smple"', 'Did you mean "sample"?'),
        (["--only", "decod"], "decod", 'no node "decod"', 'Did you mean "decode"?'),
        (["--model", "no/where"], "load.model", "neither a file here", "--download"),
        (["--model", "../../x"], "load.model", "not found", "Searched"),
    ],
)
def test_wrong_arguments_are_refused_with_place_reason_and_fix(patchbay, arguments, place, reason, fix):
    result = patchbay("run", "text_to_image", *arguments, "-o", "out")
    assert result.exit_code == 2, result.output
    assert f"{place}:" in result.stderr
    assert reason in result.stderr
    assert fix in result.stderr
    assert "Traceback" not in result.output
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("content", "code", "place", "reason"),
    [
        ('{"version": 1,\n "nodes": {', "broken_json", ":2:", "This is not JSON"),
        ('{"version": 99, "nodes": {}}', "unknown_version", "version", "newer than this Patchbay"),
        ('{"version": 1, "nods": {}}', "unknown_key", "nods", 'Did you mean "nodes"?'),
        ('{"version": 1, "nodes": {"a": {"type": "Tex"}}}', "unknown_type", "a", 'Did you mean "Text"?'),
        ('{"version": 1, "nodes": {"a": {"type": "Number", "inputs": {"value": NaN}}}}', "broken_json", "", "NaN"),
        ('{"version": 1, "nodes": {}}', "nothing_to_run", "", "no node that would run"),
        ("\xff", "broken_json", "", "not UTF-8"),
    ],
)
def test_a_wrong_graph_is_refused(patchbay, tmp_path, content, code, place, reason):
    path = tmp_path / "wrong.json"
    path.write_bytes(content.encode("latin-1"))
    for command in ("run", "check"):
        result = patchbay(command, path)
        assert result.exit_code == 2, result.output
        for text in (code, place, reason):
            assert text in result.stderr
        assert "Traceback" not in result.output


def test_a_missing_graph_file_is_named(patchbay):
    result = patchbay("run", "nowhere.json")
    assert result.exit_code == 2
    assert "nowhere.json" in result.stderr


def test_links_between_models_of_two_kinds_are_refused_before_anything_runs(patchbay, write_graph, tiny_folder):
    link = {name: {"link": f"box.{name}"} for name in ("model", "text_encoder", "vae")}
    nodes = {
        "box": {"type": "LoadModel", "inputs": {"model": "pocket"}},
        "other": {"type": "LoadModel", "inputs": {"model": "pocket"}},
        "size": {"type": "EmptyLatent", "inputs": {"width": 64, "height": 64}},
        "text": {"type": "EncodeText", "inputs": {"text_encoder": link["text_encoder"]}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": link["model"],
                "positive": {"link": "text.conditioning"},
                "latent": {"link": "size.latent"},
            },
        },
        "decode": {"type": "VAEDecode", "inputs": {"vae": {"link": "other.vae"}, "latent": {"link": "sample.latent"}}},
    }
    graph = write_graph(nodes, {"other": "other.model"}, {"image": "decode.image"})
    result = patchbay("run", graph, "--other", tiny_folder, "-o", "out")
    assert result.exit_code == 2
    assert (
        'kind_mismatch decode.latent: It wants Latent[sd-32x4]; "sample.latent" gives Latent[pocket].' in result.stderr
    )
    assert "Use the parts of one model" in result.stderr
    assert not Path("out").exists()


def test_two_outputs_to_one_file_are_refused(patchbay, write_graph):
    save = {"type": "SaveImage", "inputs": {"image": {"link": "p.image"}, "name": "same"}}
    picture = {"type": "LoadImage", "inputs": {"file": "sailboat.png"}}
    result = patchbay("run", write_graph({"p": picture, "a": save, "b": save}), "-o", "out")
    assert result.exit_code == 2
    assert 'same_file b.name: "same" is written by a.name already.' in result.stderr
    assert not Path("out").exists()


def test_a_picture_that_is_none_is_refused_before_anything_runs(patchbay):
    Path("notes.txt").write_text("no picture")
    result = patchbay("run", "image_to_image", "--image", "notes.txt", "-o", "out")
    assert result.exit_code == 2, result.output
    assert "bad_picture picture.file" in result.stderr
    assert not Path("out").exists()


def test_a_decompression_bomb_is_refused_before_anything_runs(patchbay):
    Pillow.new("1", (30_000, 30_000)).save("bomb.png")
    result = patchbay("run", "image_to_image", "--image", "bomb.png", "-o", "out")
    assert result.exit_code == 2, result.output
    assert "bad_picture picture.file" in result.stderr


@pytest.mark.parametrize("damage", ["no index", "no weights", "pickled", "half", "foreign"])
def test_a_damaged_model_folder_is_refused_before_anything_runs(patchbay, broken, damage):
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    index = broken / "model_index.json"
    match damage:
        case "no index":
            index.unlink()
        case "no weights":
            weights.unlink()
        case "pickled":
            weights.rename(weights.with_suffix(".bin"))
        case "half":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "foreign":
            index.write_text(index.read_text().replace("StableDiffusionPipeline", "StableCascadePipeline"))
    result = patchbay("run", "text_to_image", "--model", broken, "-o", "out")
    code = {"pickled": "pickled_model", "foreign": "unsupported_class"}.get(damage, "bad_model")
    assert result.exit_code == 2, result.output
    assert f"error {code} load.model:" in result.stderr
    assert not Path("out").exists()


def test_a_broken_node_file_is_named_and_the_rest_goes_on(patchbay, home, write_graph):
    (home / "nodes").mkdir()
    (home / "nodes" / "bad.py").write_text("x = 1\nimport nowhere_at_all\n")
    (home / "nodes" / "good.py").write_text(
        'from engine import node\n\n@node("Double")\ndef double(a: int) -> int:\n    "Twice."\n    return 2 * a\n'
    )
    result = patchbay("run", write_graph({"d": {"type": "Double", "inputs": {"a": 4}}}, outputs={"out": "d.number"}))
    assert result.exit_code == 0, result.output
    assert result.stdout == "out: 8\n"
    assert "bad.py:2" in result.stderr
    assert "nowhere_at_all" in result.stderr


def test_a_failing_node_gives_exit_code_1_and_the_rest_is_saved(patchbay, home, write_graph):
    (home / "nodes").mkdir()
    (home / "nodes" / "boom.py").write_text(
        'from engine import node\n\n@node("Boom")\ndef boom(a: int) -> int:\n    "Fail."\n    return 1 // (a - a)\n'
    )
    nodes = {"b": {"type": "Boom", "inputs": {"a": 4}}, "t": {"type": "Text", "inputs": {"text": "kept"}}}
    result = patchbay("run", write_graph(nodes, outputs={"bad": "b.number", "good": "t.text"}))
    assert result.exit_code == 1
    assert "good: kept" in result.stdout
    assert "node_failed b: ZeroDivisionError" in result.stderr
    assert "boom.py" in result.stderr
    assert "a = 4" in result.stderr
    assert "Traceback" not in result.output


def test_a_full_disk_gives_exit_code_1_and_leaves_nothing_half_written(patchbay, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = patchbay("run", "text_to_image", *SMALL, "-o", "out")
    assert result.exit_code == 1
    assert "not_written" in result.stderr
    assert "No space left on device" in result.stderr
    assert written(Path("out")) == []


def test_ctrl_c_stops_at_the_next_step_and_says_so(home):
    command = [sys.executable, "-m", "web", "run", "text_to_image", "--steps", "1000", "-o", "out"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "node_progress" and event["node"] == "sample" and event["done"] >= 2:
                process.send_signal(signal.SIGINT)
                break
        last = json.loads(process.stdout.read().splitlines()[-1])
    assert process.returncode == 1
    assert last["state"] == "cancelled"
    assert last["outputs"] == {}
    assert written(home) == []


def test_check_reports_all_problems_at_once_and_as_json(patchbay, write_graph):
    graph = write_graph({"a": {"type": "Number", "inputs": {"value": "x", "vaule": 1}}, "b": {"type": "Nope"}})
    result = patchbay("check", graph, "text_to_image", "--json")
    assert result.exit_code == 2
    bad, good = lines(result)
    assert [problem["at"] for problem in bad["problems"]] == ["a.value", "a.vaule", "b"]
    assert good["ok"]


def test_nodes_lists_the_catalogue_for_people_and_programs(patchbay):
    listed = "".join(patchbay("nodes").stdout.split())
    assert "LoadModel" in listed
    assert '"patchbay[preprocess]"' in listed  # in brackets, which are no markup
    assert "steps" in patchbay("nodes", "Sample").stdout
    assert {item["id"] for item in json.loads(patchbay("nodes", "--json").stdout)} > {"Sample", "VAEDecode"}
    assert json.loads(patchbay("nodes", "Sample", "--json").stdout)["category"] == "sampling"
    result = patchbay("nodes", "Sampel")
    assert result.exit_code == 2
    assert 'Did you mean "Sample"?' in result.stderr


def test_new_starts_from_a_graph_that_works_and_overwrites_nothing(patchbay):
    assert patchbay("new", "mine.json").exit_code == 0
    assert patchbay("check", "mine.json").exit_code == 0
    before = Path("mine.json").read_bytes()
    result = patchbay("new", "mine.json", "--from", "inspect_vae")
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert Path("mine.json").read_bytes() == before


def test_fmt_writes_canonically_and_only_once(patchbay, write_graph):
    graph = write_graph({"a": {"type": "EmptyLatent", "inputs": {"height": 64, "width": 64}}})
    assert patchbay("fmt", "--check", graph).exit_code == 1
    assert patchbay("fmt", graph).exit_code == 0
    text = graph.read_text()
    assert text.index('"width"') < text.index('"height"')
    assert patchbay("fmt", "--check", graph).exit_code == 0


def test_doctor_prints_versions_folders_and_the_one_parent(patchbay, home):
    result = patchbay("doctor")
    assert result.exit_code == 0, result.output
    for text in ("torch", "diffusers", "engine, nodes, graphs and web lie in", str(home / "models")):
        assert text in result.stdout.replace("\n", "")


def test_a_wrong_configuration_is_refused_by_name(patchbay, home):
    (home / "config.toml").write_text('device = "gpu"\n')
    result = patchbay("check", "text_to_image")
    assert result.exit_code == 2
    assert "config.toml" in result.stderr
    assert "device" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["check", "text_to_image"], ["nodes"], ["--help"], ["run", "text_to_image", "--help"]]
)
def test_light_commands_never_import_torch(home, arguments):  # folders of the test's own
    code = (
        "import sys\nfrom web.cli import app\n"
        f"try:\n    app({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not {'torch', 'diffusers', 'transformers', 'aiohttp'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_saved_picture_runs_again_to_the_same_pixels(patchbay):
    first = patchbay("run", "text_to_image", *SMALL, "--seed", "7", "--prompt", "a blue star", "-o", "out")
    assert first.exit_code == 0, first.output
    again = patchbay("run", "out/text_to_image-0001.png", "-o", "again")
    assert again.exit_code == 0, again.output
    assert "seed: 7" in again.stdout
    before, after = Path("out/text_to_image-0001.png"), Path("again/text_to_image-0001.png")
    assert after.read_bytes() == before.read_bytes()
    other = patchbay("run", "out/text_to_image-0001.png", "--seed", "8", "-o", "again")
    assert other.exit_code == 0, other.output
    assert Path("again/text_to_image-0002.png").read_bytes() != before.read_bytes()


def test_a_node_that_saves_writes_the_graph_into_its_pictures(patchbay, write_graph):
    nodes = {
        "p": {"type": "LoadImage", "inputs": {"file": "sailboat.png"}},
        "r": {"type": "ResizeImage", "inputs": {"image": {"link": "p.image"}, "width": 32, "height": 32}},
        "s": {"type": "SaveImage", "inputs": {"image": {"link": "r.image"}, "name": "small"}},
    }
    graph = write_graph(nodes, {"width": "r.width"})
    assert patchbay("run", graph, "--width", "48", "-o", "out").exit_code == 0
    assert patchbay("run", "out/small-0001.png", "-o", "out").exit_code == 0
    first, second = Path("out/small-0001.png"), Path("out/small-0002.png")
    assert first.read_bytes() == second.read_bytes()
    with Pillow.open(second) as picture:
        assert picture.size == (48, 32)


def test_fmt_leaves_pictures_alone_and_new_takes_the_graph_out_of_one(patchbay):
    assert patchbay("run", "text_to_image", *SMALL, "-o", "out").exit_code == 0
    picture = Path("out/text_to_image-0001.png")
    before = picture.read_bytes()
    result = patchbay("fmt", picture)
    assert result.exit_code == 2
    assert f"patchbay new my.json --from {picture}" in result.stderr
    assert picture.read_bytes() == before
    assert patchbay("new", "mine.json", "--from", picture).exit_code == 0
    assert patchbay("check", "mine.json").exit_code == 0


def test_a_picture_without_a_graph_is_refused(patchbay):
    Pillow.new("RGB", (4, 4)).save("plain.png")
    result = patchbay("run", "plain.png")
    assert result.exit_code == 2
    assert "bad_picture plain.png: This picture carries no graph." in result.stderr
