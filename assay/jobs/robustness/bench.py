"""What rows are measured with: a model, its images, and the key that everybody knows."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assay import catalog
from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.jobs.robustness.results import Setup
from assay.keys import derive
from assay.vocabulary import Latents, Pixels, Seal
from generation import pocket
from generation.adapters import Adapter
from generation.invert import estimate
from generation.local import shown
from generation.pictures import to_pixels
from generation.training.captions import colour_in, kind_in
from generation.training.flowers import MANIFEST

BATCH = 25
UNMARKED = "none"


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Everything that rows are measured with; images are drawn when they are first asked for, and kept."""

    setup: Setup
    adapter: Adapter
    work: Path
    """Where drawn images are kept, in a folder for each setup."""

    @cached_property
    def folder(self) -> Path:
        """The images of this setup."""
        name = hashlib.sha256(repr(replace(self.setup, count=0)).encode()).hexdigest()[:16]
        folder = self.work / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """Captions of photographs that the model was not trained on, in a seeded order."""
        with MANIFEST.open(newline="") as lines:
            captions = [row["caption"] for row in csv.DictReader(lines) if row["split"] == "test"]
        order = np.random.default_rng([self.setup.seed, 0]).permutation(len(captions))
        return tuple(captions[at] for at in order)

    def prompt(self, number: int) -> str:
        """What an image shows."""
        return self.prompts[number % len(self.prompts)]

    def other_prompt(self, number: int) -> str:
        """The next prompt that asks for another kind of flower in another colour: for forgeries."""
        own = self.prompt(number)
        following = (self.prompt(later) for later in itertools.count(number + 1))
        return next(prompt for prompt in following if not _alike(prompt, own))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.adapter.spec.size, self.adapter.spec.size

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image's noise."""
        return self.adapter.latent_shape(*self.size)

    def seal(self, number: int) -> Seal:
        """The evaluation key, and this image's nonce and payload."""
        random = np.random.default_rng([self.setup.seed, 1, number])
        nonce, payload = random.bytes(12), int.from_bytes(random.bytes(8), "big")
        return Seal(secret=evaluation_key(self.setup.seed), nonce=nonce, payload=payload)

    def noise(self, method: str, number: int) -> Latents:
        """What an image is drawn from."""
        noise = np.random.default_rng([self.setup.seed, 2, number]).standard_normal(self.shape, np.float32)
        return noise if method == UNMARKED else catalog.latent_watermark(method).mark(noise, self.seal(number))

    def draw(self, prompts: Sequence[str], noises: Sequence[Latents]) -> list[Pixels]:
        """Images of these prompts and this noise."""
        noise = torch.from_numpy(np.stack(noises))
        setup = self.setup
        return to_pixels(self.adapter.draw(list(prompts), noise, steps=setup.steps, guidance=setup.guidance))

    def images(self, method: str, count: int) -> list[Pixels]:
        """The first images of a method, drawn from its noise."""
        return [image for numbers in batches(count) for image in self._strip(method, numbers)]

    @cached_property
    def plain(self) -> list[Pixels]:
        """Images of the same prompts, from noise without a mark."""
        return self.images(UNMARKED, self.setup.count)

    def strip(self, name: str, numbers: Sequence[int], make: Callable[[], Sequence[NDArray[Any]]]) -> list[Any]:
        """What was made for these numbers: from its file, or made and kept there."""
        path = self.folder / f"{name}-{numbers[0]}-{numbers[-1]}.npz"
        if not path.exists():
            stream = BytesIO()
            np.savez_compressed(stream, made=np.stack(make()))
            write_whole(path, stream.getvalue())
        with np.load(path, allow_pickle=False) as stored:
            return list(stored["made"])

    def _strip(self, method: str, numbers: Sequence[int]) -> list[Pixels]:
        prompts = [self.prompt(number) for number in numbers]
        return self.strip(
            method, numbers, lambda: self.draw(prompts, [self.noise(method, number) for number in numbers])
        )


def _alike(prompt: str, other: str) -> bool:
    return colour_in(prompt) == colour_in(other) or kind_in(prompt) == kind_in(other)


def folder_id(folder: Path) -> str:
    """Eight hexadecimal digits for a folder's place, to name what was made of its files."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]


def evaluation_key(seed: int) -> bytes:
    """The key that evaluations mark with: 32 bytes that everybody can compute. It protects nothing."""
    return derive(hashlib.sha256(f"assay evaluation {seed}".encode()).digest(), "evaluation")


def setup_for(
    adapter: Adapter, *, count: int = 200, steps: int = 20, seed: int = 0, guidance: float | None = None
) -> Setup:
    """The setup of a model: its own guidance, unless another is given."""
    spec = adapter.spec
    return Setup(
        model=shown(spec.id),
        weights=weights_digest() if spec.local else str(spec.revision),
        count=count,
        steps=steps,
        guidance=spec.guidance if guidance is None else guidance,
        seed=seed,
    )


def weights_digest(folder: Path = pocket.WEIGHTS) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the weights in a folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def batches(count: int) -> list[list[int]]:
    """The numbers below `count`, as they are worked on."""
    return [list(range(start, min(count, start + BATCH))) for start in range(0, count, BATCH)]


def in_batches(bench: Bench, pictures: Sequence[Pixels]) -> list[Latents]:
    """The noise behind any number of pictures."""
    parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
    return [noise for part in parts for noise in estimate(bench.adapter, part)]


def bench_for(adapter: Adapter, setup: Setup, work: Path) -> Bench:
    """A bench whose folder can be written.

    Raises:
        ConfigurationError: It cannot.
    """
    bench = Bench(setup=setup, adapter=adapter, work=work)
    try:
        bench.folder  # noqa: B018 - made on first use
    except OSError as error:
        raise ConfigurationError(f"{work}: {error.strerror}", hint="Use another --work.") from error
    return bench
