"""Measures the pocket model and writes its card.

    python -m generation.training.evaluate --photographs CLONE --pictures runs/pictures

Pictures are drawn once and kept in `--pictures`, so a run that was cut off goes on where it was. Everything is
uncurated: prompts are the captions of photographs held out of training, seeds count up from zero.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from assay.loop import device_of
from assay.stats import clopper_pearson
from generation import pocket
from generation.training import flowers, judge
from generation.training.captions import colour, colour_in

STEPS, GUIDANCE, BATCH = 20, 3.0, 20
JUDGED = 500
INCEPTION_FEATURES = 2048

Results: TypeAlias = dict[str, str]
"""What was measured, in words, by name."""


def draw(
    pipeline: StableDiffusionPipeline, prompts: Sequence[str], folder: Path, *, guidance: float, steps: int = STEPS
) -> NDArray[np.uint8]:
    """One picture a prompt, the seed its number: uint8 of shape (N, 128, 128, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for at in tqdm(range(0, len(prompts), BATCH), desc=folder.name, mininterval=10):
        texts = list(prompts[at : at + BATCH])
        file = folder / f"{at:05d}-{sha256(json.dumps([texts, guidance, steps]).encode()).hexdigest()[:12]}.png"
        if not file.exists():
            seeds = [torch.Generator().manual_seed(at + number) for number in range(len(texts))]
            images = pipeline(
                texts, num_inference_steps=steps, guidance_scale=guidance, generator=seeds, output_type="np"
            ).images
            strip = np.concatenate(list((images * 255).round().astype(np.uint8)), 1)
            Image.fromarray(strip).save(file.with_suffix(".partial"), "PNG")
            file.with_suffix(".partial").replace(file)
        strip = np.asarray(Image.open(file))
        parts.append(strip.reshape(flowers.SIDE, -1, flowers.SIDE, 3).swapaxes(0, 1))
    return np.concatenate(parts)


def proportion(hits: NDArray[np.bool_]) -> str:
    """A rate with its exact 95 % interval."""
    low, high = clopper_pearson(int(hits.sum()), len(hits))
    return f"{hits.mean():.3f} [{low:.3f}, {high:.3f}] (n = {len(hits)})"


def spread(distances: NDArray[np.float32]) -> str:
    """The 1st, 50th and 99th percentile."""
    return ", ".join(f"{value:.3f}" for value in np.percentile(distances, (1, 50, 99))) + f" (n = {len(distances)})"


def agreement(pictures: NDArray[np.uint8], prompts: Sequence[str]) -> str:
    """How often a picture has the colour that its prompt names, among prompts that name one."""
    named = [(picture, found) for picture, text in zip(pictures, prompts, strict=True) if (found := colour_in(text))]
    return proportion(np.array([colour(picture) == found for picture, found in named]))


def nearest(pictures: NDArray[np.float32], photographs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance of each feature vector to the nearest photograph's, both scaled to unit length."""
    a, b = (features / np.linalg.norm(features, axis=1, keepdims=True) for features in (pictures, photographs))
    distances: NDArray[np.float32] = np.sqrt(np.maximum(0, 2 - 2 * (a @ b.T).max(1)))
    return distances


def _sheet(pictures: NDArray[np.uint8], columns: int = 10) -> Image.Image:
    rows = [np.concatenate(list(pictures[at : at + columns]), 1) for at in range(0, len(pictures), columns)]
    return Image.fromarray(np.concatenate(rows))


def measure(photographs: Path, pictures: Path, weights: Path, *, count: int, device: str) -> Results:
    """Everything that the card says of the model; FID only where there are as many pictures as features."""
    train, test = (flowers.load(photographs, split) for split in ("train", "test"))
    pipeline = pocket.load(weights, device=str(device_of(device)))
    order = np.random.default_rng(0).permutation(len(test.captions))
    picks = [int(order[number % len(order)]) for number in range(count)]
    prompts, kinds = [test.captions[pick] for pick in picks], test.kinds[picks]
    guided = draw(pipeline, prompts, pictures / "guided", guidance=GUIDANCE)
    plain = draw(pipeline, prompts[:JUDGED], pictures / "plain", guidance=1.0)
    _sheet(guided[:60]).save(weights / "samples.webp", quality=90)

    known = judge.lite2_features(train.pixels)
    classifier = judge.kind_classifier(known, train.kinds)
    seen = {name: judge.lite2_features(pixels) for name, pixels in (("test", test.pixels), ("guided", guided))}
    named = classifier.predict(judge.lite2_features(plain))
    results: Results = {
        "kind named: photographs held out": proportion(classifier.predict(seen["test"]) == test.kinds),
        "kind named: drawn": proportion(classifier.predict(seen["guided"][:JUDGED]) == kinds[:JUDGED]),
        "kind named: drawn without guidance": proportion(named == kinds[: len(plain)]),
        "colour agrees: photographs held out": agreement(test.pixels, test.captions),
        "colour agrees: drawn": agreement(guided[:JUDGED], prompts[:JUDGED]),
        "colour agrees: drawn without guidance": agreement(plain, prompts[: len(plain)]),
        "distance to the nearest training photograph: photographs held out": spread(nearest(seen["test"], known)),
        "distance to the nearest training photograph: drawn": spread(nearest(seen["guided"], known)),
    }
    if count >= INCEPTION_FEATURES:
        sets = {
            name: judge.inception_features(pixels)
            for name, pixels in (("train", train.pixels), ("test", test.pixels), ("guided", guided))
        }
        for name, what in (("test", "photographs held out"), ("guided", "drawn")):
            distance = judge.frechet_distance(sets[name], sets["train"])
            results[f"FID to {len(train.pixels)} training photographs: {what}"] = (
                f"{distance:.1f} (n = {len(sets[name])})"
            )
    return results


def card(weights: Path, results: Results) -> str:
    """What comes with the weights, in Markdown."""
    files = sorted(weights.rglob("*.safetensors"))
    hashes = "\n".join(
        f"| `{file.relative_to(weights)}` | `{sha256(file.read_bytes()).hexdigest()}` |" for file in files
    )
    rows = "\n".join(f"| {name} | {value} |" for name, value in results.items())
    return _CARD.format(
        rows=rows, hashes=hashes, steps=STEPS, guidance=GUIDANCE, measured=datetime.now(UTC).date().isoformat()
    )


_CARD = """\
# Pocket: a small latent diffusion model of flowers

An `AutoencoderKL` (f4, 4 x 32 x 32 latents) and a `UNet2DConditionModel` (v-prediction) for 128 x 128 pixels, put
together as a `StableDiffusionPipeline` with all-MiniLM-L6-v2 as text encoder. float16.

- **Data**: 3,886 photographs of github.com/martinwestin/flower_classification, listed by blob in
  `generation/training/flowers.csv`. The repository states no licence; no photograph is part of Assay.
- **Licence of these weights**: Apache-2.0. The text encoder (Apache-2.0) comes in a package of its own.
- **How**: the commands of `docs/training.md`, which also says how long.
- **What it is for**: showing that the watermark works, on a CPU, without a hub. It draws nothing but flowers.

## Measured on {measured}

Uncurated: prompts are captions of photographs held out of training, seeds count up from zero; {steps} steps, guidance
{guidance}. Rates with exact 95 % intervals. *Kind named*: by a logistic regression on frozen EfficientNet-Lite2
features, fitted to the training photographs. *Colour*: by the rule that made the captions, so photographs agree by
construction. *Distance*: of those features at unit length; 1st, 50th and 99th percentile.

| | |
| --- | --- |
{rows}

`samples.webp`: the first sixty. `python -m generation.training.evaluate --photographs CLONE --pictures FOLDER` measures
all of it again.

| file | sha256 |
| --- | --- |
{hashes}
"""


def main() -> None:
    """Measure, and write the card and a sheet of samples beside the weights."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=Path, required=True, help="a git copy of " + flowers.REPOSITORY)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=pocket.WEIGHTS)
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    results = measure(
        options.photographs, options.pictures, options.weights, count=options.count, device=options.device
    )
    (options.weights / "README.md").write_text(card(options.weights, results))


if __name__ == "__main__":
    main()
