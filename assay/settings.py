"""Settings from the environment; the command line wins."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from assay.vocabulary import DEFAULT_TRUST, Limits, Settings

HOME = "ASSAY_HOME"
TRUST = "ASSAY_TRUST"
SKIP = "ASSAY_SKIP"
THOROUGH = "ASSAY_THOROUGH"
"""1 for what `--thorough` asks for."""
NETWORK, FOLDERS = "ASSAY_DASHBOARD_NETWORK", "ASSAY_DASHBOARD_FOLDERS"
"""What pages of the dashboard may do: fetch addresses, name files of this machine; 1 where they may."""


def from_environment(
    *,
    home: Path | None = None,
    trust: str | None = None,
    limits: Limits | None = None,
    skip: tuple[str, ...] | None = None,
    thorough: bool = False,
) -> Settings:
    """Complete the given settings from `ASSAY_HOME`, `ASSAY_TRUST`, `ASSAY_SKIP`, `ASSAY_THOROUGH`, the defaults."""
    chosen = home or Path(os.environ.get(HOME) or user_data_path("assay", appauthor=False))
    return Settings(
        home=chosen.expanduser().absolute(),
        trust=trust or os.environ.get(TRUST) or DEFAULT_TRUST,
        limits=limits or Limits(),
        skip=tuple(filter(None, os.environ.get(SKIP, "").split(","))) if skip is None else skip,
        thorough=thorough or os.environ.get(THOROUGH) == "1",
    )
