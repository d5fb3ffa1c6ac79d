"""What somebody without the key can try on a pile of latents: textbook tests, averaging, and a trained distinguisher.

The attacker is given more than life would give: the marked noise itself, not an estimate from an image, and as much of
it as there is for training. What finds nothing here finds less in images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from scipy.special import log_ndtr
from scipy.stats import chi2, kstest, norm
from torch import Tensor, nn

from assay.stats import clopper_pearson
from assay.vocabulary import LatentWatermark, Seal

Batch: TypeAlias = NDArray[np.float32]
"""Many latents: float32 of shape (count, channels, height, width)."""

Sampler: TypeAlias = Callable[[int, np.random.Generator], Batch]
"""Draws that many marked latents, with the generator for all chance in them."""


def marked(watermark: LatentWatermark, *, secret: bytes, shape: tuple[int, int, int], payload: int | None) -> Sampler:
    """Latents marked with one key, as one user makes them: fresh noise and a fresh nonce each.

    Args:
        watermark: How they are marked.
        secret: 32 bytes.
        shape: Channels, height, width.
        payload: The same in all, such as a user's id; None for a fresh one in each, such as an image's id.
    """

    def sample(count: int, chance: np.random.Generator) -> Batch:
        noise = fresh(shape)(count, chance)
        for number in range(count):
            own = int.from_bytes(chance.bytes(8)) if payload is None else payload
            noise[number] = watermark.mark(noise[number], Seal(secret=secret, nonce=chance.bytes(12), payload=own))
        return noise

    return sample


def fresh(shape: tuple[int, int, int]) -> Sampler:
    """Latents without a mark: independent N(0, 1) values."""

    def sample(count: int, chance: np.random.Generator) -> Batch:
        return chance.standard_normal((count, *shape), dtype=np.float32)

    return sample


# --- textbook tests ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One test of the hypothesis that all values are independent N(0, 1)."""

    name: str
    statistic: float
    """Standard normal under the hypothesis; the last three looks have laws of their own."""
    p_value: float
    """In [0, 1]; two-sided where the statistic has two sides."""


def looks(latents: Batch) -> tuple[Look, ...]:
    """Moments, autocorrelation, the average over images, and the distribution of the values.

    p-values are those of large samples, for 10^4 values and more.

    Args:
        latents: Shape (count, channels, height, width); a side of 1 has no neighbours, and is not looked along.
    """
    values = latents.astype(np.float64)
    return (*_moments(values), *_autocorrelation(values), _average(values), *_distribution(values.ravel()))


def _moments(values: NDArray[np.float64]) -> tuple[Look, ...]:
    """Hermite polynomials are uncorrelated under the normal law, with variance n! for degree n."""
    root = np.sqrt(values.size)
    square = values**2
    return (
        _normal("mean", root * values.mean()),
        _normal("variance", root * (square - 1).mean() / np.sqrt(2)),
        _normal("skewness", root * (values * (square - 3)).mean() / np.sqrt(6)),
        _normal("kurtosis", root * (square * (square - 6) + 3).mean() / np.sqrt(24)),
    )


def _autocorrelation(values: NDArray[np.float64]) -> tuple[Look, ...]:
    """Products of neighbours: along rows, columns, the diagonal, and from channel to channel."""
    pairs = {
        "row neighbours": (values[..., 1:], values[..., :-1]),
        "column neighbours": (values[..., 1:, :], values[..., :-1, :]),
        "diagonal neighbours": (values[..., 1:, 1:], values[..., :-1, :-1]),
        "channels": (values[:, 1:], values[:, :-1]),
    }
    return tuple(
        _normal(name, np.sqrt(one.size) * (one * other).mean()) for name, (one, other) in pairs.items() if one.size
    )


def _average(values: NDArray[np.float64]) -> Look:
    """What is the same in all images stays when they are averaged (Yang, Ci, Song, Shou, NeurIPS 2024)."""
    energy = float(len(values) * np.sum(values.mean(axis=0) ** 2))
    return Look(name="average over images", statistic=energy, p_value=float(chi2.sf(energy, values[0].size)))


def _distribution(values: NDArray[np.float64]) -> tuple[Look, Look]:
    ks = kstest(values, norm.cdf)
    ordered, odds = np.sort(values), np.arange(1, 2 * values.size, 2)
    tails = log_ndtr(ordered) + log_ndtr(-ordered[::-1])
    squared = float(-values.size - np.sum(odds * tails) / values.size)
    return (
        Look(name="Kolmogorov-Smirnov", statistic=float(ks.statistic), p_value=float(ks.pvalue)),
        Look(name="Anderson-Darling", statistic=squared, p_value=_anderson_darling_p(squared)),
    )


def _anderson_darling_p(squared: float) -> float:
    """P[A^2 >= squared] where mean and variance are given, not estimated as in SciPy's `anderson`.

    The limit law is that of a sum of chi-squared values over j (j + 1) (Anderson and Darling, Ann. Math. Stat. 23,
    1952); E exp(s A^2) = sqrt(-2 pi s / cos(pi/2 sqrt(1 + 8 s))) for Re s < 1, inverted along Re s = 1/2.
    """
    step, squared = 0.005, min(squared, 600.0)
    s = 0.5 + 1j * (np.arange(80_000) + 0.5) * step
    log = np.log(-2 * np.pi * s / np.cos(np.pi / 2 * np.sqrt(1 + 8 * s)))
    log = (log.real + 1j * np.unwrap(log.imag)) / 2  # the root's branch without jumps
    return float(np.clip(step / np.pi * np.sum((np.exp(log - s * squared) / s).real), 0, 1))


