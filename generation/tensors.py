"""What a file of tensors holds, told by its header: nothing is loaded, and nothing in it is run. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import ConfigurationError

SUFFIX = ".safetensors"
PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The header of a file."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    def begins(self, *prefixes: str) -> bool:
        """Whether the name of any tensor begins so."""
        return any(name.startswith(prefixes) for name in self.shapes)


def layout(path: Path) -> Layout:
    """The header of a file in safetensors' format.

    Raises:
        ConfigurationError: It is a pickle, another kind of file, or damaged.
    """
    if path.suffix.lower() in PICKLES:
        raise ConfigurationError(
            f"{path}: a pickle, which runs code when it is opened",
            hint="Convert it to safetensors where that can do no harm.",
        )
    if path.suffix.lower() != SUFFIX:
        raise ConfigurationError(
            f"{path}: not a model", hint=f"Name a folder in diffusers' format, or a {SUFFIX} file."
        )
    try:
        from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ConfigurationError(
            "opening weights needs models", hint="Install the extra: pip install 'assay[models]'."
        ) from error
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
            return Layout(path=path, shapes=shapes, metadata=file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ConfigurationError(
            f"{path}: no safetensors, or a damaged file: {error}", hint="Fetch or save it again."
        ) from error
