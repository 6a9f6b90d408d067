"""A UNet that learned on latents averaged over 2 x 2 grows a level and goes on with all of them.

A step on averaged latents costs half of a whole one, and what words mean is learned there. Averaging noisy latents
averages clean ones, noise and velocity alike, so both trainings ask for the same thing at two resolutions. The grown
UNet starts out as the old one between an average and an enlargement, so that nothing learned is lost. That the old
one's first and last convolutions are 1 x 1 makes it possible: 3 x 3 averages would reach beyond the new convolutions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from nodes.pocket.network import Network

_SAMPLES, _SIDE = 64, 16
"""Random latents from which the new way in is fitted."""


@torch.no_grad()
def grow(old: Network, new: Network) -> None:
    """Fill `new`, which has one more outer level than `old` and as many channels in it, with what `old` learned."""
    state = new.state_dict()
    for name, tensor in old.state_dict().items():
        inner = re.sub(r"^down_blocks\.(\d+)", lambda found: f"down_blocks.{int(found[1]) + 1}", name)
        if not name.startswith(("conv_in", "conv_out")):
            state[inner] = tensor.clone()
    new.load_state_dict(state)
    _fit_way_in(old, new)
    _pass_way_out(old, new)


def _fit_way_in(old: Network, new: Network) -> None:
    """Make new input, new first level and downsampling give what the old input gave for averaged latents.

    The level passes its input on while its second convolution is zero, so what is left to find is the downsampling
    convolution, by least squares over random latents.
    """
    block = new.down_blocks[0]
    nn.init.zeros_(block.resnets[0].conv2.weight)
    nn.init.zeros_(block.resnets[0].conv2.bias)
    nn.init.kaiming_normal_(new.conv_in.weight, nonlinearity="linear")
    nn.init.zeros_(new.conv_in.bias)
    noise = torch.Generator().manual_seed(0)
    latents = torch.randn(_SAMPLES, old.config.in_channels, 2 * _SIDE, 2 * _SIDE, generator=noise)
    wanted = old.conv_in(nn.functional.avg_pool2d(latents, 2))
    seen = nn.functional.unfold(new.conv_in(latents), 3, padding=1, stride=2)
    rows = seen.transpose(1, 2).flatten(0, 1)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], 1)
    answers = wanted.flatten(2).transpose(1, 2).flatten(0, 1)
    found = torch.linalg.lstsq(rows, answers).solution
    down = block.downsamplers[0].conv
    down.weight.copy_(found[:-1].T.reshape(down.weight.shape))
    down.bias.copy_(found[-1])


def _pass_way_out(old: Network, new: Network) -> None:
    """Make the enlarging convolution and the new last level pass on what reaches them, for the old way out."""
    enlarge = new.up_blocks[-2].upsamplers[0].conv
    nn.init.dirac_(enlarge.weight)
    nn.init.zeros_(enlarge.bias)
    for resnet in new.up_blocks[-1].resnets:
        nn.init.zeros_(resnet.conv2.weight)
        nn.init.zeros_(resnet.conv2.bias)
        nn.init.dirac_(resnet.conv_shortcut.weight)
        nn.init.zeros_(resnet.conv_shortcut.bias)
    nn.init.zeros_(new.conv_out.weight)
    new.conv_out.weight[:, :, 1, 1] = old.conv_out.weight[:, :, 0, 0]
    new.conv_out.bias.copy_(old.conv_out.bias)
