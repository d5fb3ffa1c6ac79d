"""Which processor the learned parts run on. Without torch, there is none of them, and nothing else needs one."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

KINDS = ("cuda", "mps", "cpu")


def available() -> tuple[str, ...]:
    """The kinds of device that torch can use here, best first; empty where torch is not installed."""
    if find_spec("torch") is None:
        return ()
    torch: Any = import_module("torch")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind in KINDS if present[kind])


def share_processors(sharers: int) -> None:
    """Let torch use one part of the processors in this thread, where as many threads work side by side.

    Without it each would begin as many threads as there are processors, and all would be slower. Where torch is not
    loaded yet, nothing needs it.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    threads = max(1, torch.get_num_threads() // sharers)  # asked first: only then does torch leave the number alone
    import_module("threadpoolctl").threadpool_limits(threads, user_api="openmp")
