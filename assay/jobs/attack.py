"""attack: what others may do to a marked picture, done to one's own, and what is still read afterwards.

The same list of perturbations serves training, tables and this; attacks that need a model use the one that comes with
Assay. Forgeries move a mark onto a cover: what is then said of the cover is the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from assay import catalog
from assay.errors import ConfigurationError
from assay.exhibit import decode, inspect, receive
from assay.files import write_whole
from assay.jobs.protocol import run
from assay.jobs.robustness.quality import psnr, ssim
from assay.perturb import BATTERY, perturbation
from assay.repaint import encoded_png
from assay.vocabulary import Check, Exhibit, ExhibitFacts, Measurement, Nothing, Observation, Pixels, Settings, Skipped
from generation import attacks
from generation.loading import kept_model
from generation.pictures import to_pixels, to_tensor

if TYPE_CHECKING:
    from generation.adapters import Adapter

_MOVES = ("crop", "rotate", "turn", "flip", "perspective", "aspect", "scale", "fit", "screenshot")
GEOMETRIC = tuple(name for name in BATTERY if any(part.startswith(_MOVES) for part in name.split("+")))
STRENGTHS = ("0.1", "0.2", "0.4")
SUITES: Mapping[str, tuple[str, ...]] = {
    "standard": tuple(name for name in BATTERY if name not in GEOMETRIC),
    "geometric": GEOMETRIC,
    "regeneration": ("vae", *(f"regenerate-{strength}" for strength in STRENGTHS)),
    "forgery": ("copy", "average"),
}
"""The names of attacks by suite."""
READERS = ("watermark", "pixel-watermark")
_UNIT = 8
"""Sides of what the model takes are multiples of this."""
_WINDOW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """One attacked file, and what is still read in it."""

    source: Path
    attack: str
    path: Path
    psnr: float | None
    """In dB against the file before; None where the size changed, or the picture is another one."""
    ssim: float | None
    read: Mapping[str, str]
    """By reader: how its finding begins, or `nothing`."""


def attack(
    files: Sequence[Path], folder: Path, *, suite: str, settings: Settings, cover: Path | None = None
) -> Iterator[Attacked]:
    """Attack files; those that were yielded are on the disk, as PNG.

    Args:
        files: Marked pictures.
        folder: Where attacked ones go, as `NAME.ATTACK.png`.
        suite: A key of `SUITES`, or `all`, which leaves forgeries out where there is no cover.
        settings: Keys and ledger to read with; limits.
        cover: The picture that forgeries are to show.

    Raises:
        ConfigurationError: The folder cannot be written, or forgeries have no cover.
        UnreadableError: A file cannot be opened within the limits.
    """
    if suite == "forgery" and cover is None:
        raise ConfigurationError("forgeries need a picture to put the mark on", hint="Name one: --cover FILE")
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder", hint="Make it first.")
    if len({file.name for file in files}) < len(files):
        raise ConfigurationError("two files have one name", hint="Attack them into different folders.")
    readers = catalog.make({name: catalog.PIXEL_CHECKS[name] for name in READERS}, settings)
    pictures = [_opened(file, settings) for file in files]
    shown = None if cover is None else _opened(cover, settings)
    for file, pixels in zip(files, pictures, strict=True):
        for name in _names(suite, forge=shown is not None):
            changed = _forged(name, pixels, pictures, shown) if name in SUITES["forgery"] else _changed(name, pixels)
            path = folder / f"{file.name}.{name}.png"
            try:
                write_whole(path, encoded_png(changed))
            except OSError as error:
                raise ConfigurationError(f"{path}: {error.strerror}", hint="Choose another folder.") from error
            same = changed.shape == pixels.shape and name not in SUITES["forgery"]
            yield Attacked(
                source=file,
                attack=name,
                path=path,
                psnr=psnr(pixels, changed) if same else None,
                ssim=ssim(pixels, changed) if same else None,
                read={check.id: _read(check, changed, path) for check in readers},
            )


def _names(suite: str, *, forge: bool) -> list[str]:
    chosen = SUITES if suite == "all" else {suite: SUITES[suite]}
    return [name for key, names in chosen.items() for name in names if key != "forgery" or forge]


def _opened(file: Path, settings: Settings) -> Pixels:
    pixels, _ = decode(inspect(receive(file, str(file), settings.limits), settings.limits), settings.limits)
    return pixels


def _read(check: Check, pixels: Pixels, path: Path) -> str:
    """How the check's finding begins."""
    outcome, *_ = run(check, Exhibit(facts=ExhibitFacts(name=str(path)), decoded=pixels))
    match outcome:
        case Measurement() | Observation():
            return outcome.summary.partition(":")[0].partition(".")[0]
        case Skipped():
            return "left out"
        case Nothing():
            return "nothing"
        case _:
            return "failed"


# --- with a model -----------------------------------------------------------------------------------------------------


def _changed(name: str, pixels: Pixels) -> Pixels:
    if name == "vae":
        return _through_model(pixels, attacks.vae_round_trip)
    if name in SUITES["regeneration"]:
        return regenerated(pixels, float(name.rpartition("-")[2]))
    return perturbation(name).apply(pixels)


def regenerated(pixels: Pixels, strength: float, *, seed: int = 0) -> Pixels:
    """A picture that the pocket model has noised and drawn anew; a rim of less than eight pixels stays.

    Args:
        pixels: uint8 of shape (height, width, 3), eight pixels a side or more.
        strength: See `generation.attacks.regenerate`.
        seed: Of the attacker's noise.

    Raises:
        ConfigurationError: The strength is out of range, or the picture too small.
    """

    def change(adapter: Adapter, images: Tensor) -> Tensor:
        shape = adapter.latent_shape(images.shape[-2], images.shape[-1])
        fresh = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, *shape), np.float32))
        return attacks.regenerate(adapter, images, strength=strength, fresh=fresh)

    return _through_model(pixels, change)


def _through_model(pixels: Pixels, change: Callable[[Adapter, Tensor], Tensor]) -> Pixels:
    height, width = (length // _UNIT * _UNIT for length in pixels.shape[:2])
    (done,) = to_pixels(change(kept_model("pocket"), to_tensor([pixels[:height, :width]])))
    whole = pixels.copy()
    whole[:height, :width] = done
    return whole


# --- forgery ----------------------------------------------------------------------------------------------------------


def _forged(name: str, pixels: Pixels, pictures: Sequence[Pixels], cover: Pixels | None) -> Pixels:
    """What a denoiser leaves of one marked picture, or of all on average, put onto the cover.

    The copy attack (Kutter, Voloshynovskiy and Herrigel, SPIE 3971, 2000), and the average of Yang et al. (NeurIPS
    2024) without unmarked pictures.
    """
    if cover is None:
        raise ConfigurationError("forgeries need a picture to put the mark on", hint="Name one: --cover FILE")
    size = pixels.shape[1], pixels.shape[0]
    shown = np.asarray(Image.fromarray(cover).resize(size, Image.Resampling.LANCZOS)).astype(np.float64)
    chosen = [pixels] if name == "copy" else [one for one in pictures if one.shape == pixels.shape]
    left = np.mean([_left_over(one) for one in chosen], axis=0)
    forged: Pixels = np.clip(np.rint(shown + left), 0, 255).astype(np.uint8)
    return forged


def _left_over(pixels: Pixels) -> NDArray[np.float64]:
    smooth = np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(_WINDOW)))
    left: NDArray[np.float64] = pixels.astype(np.float64) - smooth
    return left
