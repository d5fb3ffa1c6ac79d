"""What can be known of a wish before anything is drawn, and before a model or torch is loaded: answers come at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assay.errors import ConfigurationError
from assay.keys import key_store
from assay.vocabulary import Settings
from generation.development import signing_key_for
from generation.local import MARKER, described
from generation.models import SCHEDULERS, SPECS, ModelSpec, spec_named

FORMATS = (".png", ".webp", ".jpg", ".jpeg")
"""Suffixes of what is drawn."""
NONE = "none"
_FLOW = "flow-"


def require_foreseeable(
    targets: Sequence[Path],
    *,
    settings: Settings,
    user: str,
    watermark: str,
    seed: int | None,
    steps: int | None,
    model: str,
    config: str | None = None,
    loras: Sequence[str] = (),
    size: tuple[int, int] | None,
    scheduler: str | None,
) -> None:
    """Refuse what cannot come to anything.

    Args:
        targets: Files to write.
        settings: The data folder, with its keys.
        user: Whose key.
        watermark: As `Wish.watermark` of `assay.jobs.generate`, like what follows.
        seed: Only without a watermark.
        steps: At least 1.
        model: A name, or a path, whose weights are not read here.
        config: Of a checkpoint.
        loras: What is added to the model.
        size: Height and width in pixels.
        scheduler: A key of `generation.models.SCHEDULERS`.

    Raises:
        ConfigurationError: The wish, a target, the model's name or files, a size that it does not draw, or a scheduler.
        KeyStoreError: There is no key that may mark.
        SigningError: There is no key that may sign.
    """
    require_sound(targets, watermark=watermark, seed=seed, steps=steps)
    is_path = MARKER not in model and Path(model).exists()
    known = described if model in SPECS or is_path else spec_named
    _require_of_model(known(model, config=config, loras=loras), size, scheduler)
    signing_key_for(settings.home).require_valid()
    if watermark != NONE:
        key_store(settings.home).current(user)


def require_sound(targets: Sequence[Path], *, watermark: str, seed: int | None, steps: int | None) -> None:
    """Refuse what contradicts itself, and targets that cannot be written.

    Raises:
        ConfigurationError: Names it.
    """
    if seed is not None and watermark != NONE:
        raise ConfigurationError(
            "a seed and a watermark exclude each other",
            hint="Marked noise comes from a key and a nonce that is never used twice, or it could be told from noise. "
            "Leave the seed out, or draw without a mark: --watermark none.",
        )
    if steps is not None and steps < 1:
        raise ConfigurationError(f"{steps} steps draw nothing", hint="Use 10 to 50; few-step models 1 to 4.")
    for target in targets:
        if target.suffix.lower() not in FORMATS:
            raise ConfigurationError(f"{target}: not a format that is written", hint=f"Use {', '.join(FORMATS)}.")
        if not os.access(target.parent, os.W_OK):
            raise ConfigurationError(f"{target}: the folder cannot be written", hint="Choose another place.")


def _require_of_model(spec: ModelSpec, size: tuple[int, int] | None, scheduler: str | None) -> None:
    height, width = size or (spec.size, spec.size)
    unit = spec.downscale * (2 if spec.packing else 1)
    if height <= 0 or width <= 0 or height % unit or width % unit:
        raise ConfigurationError(
            f"{width}x{height}: not a size that {spec.id} draws", hint=f"Use multiples of {unit} pixels."
        )
    if scheduler is None:
        return
    is_flow = spec.prediction == "flow"
    fitting = [name for name in SCHEDULERS if name.startswith(_FLOW) == is_flow]
    if scheduler not in fitting:
        raise ConfigurationError(
            f"{scheduler}: not a scheduler that {spec.id} can be asked for", hint=f"Use {', '.join(fitting)}."
        )
