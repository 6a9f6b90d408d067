"""Train the model in the box from nothing: `python -m nodes.pocket.train --minutes 90`.

Four stages: the VAE; the latents of the training pictures; the UNet with its text encoder on averaged latents; both on
whole ones. Each goes on from where a former process left off in the same folder, which in the end holds the finished
model under `model/`, the table of losses and scores in `table.jsonl`, and a sheet of samples for each row.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from rich.progress import Progress
    from transformers import CLIPTokenizer

    from nodes.pocket.clock import Clock
    from nodes.pocket.denoiser import Denoiser
    from nodes.pocket.draw import Picture
    from nodes.pocket.learner import Look
    from nodes.pocket.network import Network

VAE_SHARE, COARSE_SHARE, WHOLE_SHARE = 0.13, 0.25, 0.53
"""Shares of the minutes; encoding the pictures takes about the rest, on two cores."""

LOOKS = 6
"""How many rows of the table each training of the denoiser gives."""

_SHEET = {"one": 16, "two": 8, "three": 8, "scene": 16}
"""Prompts of each kind that are drawn for a row and its sheet."""


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    options = _parser().parse_args(arguments)
    import torch
    from rich.progress import Progress

    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    with Progress() as progress:
        run = _Training(options.folder, progress, device)
        vae = run.vae(options.minutes * VAE_SHARE)
        run.latents(vae, options.pictures)
        run.denoiser(vae, options.minutes * COARSE_SHARE, options.minutes * WHOLE_SHARE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nodes.pocket.train", description=__doc__)
    parser.add_argument("--minutes", type=float, default=90, help="of work by all threads, or of a GPU")
    parser.add_argument("--folder", type=Path, default=Path("training"), help="what is kept between processes")
    parser.add_argument("--pictures", type=int, default=24_576, help="how many are drawn and encoded")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0 leaves it to torch")
    parser.add_argument("--device", default="", help='such as "cuda" or "cpu"; a GPU where there is one')
    return parser


class _Training:
    """The stages, and what they show."""

    def __init__(self, folder: Path, progress: Progress, device: torch.device) -> None:
        self._folder = folder
        self._progress = progress
        self._device = device

    def vae(self, minutes: float) -> Network:
        """The trained VAE, its latents brought to mean 0 and deviation 1."""
        import torch
        from diffusers import AutoencoderKL

        from nodes.pocket import autoencoder, latents
        from nodes.pocket.clock import Clock

        finished = self._folder / "vae"
        if not finished.exists():
            clock = Clock(minutes, self._device)
            vae = self._watch("vae", clock, autoencoder.fit(self._folder, clock, self._device))
            latents.settle(vae)
            vae.save_pretrained(finished)
        loaded: Network = AutoencoderKL.from_pretrained(finished).eval().to(self._device)
        return loaded.to(memory_format=torch.channels_last)

    def latents(self, vae: Network, pictures: int) -> None:
        """The training pictures' latents, in shards."""
        from nodes.pocket import latents

        task = self._progress.add_task("latents", total=pictures)
        for done in latents.write(vae, self._folder / "latents", pictures):
            self._progress.update(task, completed=done)

    def denoiser(self, vae: Network, coarse_minutes: float, whole_minutes: float) -> None:
        """UNet and text encoder, first on averaged latents, then on whole ones; and the finished model."""
        from nodes.pocket import finish, vocabulary
        from nodes.pocket.denoiser import Denoiser, grown

        tokenizer = vocabulary.build()
        coarse = self._denoise("coarse", Denoiser(tokenizer, coarse=True), vae, tokenizer, coarse_minutes)
        model = self._denoise("whole", grown(coarse, tokenizer), vae, tokenizer, whole_minutes)
        finish.save(self._folder / "model", vae, model, tokenizer)

    def _denoise(self, stage: str, model: Denoiser, vae: Network, tokenizer: CLIPTokenizer, minutes: float) -> Denoiser:
        """One training of the denoiser, with its scores and sample sheets; the averaged networks."""
        from nodes.pocket import denoiser, sampling, score
        from nodes.pocket.clock import Clock

        clock = Clock(minutes, self._device)
        pictures, prompts = _questions()

        def measure(average: Denoiser) -> dict[str, Any]:
            drawn = sampling.sample(average, vae, tokenizer, prompts)
            sampling.save_sheet(drawn, self._folder / f"{stage}_{clock.used / 60:03.0f}.png")
            return score.table(pictures, drawn)

        every = 60 * minutes / LOOKS
        fitting = denoiser.fit(model, self._folder, tokenizer, clock, self._device, measure, every)
        average: Denoiser = self._watch(stage, clock, fitting)
        return average

    def _watch(self, stage: str, clock: Clock, fitting: Iterator[Look | None]) -> Network:
        """Train to the end, with a bar and a line for each row of the table; the averaged model."""
        task = self._progress.add_task(stage, total=1.0)
        model = None
        for look in fitting:
            self._progress.update(task, completed=clock.progress)
            if look:
                row, model = look
                line = json.dumps({"stage": stage, **row})
                self._progress.console.print(line, highlight=False, soft_wrap=True)
                with (self._folder / "table.jsonl").open("a", encoding="utf-8") as table:
                    table.write(line + "\n")
        return model


def _questions() -> tuple[list[Picture], list[str]]:
    """What is asked for to see how far the model is."""
    from nodes.pocket import score

    asked = [score.questions(kind, count) for kind, count in _SHEET.items()]
    return [picture for pictures, _ in asked for picture in pictures], [text for _, texts in asked for text in texts]


if __name__ == "__main__":
    main()
