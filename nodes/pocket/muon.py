"""The optimiser: Muon for matrices and convolutions, AdamW for everything else.

Muon (K. Jordan and others, 2024, https://kellerjordan.github.io/posts/muon) steps along the momentum made orthogonal,
so that all directions of a matrix learn equally fast. The step's size follows Moonlight (J. Liu and others, 2025,
arXiv:2502.16982): 0.2 * sqrt(longer side), the size of an AdamW step, so that both share one learning rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Jordan's coefficients of the odd polynomial of degree five that brings singular values near 1."""

_LEAST = 8
"""Matrices with a side below this are vectors in disguise."""


def orthogonal(matrix: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """The nearest matrix whose singular values are about 1 (between 0.7 and 1.2), by Newton-Schulz iteration."""
    a, b, c = _NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: torch.Tensor = (x.T if tall else x).to(matrix.dtype)
    return found


class Muon(torch.optim.Optimizer):
    """Steps for the matrices, convolutions taken as [out, in * height * width]."""

    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], rate: float, momentum: float = 0.95, decay: float = 0.01
    ) -> None:
        super().__init__(parameters, {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ANN401, ARG002  # as torch calls it
        """Change every matrix that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._change(parameter, parameter.grad, group)

    def _change(self, parameter: torch.nn.Parameter, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(state["momentum"], group["momentum"])
        matrix = ahead.reshape(len(ahead), -1)
        size = 0.2 * max(matrix.shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["decay"])
        parameter.add_(orthogonal(matrix).reshape(ahead.shape), alpha=-group["lr"] * size)


class Optimiser:
    """Both optimisers as one. `apart` names parts of parameter names that stay with AdamW."""

    def __init__(self, module: torch.nn.Module, rate: float, apart: tuple[str, ...]) -> None:
        self._rate = rate
        self._all = [parameter for parameter in module.parameters() if parameter.requires_grad]
        matrices: list[torch.nn.Parameter] = []
        others: list[torch.nn.Parameter] = []
        for name, parameter in module.named_parameters():
            is_matrix = parameter.ndim > 1 and min(len(parameter), parameter[0].numel()) >= _LEAST
            (matrices if is_matrix and not any(part in name for part in apart) else others).append(parameter)
        self._both = (
            Muon(matrices, rate),
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True),
        )

    def step(self, loss: torch.Tensor, share: float) -> None:
        """Go down the loss with `share` of the full learning rate; the gradient's norm is clipped to 1."""
        for optimiser in self._both:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._all, 1.0)
        for optimiser in self._both:
            for group in optimiser.param_groups:
                group["lr"] = self._rate * share
            optimiser.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What resuming needs."""
        return [optimiser.state_dict() for optimiser in self._both]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from `state_dict`."""
        for optimiser, state in zip(self._both, states, strict=True):
            optimiser.load_state_dict(state)