def _normal(name: str, statistic: float) -> Look:
    return Look(name=name, statistic=float(statistic), p_value=float(2 * norm.sf(abs(statistic))))


# --- the distinguisher ------------------------------------------------------------------------------------------------

CHANCE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinguished:
    """How often a trained network told marked from fresh noise, on latents that it had not seen, half of each."""

    accuracy: float
    low: float
    """Lower end of the exact 95 % interval (Clopper-Pearson)."""
    high: float
    n: int

    @property
    def is_chance(self) -> bool:
        """Whether the interval contains one half: nothing was found."""
        return self.low <= CHANCE <= self.high


WIDTHS = (16, 32, 64)
EPOCHS, BATCH, RATE, DECAY = 5, 64, 1e-3, 0.01


class Distinguisher(nn.Module):
    """A residual CNN with a fully connected head, and beside it one weight for each position.

    The weights see patterns that are the same in all images, which a CNN with pooling cannot: it does not know where it
    looks. The CNN sees patterns of neighbours, wherever they are.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = shape
        self.position = nn.Linear(channels * height * width, 1)
        self.stem = nn.Conv2d(channels, WIDTHS[0], 3, padding=1)
        self.blocks = nn.ModuleList(_Block(into, out) for into, out in pairwise(WIDTHS))
        for _ in self.blocks:
            height, width = (height + 1) // 2, (width + 1) // 2
        self.head = nn.Linear(WIDTHS[-1] * height * width, 1)

    def forward(self, latents: Tensor) -> Tensor:
        """Logits, positive for marked: (B, channels, height, width) to (B,)."""
        hidden = self.stem(latents)
        for block in self.blocks:
            hidden = block(hidden)
        logits: Tensor = self.position(latents.flatten(1)) + self.head(F.relu(hidden).flatten(1))
        return logits[:, 0]


class _Block(nn.Module):
    """Pre-activation residual block (He et al., ECCV 2016) that halves the sides."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(4, into), nn.ReLU(), nn.Conv2d(into, out, 3, stride=2, padding=1))
        self.second = nn.Sequential(nn.GroupNorm(4, out), nn.ReLU(), nn.Conv2d(out, out, 3, padding=1))
        self.skip = nn.Conv2d(into, out, 1, stride=2)

    def forward(self, hidden: Tensor) -> Tensor:
        halved = self.first(hidden)
        out: Tensor = self.skip(hidden) + halved + self.second(halved)
        return out


def distinguish(
    sampler: Sampler, *, train: int, held_out: int, seed: int, device: torch.device | str = "cpu"
) -> Distinguished:
    """Train a network to tell marked latents from fresh noise, and judge it on others.

    Args:
        sampler: Draws the marked latents.
        train: How many marked latents it learns from, beside as many fresh ones; at least 1.
        held_out: How many it is judged on in all, half of them marked; at least 10,000 for a number to publish.
        seed: For the latents and the network. The same seed gives the same answer on the same kind of device.
        device: Where the network runs.
    """
    learning, judging = (np.random.default_rng((seed, part)) for part in range(2))
    latents, labels = _labelled(sampler, train, learning)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Distinguisher(latents.shape[1:]).to(device)
    _fit(network, latents, labels, learning)
    correct, left = 0, held_out // 2
    while left:
        count = min(left, 1000)
        latents, labels = _labelled(sampler, count, judging)
        correct += int(((_logits(network, latents) > 0) == labels.astype(bool)).sum())
        left -= count
    n = held_out // 2 * 2
    low, high = clopper_pearson(correct, n)
    return Distinguished(accuracy=correct / n, low=low, high=high, n=n)


def _labelled(sampler: Sampler, count: int, chance: np.random.Generator) -> tuple[Batch, NDArray[np.float32]]:
    """That many marked latents and as many fresh ones, with labels 1 and 0."""
    with_mark = sampler(count, chance)
    without = chance.standard_normal(with_mark.shape, dtype=np.float32)
    return np.concatenate((with_mark, without)), np.repeat(np.array([1, 0], np.float32), count)


def _fit(network: Distinguisher, latents: Batch, labels: NDArray[np.float32], chance: np.random.Generator) -> None:
    """Logistic loss; the learning rate falls linearly to zero."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    batches = [part for _ in range(EPOCHS) for part in _batches(chance.permutation(len(labels)))]
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=len(batches))
    device = network.position.weight.device
    for part in batches:
        loss: Any = F.binary_cross_entropy_with_logits(
            network(torch.from_numpy(latents[part]).to(device)), torch.from_numpy(labels[part]).to(device)
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()


def _batches(order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


@torch.no_grad()
def _logits(network: Distinguisher, latents: Batch) -> NDArray[np.float32]:
    device = network.position.weight.device
    parts = [network(torch.from_numpy(part).to(device)).cpu().numpy() for part in np.array_split(latents, 8)]
    return np.concatenate(parts)
