"""Which models were fetched before, and what they take. Without torch, and without asking the hub."""

from __future__ import annotations

from pathlib import Path

from assay.errors import ConfigurationError
from generation.models import ModelSpec


def require_here(spec: ModelSpec, revision: str | None = None) -> None:
    """That a model can be opened without the network, as far as its index tells.

    Args:
        spec: Which one; what comes with Assay is always here.
        revision: Commit of a hub model; its main branch by default.

    Raises:
        ConfigurationError: It was never fetched.
    """
    if spec.local or spec.path is not None:
        return
    if _snapshot(spec, revision) is not None:
        return
    raise ConfigurationError(
        f"{spec.id}: its weights are not here",
        hint=f"Fetch them with: assay generate PROMPT --model {spec.id} -o FILE",
    )


def bytes_here(spec: ModelSpec) -> int | None:
    """What the files of a known model take on this disk; None where it is not here."""
    folder = Path(__file__).with_name("weights") / spec.id if spec.local else _snapshot(spec, spec.revision)
    if folder is None or not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _snapshot(spec: ModelSpec, revision: str | None) -> Path | None:
    """The folder of a hub model that was fetched before."""
    try:
        from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - the optional extra
    except ImportError:
        return None
    index = try_to_load_from_cache(spec.id, "model_index.json", revision=revision)
    return Path(index).parent if isinstance(index, str) else None
