"""Samplers as pure functions, each with its paper's name and letters.

A sampler is a generator. It yields `x, sigma` and is sent `denoised`, the model's idea of the clean picture for them;
what it returns is the result. All of them live in the space of Karras et al., "Elucidating the Design Space of
Diffusion-Based Generative Models" (2022), where `x` is the picture plus `sigma` times noise. Noise levels are floats,
`draw()` gives standard normal noise of the shape of `x`. Nothing here knows of models, pipelines or random states, so
the same function runs in any family and on a formula.

`lambda = -log(sigma)` is half the logarithm of the signal-to-noise ratio; `h` is a step in it.

Samplers in `STRAIGHT` only follow the derivative `(x - denoised) / sigma`. It is the velocity of a flow model as well,
so they run in that model's own space, where the greatest level is 1; all others see it as infinite noise.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp, expm1, inf, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from torch import Tensor

    Draw = Callable[[], Tensor]
    Steps = Generator[tuple[Tensor, float], Tensor, Tensor]

_MOST_CHURN = sqrt(2) - 1


def euler(
    x: Tensor,
    sigmas: Sequence[float],
    draw: Draw,
    *,
    s_churn: float = 0.0,
    s_tmin: float = 0.0,
    s_tmax: float = inf,
    s_noise: float = 1.0,
) -> Steps:
    """Euler steps along the probability flow; Karras et al. (2022), algorithm 2 without the second order.

    `s_churn` above 0 adds fresh noise before each step between `s_tmin` and `s_tmax`. Order 1.
    """
    churn = _Churn(len(sigmas) - 1, s_churn, s_tmin, s_tmax, s_noise)
    for sigma, sigma_next in pairwise(sigmas):
        x, sigma_hat = churn.raise_noise(x, sigma, draw)
        denoised = yield x, sigma_hat
        x = x + _derivative(x, sigma_hat, denoised) * (sigma_next - sigma_hat)
    return x


def heun(
    x: Tensor,
    sigmas: Sequence[float],
    draw: Draw,
    *,
    s_churn: float = 0.0,
    s_tmin: float = 0.0,
    s_tmax: float = inf,
    s_noise: float = 1.0,
) -> Steps:
    """Heun's method; Karras et al. (2022), algorithm 2. Two model calls a step, order 2."""
    churn = _Churn(len(sigmas) - 1, s_churn, s_tmin, s_tmax, s_noise)
    for sigma, sigma_next in pairwise(sigmas):
        x, sigma_hat = churn.raise_noise(x, sigma, draw)
        denoised = yield x, sigma_hat
        d = _derivative(x, sigma_hat, denoised)
        x_2 = x + d * (sigma_next - sigma_hat)
        if sigma_next > 0:
            denoised_2 = yield x_2, sigma_next
            d = (d + _derivative(x_2, sigma_next, denoised_2)) / 2
            x_2 = x + d * (sigma_next - sigma_hat)
        x = x_2
    return x


def dpm_2(
    x: Tensor,
    sigmas: Sequence[float],
    draw: Draw,
    *,
    s_churn: float = 0.0,
    s_tmin: float = 0.0,
    s_tmax: float = inf,
    s_noise: float = 1.0,
) -> Steps:
    """The midpoint method in log sigma, after DPM-Solver-2; Lu et al. (2022). Two model calls a step, order 2."""
    churn = _Churn(len(sigmas) - 1, s_churn, s_tmin, s_tmax, s_noise)
    for sigma, sigma_next in pairwise(sigmas):
        x, sigma_hat = churn.raise_noise(x, sigma, draw)
        denoised = yield x, sigma_hat
        d = _derivative(x, sigma_hat, denoised)
        if sigma_next > 0:
            sigma_mid = sqrt(sigma_hat * sigma_next)
            x_2 = x + d * (sigma_mid - sigma_hat)
            denoised_2 = yield x_2, sigma_mid
            d = _derivative(x_2, sigma_mid, denoised_2)
        x = x + d * (sigma_next - sigma_hat)
    return x


def euler_ancestral(x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 1.0, s_noise: float = 1.0) -> Steps:
    """Ancestral sampling with Euler steps; the variances are those of Song et al., "DDIM" (2020), formula 16."""
    for sigma, sigma_next in pairwise(sigmas):
        sigma_down, sigma_up = ancestral_step(sigma, sigma_next, eta)
        denoised = yield x, sigma
        x = x + _derivative(x, sigma, denoised) * (sigma_down - sigma)
        x = _noised(x, sigma_up * s_noise, draw)
    return x


