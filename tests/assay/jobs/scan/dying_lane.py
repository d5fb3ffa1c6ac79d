"""A lane that dies: of files named `kills` whenever it meets them, of `stumbles` the first time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from assay.jobs.scan import lane

_examined = lane._examined


def _die(examiner: Any, path: str, *, include_personal: bool) -> Any:
    name, met = Path(path).stem, Path(f"{path}.met")
    if name == "kills" or (name == "stumbles" and not met.exists()):
        met.touch()
        os._exit(9)
    return _examined(examiner, path, include_personal=include_personal)


if __name__ == "__main__":
    lane._examined = _die
    lane.main()
