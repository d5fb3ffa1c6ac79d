"""generate: prompts in; marked, signed, recorded images out.

Key and model -> sealed noise -> image -> file -> self-check on the file's own pixels -> C2PA signature -> ledger.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from assay import catalog, fingerprint
from assay.binding import SoftBinding, pixel_sha256
from assay.errors import ConfigurationError, SelfCheckError
from assay.files import write_whole
from assay.jobs import foresight
from assay.jobs.pixel_marks import METHOD, WRITTEN, binding, put, read_back
from assay.keys import DEFAULT_USER, WatermarkKey, key_store
from assay.ledger import Entry, Ledger, location, new_image_id, open_ledger
from assay.vocabulary import Latents, LatentWatermark, Pixels, Seal, Settings
from generation.declaration import Declaration
from generation.development import signing_key_for
from generation.invert import estimate
from generation.loading import kept_model
from generation.local import shown
from generation.pictures import to_pixels
from generation.sign import sign_and_keep

if TYPE_CHECKING:
    from generation import adapters
    from generation.adapters import Adapter
    from generation.signing_key import SigningKey

SELF_CHECK_LOG10_P = -12.0
"""What is handed over has to be found again with at most this p-value: enough for a ledger of a million rows."""
FORMATS = {
    ".png": ("PNG", "image/png", {}),
    ".webp": ("WEBP", "image/webp", {"quality": 95}),
    ".jpg": ("JPEG", "image/jpeg", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", "image/jpeg", {"quality": 95, "subsampling": 0}),
}
"""Suffix of the target to Pillow's format, media type and how it is saved."""
NONE, BOTH = foresight.NONE, "both"
_LATENT = "sealed-seed"
"""The mark in the noise that `both` puts in, beside the one in the pixels."""

_drawing = Lock()
"""Pipelines keep their state in themselves, and models are shared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One step of an image that is done."""

    number: int
    """From 1."""
    total: int
    preview: Callable[[], Pixels]
    """Decodes what the image is going to be, as far as that shows: uint8 of shape (height, width, 3). Takes its time,
    and changes nothing of what is drawn."""


Progress = Callable[[Step], None]
"""Told after each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be drawn, and how. None is the model's own default."""

    prompt: str
    negative: str | None = None
    model: str = "pocket"
    config: str | None = None
    """Of a checkpoint: the folder of a pipeline that describes it."""
    loras: tuple[str, ...] = ()
    """Files, or folders that hold one, with a strength behind a colon where it is not 1."""
    revision: str | None = None
    scheduler: str | None = None
    steps: int | None = None
    guidance: float | None = None
    size: tuple[int, int] | None = None
    """Height and width in pixels."""
    watermark: str = BOTH
    """A key of `catalog.LATENT_WATERMARKS` or of `catalog.PIXEL_WATERMARKS`, `both`, or `none`."""
    user: str = DEFAULT_USER
    seed: int | None = None
    """Only without a watermark: a mark's noise comes from its key and a fresh nonce."""
    device: str = "cpu"
    precision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One image that was handed over."""

    path: Path
    image_id: int | None
    """None without a watermark."""
    log10_p: float | None
    """Of the self-check."""
    seconds: float
    """From noise to file."""
    noise: Latents = field(repr=False, compare=False)
    """What it was drawn from. It looks like any other noise where it carries the mark, too. Whoever has it can draw
    other pictures with this mark: show it to the owner of the key, and do not publish it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marking:
    """Everything that marking needs."""

    latent: LatentWatermark | None
    in_pixels: bool
    key: WatermarkKey
    ledger: Ledger