def dpm_2_ancestral(x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 1.0, s_noise: float = 1.0) -> Steps:
    """Ancestral sampling with DPM-Solver-2 steps. Two model calls a step."""
    for sigma, sigma_next in pairwise(sigmas):
        sigma_down, sigma_up = ancestral_step(sigma, sigma_next, eta)
        denoised = yield x, sigma
        d = _derivative(x, sigma, denoised)
        if sigma_down > 0:
            sigma_mid = sqrt(sigma * sigma_down)
            x_2 = x + d * (sigma_mid - sigma)
            denoised_2 = yield x_2, sigma_mid
            d = _derivative(x_2, sigma_mid, denoised_2)
        x = _noised(x + d * (sigma_down - sigma), sigma_up * s_noise, draw)
    return x


def lms(x: Tensor, sigmas: Sequence[float], draw: Draw, *, order: int = 4) -> Steps:  # noqa: ARG001  # all are called alike
    """The linear multistep method of Adams and Bashforth in sigma. One model call a step."""
    ds: list[Tensor] = []
    for i, sigma in enumerate(sigmas[:-1]):
        denoised = yield x, sigma
        ds = [_derivative(x, sigma, denoised), *ds][:order]
        weights = _adams_bashforth(tuple(sigmas[i - j] for j in range(len(ds))), sigmas[i + 1])
        x = x + sum(weight * d for weight, d in zip(weights, ds, strict=True))
    return x


def dpmpp_2s_ancestral(
    x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 1.0, s_noise: float = 1.0
) -> Steps:
    """Ancestral sampling with DPM-Solver++(2S) steps; Lu et al. (2022b), algorithm 1. Two model calls a step."""
    for sigma, sigma_next in pairwise(sigmas):
        sigma_down, sigma_up = ancestral_step(sigma, sigma_next, eta)
        denoised = yield x, sigma
        if sigma_down > 0:
            sigma_s = sqrt(sigma * sigma_down)
            x_2 = _exponential_step(x, sigma, sigma_s, denoised)
            denoised = yield x_2, sigma_s
        x = _noised(_exponential_step(x, sigma, sigma_down, denoised), sigma_up * s_noise, draw)
    return x


