"""The parts of training, each by what it promises; and all of it for a moment."""

import json
from random import Random

import pytest
import torch
from torch import nn

from nodes.pocket import autoencoder, denoiser, draw, train, vocabulary
from nodes.pocket.clock import Clock
from nodes.pocket.learner import Learner
from nodes.pocket.muon import orthogonal

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(16, 64), (64, 16), (32, 32)])
def test_muon_makes_all_directions_about_equal(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
    assert values.min() > 0.3
    assert values.max() < 1.4


def toy(folder, minutes=1.0):
    torch.manual_seed(0)
    return Learner(nn.Sequential(nn.Linear(16, 16)), folder / "toy.pt", Clock(minutes, CPU), CPU, 0.02, ())


def teach(learner, steps):
    for index in range(steps):
        given = torch.randn(32, 16, generator=torch.Generator().manual_seed(index))
        loss = (learner.model(given) - given.flip(1)).square().mean()
        learner.learn(loss, 1.0, loss)
    return float(loss.detach())


def test_a_learner_learns_and_its_average_follows(tmp_path):
    learner = toy(tmp_path)
    first, last = teach(learner, 1), teach(learner, 150)
    assert last < first / 20
    given = torch.randn(32, 16)
    assert (learner.average(given) - given.flip(1)).square().mean() < first / 5


def test_a_learner_goes_on_where_it_was(tmp_path):
    through = toy(tmp_path / "none")
    teach(through, 20)
    teach(through, 20)
    stopped = toy(tmp_path)
    teach(stopped, 20)
    stopped.save()
    resumed = toy(tmp_path)
    assert resumed.step == 20
    teach(resumed, 20)
    for one, other in zip(through.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.allclose(one, other)


def test_the_clock_counts_on_and_leaves_out():
    clock = Clock(1.0, CPU)
    clock.resume(30.0)
    assert 0.5 <= clock.progress < 0.6
    since = clock.used
    torch.randn(400, 400) @ torch.randn(400, 400)
    clock.without(since)
    assert clock.used == pytest.approx(since, abs=0.01)


def test_a_grown_denoiser_gives_what_the_coarse_one_gave():
    torch.manual_seed(0)
    tokenizer = vocabulary.build()
    coarse = denoiser.Denoiser(tokenizer, coarse=True)
    for parameter in coarse.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    whole = denoiser.grown(coarse, tokenizer)
    latents, times = torch.randn(2, 4, 32, 32), torch.tensor([300, 800])
    ids = denoiser.token_ids(tokenizer, ["a red circle", "the sea at night"])
    with torch.no_grad():
        before = coarse(nn.functional.avg_pool2d(latents, 2), times, ids)
        after = whole(latents, times, ids)
    assert before.std() > 0.01
    assert torch.allclose(after, nn.functional.interpolate(before, scale_factor=2.0), atol=1e-5)


def test_standard_latents_decode_as_before():
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    pixels = autoencoder.to_tensor([draw.paint(draw.imagine(Random(seed)), 64) for seed in range(8)])
    with torch.no_grad():
        before = vae.encode(pixels).latent_dist
        decoded = vae.decode(before.mode()).sample
        autoencoder.standardise(vae, before.mean.mean((0, 2, 3)), before.mean.std((0, 2, 3)))
        after = vae.encode(pixels).latent_dist
        assert torch.allclose(after.mean.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
        assert torch.allclose(after.mean.std((0, 2, 3)), torch.ones(4), atol=1e-4)
        ratio = before.mean.std((0, 2, 3)).view(1, 4, 1, 1)
        assert torch.allclose(after.std * ratio, before.std, rtol=1e-3)
        assert torch.allclose(vae.decode(after.mode()).sample, decoded, atol=1e-4)


def test_pictures_come_back_from_tensors():
    pixels = draw.paint(draw.imagine(Random(0)), 32)
    (back,) = autoencoder.to_pictures(autoencoder.to_tensor([pixels]))
    assert (back == pixels).all()


def test_a_moment_of_training_makes_a_model_and_its_table(tmp_path, monkeypatch):
    from diffusers import StableDiffusionPipeline

    monkeypatch.setattr(train, "_SHEET", {"one": 1, "scene": 1})
    monkeypatch.setattr(denoiser, "BATCH", 2)
    command = ["--minutes", "0.01", "--pictures", "12", "--folder", str(tmp_path)]
    train.main(command)
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "model", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline("a red star", num_inference_steps=1, width=64, height=64).images[0].size == (64, 64)
    rows = [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows][-1] == "whole"
    assert {"vae", "coarse", "whole"} == {row["stage"] for row in rows}
    assert list(tmp_path.glob("whole_*.png"))
    written = (tmp_path / "vae.pt").stat().st_mtime
    train.main(command)
    assert (tmp_path / "vae.pt").stat().st_mtime == written