def generate(
    wish: Wish, targets: Sequence[Path], *, settings: Settings, progress: Progress | None = None
) -> Iterator[Made]:
    """Draw one image for each target; those that were yielded are on the disk and in the ledger.

    Args:
        wish: What to draw.
        targets: Files to write, in a format of `FORMATS`; older ones are replaced.
        settings: The data folder, with keys and ledger.
        progress: Told of each step.

    Raises:
        ConfigurationError: The wish, a target, the model or its scheduler will not do.
        KeyStoreError: There is no key that may mark.
        SigningError: There is no key that may sign.
        SelfCheckError: The mark is not in the image; nothing was written for it.
        LedgerError: The ledger cannot be written; there is no file then, either.
    """
    foresight.require_sound(targets, watermark=wish.watermark, seed=wish.seed, steps=wish.steps)
    signing_key = signing_key_for(settings.home)
    signing_key.require_valid()
    if wish.watermark == NONE:
        adapter = _opened(wish)
        for number, target in enumerate(targets):
            yield _unmarked(wish, adapter, target, number, signing_key=signing_key, progress=progress)
        return
    key = key_store(settings.home).current(wish.user)
    adapter = _opened(wish)
    with open_ledger(location(settings)) as ledger:
        marking = _marking(wish, adapter, key, ledger)
        for target in targets:
            yield _marked(wish, adapter, target, marking, signing_key=signing_key, progress=progress)


def _marking(wish: Wish, adapter: Adapter, key: WatermarkKey, ledger: Ledger) -> _Marking:
    name = _LATENT if wish.watermark == BOTH else wish.watermark
    in_pixels = wish.watermark == BOTH or wish.watermark in catalog.PIXEL_WATERMARKS
    size = _size(wish, adapter)
    if in_pixels and not catalog.pixel_watermark(METHOD).bits(size):
        raise ConfigurationError(
            f"{size[1]} x {size[0]} pixels are too few for a mark in the pixels",
            hint=f"Draw 128 pixels a side or more, or mark the noise alone: --watermark {_LATENT}",
        )
    latent = catalog.latent_watermark(name) if name in catalog.LATENT_WATERMARKS else None
    return _Marking(latent=latent, in_pixels=in_pixels, key=key, ledger=ledger)


def _opened(wish: Wish) -> Adapter:
    return kept_model(
        wish.model,
        config=wish.config,
        loras=wish.loras,
        device=wish.device,
        precision=wish.precision,
        scheduler=wish.scheduler,
        revision=wish.revision,
    )


# --- one image --------------------------------------------------------------------------------------------------------


