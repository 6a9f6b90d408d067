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


@torch.no_grad()
def grow(old: Network, new: Network) -> None:
    """Fill `new`, which has one more outer level than `old` and as many channels in it, with what `old` learned."""
    state = new.state_dict()
    for name, tensor in old.state_dict().items():
        inner = re.sub(r"^down_blocks\.(\d+)", lambda found: f"down_blocks.{int(found[1]) + 1}", name)
        if not name.startswith(("conv_in", "conv_out")):
            state[inner] = tensor.clone()
    new.load_state_dict(state)
    _invert_way_in(old, new)
    _pass_way_out(old, new)


def _invert_way_in(old: Network, new: Network) -> None:
    """Make new input, new first level and downsampling give what the old input gave for averaged latents.

    The level passes its input on while its second convolution is zero. The new input, as a matrix from the
    pixels a kernel sees to channels, has orthogonal columns, so the transpose finds the pixel in the middle again; the
    downsampling convolution does so at the four pixels of each average.
    """
    block = new.down_blocks[0]
    nn.init.zeros_(block.resnets[0].conv2.weight)
    nn.init.zeros_(block.resnets[0].conv2.bias)
    pixels = new.conv_in.weight[0].numel()
    columns = torch.empty(len(new.conv_in.weight), pixels)
    nn.init.orthogonal_(columns, gain=(len(columns) / pixels) ** 0.5)
    new.conv_in.weight.copy_(columns.reshape(new.conv_in.weight.shape))
    nn.init.zeros_(new.conv_in.bias)
    spread = new.conv_in.weight[:, :, 1, 1]
    middle = spread.T / spread.square().sum(0).unsqueeze(1)
    down = block.downsamplers[0].conv
    nn.init.zeros_(down.weight)
    down.weight[:, :, 1:, 1:] = (old.conv_in.weight[:, :, 0, 0] @ middle / 4)[:, :, None, None]
    down.bias.copy_(old.conv_in.bias)


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
