"""Assay tells people where an image came from.

    from assay import examine

    for report in examine(["photo.jpg"]):
        print(report.verdict.headline)

Names are imported on first use, so that `assay --help` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.jobs.verify import examine
    from assay.vocabulary import Report, Settings

__version__ = "0.1.0"
__all__ = ["Report", "Settings", "__version__", "examine"]

_HOMES = {"examine": "assay.jobs.verify", "Report": "assay.vocabulary", "Settings": "assay.vocabulary"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'assay' has no attribute {name!r}")