def _marked(
    wish: Wish, adapter: Adapter, target: Path, marking: _Marking, *, signing_key: SigningKey, progress: Progress | None
) -> Made:
    begun, image_id = time.monotonic(), new_image_id()
    seal = Seal(secret=marking.key.secret, nonce=secrets.token_bytes(12), payload=image_id)
    shape = adapter.latent_shape(*_size(wish, adapter))
    noise = np.random.default_rng().standard_normal(shape, np.float32)
    if marking.latent is not None:
        noise = marking.latent.mark(noise, seal)
    pixels = draw(wish, adapter, noise, progress)
    if marking.in_pixels:
        pixels = put(pixels, marking.key, image_id)
    data, mime = _encoded(pixels, target)
    delivered = _decoded(data)
    read = _read_back(adapter, delivered, seal, target, marking)
    bindings = tuple(
        binding(image_id) if name == METHOD else SoftBinding(scheme=name, image_id=image_id) for name in read
    )
    signed = sign_and_keep(data, mime, signing_key, _declaration(wish, adapter, target, bindings))
    entry = Entry(
        image_id=image_id,
        watermark=WRITTEN if marking.latent is None else marking.latent.id,
        key_id=marking.key.id,
        nonce=seal.nonce,
        payload=seal.payload,
        file_sha256=sha256(signed.data).hexdigest(),
        pixel_sha256=pixel_sha256(delivered),
        perceptual_hash=fingerprint.dhash(Image.fromarray(delivered)),
        thumbnail=fingerprint.thumbnail(delivered),
        manifest=signed.manifest,
        model=adapter.spec.id,
        scheduler=type(adapter.pipeline.scheduler).__name__,
        latent_shape=shape,
        steps=wish.steps or adapter.spec.steps,
        width=delivered.shape[1],
        height=delivered.shape[0],
        name=target.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    marking.ledger.deliver(entry, target, signed.data)
    return Made(
        path=target, image_id=image_id, log10_p=min(read.values()), seconds=time.monotonic() - begun, noise=noise
    )


def _read_back(adapter: Adapter, delivered: Pixels, seal: Seal, target: Path, marking: _Marking) -> dict[str, float]:
    """log10 of each mark's p-value in what is handed over, the one in the noise first.

    The one in the pixels comes on top: where a small picture does not hold it, the other one does, and the manifest
    names that alone.
    """
    read = {}
    if marking.latent is not None:
        read[marking.latent.id] = marking.latent.measure(estimate(adapter, [delivered])[0], seal).log10_p
    if marking.in_pixels and (found := read_back(delivered, marking.key, seal.payload)):
        read[METHOD] = found.log10_p
    if marking.latent is not None and read[marking.latent.id] > SELF_CHECK_LOG10_P:
        raise SelfCheckError(
            f"{target}: the mark is not in the image: p = 10^{read[marking.latent.id]:.1f}, "
            f"where 10^{SELF_CHECK_LOG10_P:g} is asked",
            hint="Nothing was written. Try again, with more steps, less guidance or a lossless format.",
        )
    if not read:
        raise SelfCheckError(
            f"{target}: the mark cannot be read in the pixels",
            hint="Nothing was written. Try again, with a lossless format or a larger size.",
        )
    return read


def _unmarked(
    wish: Wish, adapter: Adapter, target: Path, number: int, *, signing_key: SigningKey, progress: Progress | None
) -> Made:
    begun = time.monotonic()
    chance = np.random.default_rng(None if wish.seed is None else (wish.seed, number))
    noise = chance.standard_normal(adapter.latent_shape(*_size(wish, adapter)), np.float32)
    data, mime = _encoded(draw(wish, adapter, noise, progress), target)
    signed = sign_and_keep(data, mime, signing_key, _declaration(wish, adapter, target, ()))
    try:
        write_whole(target, signed.data)
    except OSError as error:
        raise ConfigurationError(f"{target}: {error.strerror}", hint="Choose another place.") from error
    return Made(path=target, image_id=None, log10_p=None, seconds=time.monotonic() - begun, noise=noise)


def draw(wish: Wish, adapter: Adapter, noise: Latents, progress: Progress | None = None) -> Pixels:
    """Draw one image from the noise given: uint8 of shape (height, width, 3)."""
    with _drawing:
        image = adapter.draw(
            [wish.prompt],
            torch.from_numpy(noise)[None],
            steps=wish.steps or adapter.spec.steps,
            guidance=adapter.spec.guidance if wish.guidance is None else wish.guidance,
            negative=wish.negative,
            progress=None if progress is None else lambda step: progress(_shown(step, adapter)),
        )
    return to_pixels(image)[0]


def _shown(step: adapters.Step, adapter: Adapter) -> Step:
    return Step(number=step.number, total=step.total, preview=lambda: to_pixels(adapter.decode(step.estimate()))[0])


def _size(wish: Wish, adapter: Adapter) -> tuple[int, int]:
    return wish.size or (adapter.spec.size, adapter.spec.size)


def _declaration(wish: Wish, adapter: Adapter, target: Path, bindings: tuple[SoftBinding, ...]) -> Declaration:
    software = shown(adapter.spec.id)
    return Declaration(title=target.name, software=software, software_version=wish.revision, bindings=bindings)


def _encoded(pixels: Pixels, target: Path) -> tuple[bytes, str]:
    name, mime, options = FORMATS[target.suffix.lower()]
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, name, **options)
    return stream.getvalue(), mime


def _decoded(data: bytes) -> Pixels:
    """Signing adds a manifest and leaves the pixels, so these are the delivered file's."""
    with Image.open(BytesIO(data)) as image:
        pixels: Pixels = np.asarray(image.convert("RGB"))
    return pixels
