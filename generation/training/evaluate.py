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
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from assay.stats import clopper_pearson
from generation import pocket
from generation.training import flowers, judge
from generation.training.captions import COLOURS, colour
from generation.training.loop import device_of

STEPS, GUIDANCE, BATCH = 20, 3.0, 20


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


def proportion(hits: NDArray[np.bool_]) -> dict[str, Any]:
    """A rate with its exact 95 % interval."""
    low, high = clopper_pearson(int(hits.sum()), len(hits))
    return {"rate": round(float(hits.mean()), 4), "low": round(low, 4), "high": round(high, 4), "n": len(hits)}


def agreement(pictures: NDArray[np.uint8], prompts: Sequence[str]) -> dict[str, Any]:
    """How often a picture has the colour that its prompt names, among prompts that name one."""
    named = [(picture, found) for picture, text in zip(pictures, prompts, strict=True) if (found := _colour_in(text))]
    return proportion(np.array([colour(picture) == found for picture, found in named]))


def nearest(pictures: NDArray[np.float32], photographs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance of each feature vector to the nearest photograph's, both scaled to unit length."""
    a, b = (features / np.linalg.norm(features, axis=1, keepdims=True) for features in (pictures, photographs))
    distances: NDArray[np.float32] = np.sqrt(np.maximum(0, 2 - 2 * (a @ b.T).max(1)))
    return distances


def _colour_in(text: str) -> str | None:
    return next((word for word in text.split() if word in COLOURS), None)


def _sheet(pictures: NDArray[np.uint8], columns: int = 10) -> Image.Image:
    rows = [np.concatenate(list(pictures[at : at + columns]), 1) for at in range(0, len(pictures), columns)]
    return Image.fromarray(np.concatenate(rows))


def measure(photographs: Path, pictures: Path, weights: Path, count: int, device: str) -> dict[str, Any]:
    """Everything that the card says of the model."""
    train, test = (flowers.load(photographs, split) for split in ("train", "test"))
    pipeline = pocket.load(weights, device=str(device_of(device)))
    order = np.random.default_rng(0).permutation(len(test.captions))
    picks = [int(order[number % len(order)]) for number in range(count)]
    prompts, kinds = [test.captions[pick] for pick in picks], test.kinds[picks]
    guided = draw(pipeline, prompts, pictures / "guided", guidance=GUIDANCE)
    plain = draw(pipeline, prompts[:500], pictures / "plain", guidance=1.0)
    _sheet(guided[:60]).save(weights / "samples.webp", quality=90)

    classifier = judge.kind_classifier(train)
    features = {
        name: judge.lite2_features(pixels)
        for name, pixels in (("train", train.pixels), ("test", test.pixels), ("guided", guided), ("plain", plain))
    }
    inception = {
        name: judge.inception_features(pixels)
        for name, pixels in (("train", train.pixels), ("test", test.pixels), ("guided", guided))
    }
    to_train = {name: nearest(features[name], features["train"]) for name in ("test", "guided")}
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "steps": STEPS,
        "guidance": GUIDANCE,
        "kind named, photographs held out": proportion(classifier.predict(features["test"]) == test.kinds),
        "kind named, drawn": proportion(classifier.predict(features["guided"])[:500] == kinds[:500]),
        "kind named, drawn without guidance": proportion(classifier.predict(features["plain"]) == kinds[: len(plain)]),
        "colour agrees, photographs held out": agreement(test.pixels, test.captions),
        "colour agrees, drawn": agreement(guided[:500], prompts[:500]),
        "colour agrees, drawn without guidance": agreement(plain, prompts[: len(plain)]),
        "FID to training photographs": {
            "drawn": round(judge.frechet_distance(inception["guided"], inception["train"]), 2),
            "photographs held out": round(judge.frechet_distance(inception["test"], inception["train"]), 2),
            "n": [len(guided), len(test.pixels), len(train.pixels)],
        },
        "distance to the nearest training photograph": {
            name: [round(float(value), 3) for value in np.percentile(distances, (1, 50, 99))]
            for name, distances in to_train.items()
        },
    }


def main() -> None:
    """Measure, and write `measured.json` and `samples.webp` beside the weights."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=Path, required=True, help="a git copy of " + flowers.REPOSITORY)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=pocket.WEIGHTS)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    results = measure(options.photographs, options.pictures, options.weights, options.count, options.device)
    (options.weights / "measured.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