def dpmpp_sde(
    x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 1.0, s_noise: float = 1.0, r: float = 0.5
) -> Steps:
    """DPM-Solver++(2S) on the diffusion SDE, as k-diffusion has it: the midpoint at `r` of the step is noised too.

    The noise of the midpoint and that of the whole step come from one Brownian path. Two model calls a step.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = _exponential_step(x, sigma, 0.0, denoised)
            continue
        sigma_s = sigma ** (1 - r) * sigma_next**r
        first, rest = draw(), draw()
        sigma_down, sigma_up = ancestral_step(sigma, sigma_s, eta)
        x_2 = _exponential_step(x, sigma, sigma_down, denoised) + first * (sigma_up * s_noise)
        denoised_2 = yield x_2, sigma_s
        whole = first * sqrt((sigma - sigma_s) / (sigma - sigma_next)) + rest * sqrt(
            (sigma_s - sigma_next) / (sigma - sigma_next)
        )
        sigma_down, sigma_up = ancestral_step(sigma, sigma_next, eta)
        denoised_d = denoised + (denoised_2 - denoised) / (2 * r)
        x = _exponential_step(x, sigma, sigma_down, denoised_d) + whole * (sigma_up * s_noise)
    return x


def dpmpp_2m(x: Tensor, sigmas: Sequence[float], draw: Draw) -> Steps:  # noqa: ARG001  # all are called alike
    """DPM-Solver++(2M); Lu et al. (2022b), algorithm 2. One model call a step, order 2."""
    old_denoised, h_last = None, 0.0
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        denoised_d = denoised
        h = log(sigma / sigma_next) if sigma_next > 0 else inf
        if old_denoised is not None and sigma_next > 0:
            r = h_last / h
            denoised_d = denoised + (denoised - old_denoised) / (2 * r)
        x = _exponential_step(x, sigma, sigma_next, denoised_d)
        old_denoised, h_last = denoised, h
    return x


def dpmpp_2m_sde(
    x: Tensor,
    sigmas: Sequence[float],
    draw: Draw,
    *,
    eta: float = 1.0,
    s_noise: float = 1.0,
    midpoint: bool = True,
) -> Steps:
    """SDE-DPM-Solver++(2M); Lu et al. (2022b), section 5. `midpoint` chooses one of its two corrections."""
    old_denoised, h_last = None, 0.0
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        h = log(sigma / sigma_next)
        h_eta = h * (1 + eta)
        x = x * exp(-h_eta) - denoised * expm1(-h_eta)
        if old_denoised is not None:
            weight = -expm1(-h_eta) / 2 if midpoint else 1 + expm1(-h_eta) / h_eta
            x = x + (denoised - old_denoised) * (weight * h / h_last)
        x = _noised(x, sigma_next * sqrt(-expm1(-2 * eta * h)) * s_noise, draw)
        old_denoised, h_last = denoised, h
    return x


def dpmpp_3m_sde(x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 1.0, s_noise: float = 1.0) -> Steps:
    """SDE-DPM-Solver++(3M), as k-diffusion has it: one model more in the memory than 2M."""
    past: list[tuple[Tensor, float]] = []  # newest first: what was predicted, and the step that was then taken
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        h = log(sigma / sigma_next)
        h_eta = h * (1 + eta)
        phi_2 = expm1(-h_eta) / h_eta + 1
        phi_3 = phi_2 / h_eta - 0.5
        x = x * exp(-h_eta) - denoised * expm1(-h_eta)
        if len(past) == 1:
            ((denoised_1, h_1),) = past
            x = x + (denoised - denoised_1) * (phi_2 * h / h_1)
        elif past:
            (denoised_1, h_1), (denoised_2, h_2) = past
            r_0, r_1 = h_1 / h, h_2 / h
            d1_0, d1_1 = (denoised - denoised_1) / r_0, (denoised_1 - denoised_2) / r_1
            d1 = d1_0 + (d1_0 - d1_1) * (r_0 / (r_0 + r_1))
            d2 = (d1_0 - d1_1) / (r_0 + r_1)
            x = x + d1 * phi_2 - d2 * phi_3
        x = _noised(x, sigma_next * sqrt(-expm1(-2 * eta * h)) * s_noise, draw)
        past = [(denoised, h), *past][:2]
    return x


def res_multistep(x: Tensor, sigmas: Sequence[float], draw: Draw, *, eta: float = 0.0, s_noise: float = 1.0) -> Steps:
    """The refined exponential solver, multistep; Zhang et al., "Improved Order Analysis and Design of Exponential
    Integrator for Diffusion Models Sampling" (2023). One model call a step, order 2 where `eta` is 0.
    """  # noqa: D205  # one sentence too long for a line
    old_denoised, sigma_old = None, 0.0
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        sigma_down, sigma_up = ancestral_step(sigma, sigma_next, eta)
        if old_denoised is None or sigma_down == 0:
            x = _exponential_step(x, sigma, sigma_down, denoised)
        else:
            h = log(sigma / sigma_down)
            c_2 = log(sigma / sigma_old) / h
            phi_1 = -expm1(-h) / h
            phi_2 = (1 - phi_1) / h
            b_1, b_2 = phi_1 - phi_2 / c_2, phi_2 / c_2
            x = x * exp(-h) + (denoised * b_1 + old_denoised * b_2) * h
        x = _noised(x, sigma_up * s_noise, draw)
        old_denoised, sigma_old = denoised, sigma
    return x


def er_sde(x: Tensor, sigmas: Sequence[float], draw: Draw, *, s_noise: float = 1.0, order: int = 3) -> Steps:
    """The extended reverse-time SDE solver; Cui et al., "Elucidating the Solution Space of Extended Reverse-Time SDE
    for Diffusion Models" (2023), VE-ER-SDE-Solver with the noise scale that the paper recommends.
    """  # noqa: D205  # one sentence too long for a line
    old_denoised, old_denoised_d = None, None
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield x, sigma
        if sigma_next == 0:
            x = denoised
            continue
        r = _noise_scale(sigma_next) / _noise_scale(sigma)
        x = x * r + denoised * (1 - r)
        if old_denoised is not None and order > 1:
            s, s_u = _integrals(sigma, sigma_next)
            h = sigma_next - sigma
            denoised_d = (denoised - old_denoised) / (sigma - sigmas[i - 1])
            x = x + denoised_d * (h + s * _noise_scale(sigma_next))
            if old_denoised_d is not None and order > 2:  # noqa: PLR2004  # the third stage
                denoised_u = (denoised_d - old_denoised_d) / ((sigma - sigmas[i - 2]) / 2)
                x = x + denoised_u * (h * h / 2 + s_u * _noise_scale(sigma_next))
            old_denoised_d = denoised_d
        x = _noised(x, s_noise * sqrt(max(0.0, sigma_next**2 - (sigma * r) ** 2)), draw)
        old_denoised = denoised
    return x


def lcm(x: Tensor, sigmas: Sequence[float], draw: Draw, *, s_noise: float = 1.0) -> Steps:
    """Multistep consistency sampling; Song et al., "Consistency Models" (2023), algorithm 1.

    Right for models that were distilled for it (LCM, Hyper, Lightning); on others the result is a blur.
    """
    for sigma, sigma_next in pairwise(sigmas):
        denoised = yield x, sigma
        x = _noised(denoised, sigma_next * s_noise, draw)
    return x


@dataclass(frozen=True, slots=True)
class _Churn:
    """The noise that algorithm 2 of Karras et al. adds before a step."""

    steps: int
    s_churn: float
    s_tmin: float
    s_tmax: float
    s_noise: float

    def raise_noise(self, x: Tensor, sigma: float, draw: Draw) -> tuple[Tensor, float]:
        """`x` at a noise level a little higher than `sigma`, and that level."""
        gamma = min(self.s_churn / self.steps, _MOST_CHURN) if self.s_tmin <= sigma <= self.s_tmax else 0.0
        if gamma <= 0:
            return x, sigma
        sigma_hat = sigma * (1 + gamma)
        return x + draw() * (self.s_noise * sqrt(sigma_hat**2 - sigma**2)), sigma_hat


def ancestral_step(sigma_from: float, sigma_to: float, eta: float = 1.0) -> tuple[float, float]:
    """The level to step down to and the noise to add, which together arrive at `sigma_to`.

    With `eta` 0 no noise is added; with 1 it is that of the posterior, as in DDPM.
    """
    if not eta or sigma_to == 0:
        return sigma_to, 0.0
    sigma_up = min(sigma_to, eta * sigma_to * sqrt(max(0.0, 1 - (sigma_to / sigma_from) ** 2)))
    return sqrt(max(0.0, sigma_to**2 - sigma_up**2)), sigma_up


def _derivative(x: Tensor, sigma: float, denoised: Tensor) -> Tensor:
    """The derivative of `x` by `sigma` along the probability flow; Karras et al. (2022), formula 3."""
    return (x - denoised) / sigma


def _exponential_step(x: Tensor, sigma: float, sigma_to: float, denoised: Tensor) -> Tensor:
    """The exact step from one level to another for a prediction that stays the same."""
    ratio = sigma_to / sigma
    return x * ratio + denoised * (1 - ratio)


def _noised(x: Tensor, amount: float, draw: Draw) -> Tensor:
    return x + draw() * amount if amount > 0 else x


@lru_cache(maxsize=4096)
def _adams_bashforth(past: tuple[float, ...], end: float) -> tuple[float, ...]:
    """The integrals from `past[0]` to `end` of the Lagrange polynomials on the points `past`."""
    found = []
    for j, node in enumerate(past):
        basis = np.polynomial.Polynomial([1.0])
        for k, other in enumerate(past):
            if k != j:
                basis *= np.polynomial.Polynomial([-other, 1.0]) / (node - other)
        whole = basis.integ()
        found.append(float(whole(end) - whole(past[0])))
    return tuple(found)


def _noise_scale(sigma: float) -> float:
    return sigma * (exp(min(sigma**0.3, 600.0)) + 10.0)


@lru_cache(maxsize=4096)
def _integrals(sigma: float, sigma_next: float) -> tuple[float, float]:
    """The two integrals over the step that the second and third stage need, as sums of 200 points."""
    points = 200
    size = (sigma - sigma_next) / points
    places = [sigma_next + k * size for k in range(points)]
    scales = [_noise_scale(place) for place in places]
    s = sum(1 / scale for scale in scales) * size
    s_u = sum((place - sigma) / scale for place, scale in zip(places, scales, strict=True)) * size
    return s, s_u


SAMPLERS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        euler,
        euler_ancestral,
        heun,
        dpm_2,
        dpm_2_ancestral,
        lms,
        dpmpp_2s_ancestral,
        dpmpp_sde,
        dpmpp_2m,
        dpmpp_2m_sde,
        dpmpp_3m_sde,
        res_multistep,
        er_sde,
        lcm,
    )
}
"""Every sampler by its name."""

STRAIGHT = frozenset({"euler", "heun", "dpm_2", "lms"})


def settings_of(name: str) -> Mapping[str, float]:
    """The settings of a sampler and their defaults."""
    parameters = inspect.signature(SAMPLERS[name]).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}


def levels(name: str, sigmas: Sequence[float], settings: Mapping[str, float]) -> list[float]:
    """The noise levels at which the sampler will ask the model, in order. They depend on no picture."""
    steps = SAMPLERS[name](np.zeros(()), sigmas, lambda: np.zeros(()), **settings)
    found: list[float] = []
    answer = None
    while True:
        try:
            answer, level = steps.send(answer)
        except StopIteration:
            return found
        found.append(level)
