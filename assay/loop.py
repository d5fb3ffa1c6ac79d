"""One training loop for every network that Assay trains.

A run is a function of its seed: batch `n` is drawn from a generator seeded with (seed, n), so a run that is cut off
and resumed from its checkpoint sees the batches it would have seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

Losses = Mapping[str, Tensor]
"""Named terms of the loss; `total` is what is minimised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how fast, and where to."""

    steps: int
    learning_rate: float
    out: Path
    """The run's folder: `checkpoint.safetensors` and `curve.jsonl`."""
    seed: int = 0
    warmup: int = 200
    decay: float = 0.2
    """The last part of the steps, over which the learning rate falls linearly to zero."""
    ema: float = 0.999
    clip: float = 1.0
    """Largest gradient norm."""
    checkpoint_seconds: float = 180.0
    bfloat16: bool = False
    """Autocast; worth it where the device multiplies bfloat16 faster."""

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, constant, linear decay."""
        tail = max(1, round(self.decay * self.steps))
        return self.learning_rate * min(1.0, (step + 1) / self.warmup, (self.steps - step) / tail)


def device_of(name: str) -> torch.device:
    """`auto` is CUDA where there is one, the CPU otherwise."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def generator(seed: int, step: int) -> np.random.Generator:
    """All chance in one step."""
    return np.random.default_rng((seed, step))


def train(
    model: nn.Module,
    loss: Callable[[np.random.Generator], Losses],
    plan: Plan,
    *,
    each: Callable[[int], None] | None = None,
) -> nn.Module:
    """Minimise `loss(generator)["total"]` over the trainable parameters, from the last checkpoint on if there is one.

    Args:
        model: Trained in place; parameters with `requires_grad=False` stay as they are.
        loss: Draws a batch with the generator and returns the terms of its loss.
        plan: Steps, rates and the run's folder.
        each: Called after each step, for a second optimiser.

    Returns:
        The model, holding the moving average of its weights.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=plan.learning_rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = [parameter.detach().clone() for parameter in parameters]
    file = plan.out / "checkpoint.safetensors"
    start = _resume(file, names, parameters, average, optimiser)
    device = parameters[0].device
    model.train()
    saved = time.monotonic()
    with _curve(plan.out / "curve.jsonl") as note, tqdm(total=plan.steps, initial=start, mininterval=5) as bar:
        for step in range(start, plan.steps):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate(step)
            with torch.autocast(device.type, torch.bfloat16, enabled=plan.bfloat16):
                terms = loss(_seeded(plan.seed, step))
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(terms["total"])
            nn.utils.clip_grad_norm_(parameters, plan.clip)
            optimiser.step()
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - min(plan.ema, (1 + step) / (10 + step)))
            if each is not None:
                each(step)
            note(step, terms)
            bar.update()
            if time.monotonic() - saved > plan.checkpoint_seconds or step + 1 == plan.steps:
                _save(file, step + 1, names, parameters, average, optimiser=optimiser)
                saved = time.monotonic()
    with torch.no_grad():
        for parameter, mean in zip(parameters, average, strict=True):
            parameter.copy_(mean)
    return model.eval()


def averaged(model: nn.Module, out: Path) -> int:
    """Load the moving average out of a run's checkpoint, while it trains or after.

    Returns:
        The step of the checkpoint.
    """
    with safe_open(out / "checkpoint.safetensors", "pt") as stored, torch.no_grad():
        for name, parameter in model.named_parameters():
            if f"average.{name}" in stored.keys():  # noqa: SIM118 - a handle, not a mapping
                parameter.copy_(stored.get_tensor(f"average.{name}"))
        return int(stored.metadata()["step"])


def _seeded(seed: int, step: int) -> np.random.Generator:
    torch.manual_seed(hash((seed, step)) & 0x7FFFFFFF)
    return generator(seed, step)


def _resume(
    file: Path, names: list[str], parameters: list[nn.Parameter], average: list[Tensor], optimiser: torch.optim.AdamW
) -> int:
    if not file.exists():
        return 0
    with safe_open(file, "pt") as stored, torch.no_grad():
        step = int(stored.metadata()["step"])
        for name, parameter, mean in zip(names, parameters, average, strict=True):
            parameter.copy_(stored.get_tensor(f"weights.{name}"))
            mean.copy_(stored.get_tensor(f"average.{name}"))
            optimiser.state[parameter] = {
                "step": torch.tensor(float(step)),
                "exp_avg": stored.get_tensor(f"first.{name}").to(parameter.device),
                "exp_avg_sq": stored.get_tensor(f"second.{name}").to(parameter.device),
            }
    return step


def _save(
    file: Path,
    step: int,
    names: list[str],
    parameters: list[nn.Parameter],
    average: list[Tensor],
    *,
    optimiser: torch.optim.AdamW,
) -> None:
    tensors: dict[str, Tensor] = {}
    for name, parameter, mean in zip(names, parameters, average, strict=True):
        state = optimiser.state[parameter]
        for kind, tensor in (
            ("weights", parameter),
            ("average", mean),
            ("first", state["exp_avg"]),
            ("second", state["exp_avg_sq"]),
        ):
            tensors[f"{kind}.{name}"] = tensor.detach().contiguous().clone()
    temporary = file.with_suffix(".partial")
    save_file(tensors, temporary, metadata={"step": str(step)})
    temporary.replace(file)


@contextmanager
def _curve(file: Path, every: int = 50) -> Iterator[Callable[[int, Losses], None]]:
    """Appends the mean of each term over `every` steps, or what was run of them, with the time, as a line of JSON."""
    seen: list[dict[str, float]] = []
    with file.open("a") as stream:

        def note(step: int, terms: Losses) -> None:
            seen.append({name: float(value.detach()) for name, value in terms.items()})
            if (step + 1) % every == 0:
                means = {name: sum(each[name] for each in seen) / len(seen) for name in seen[0]}
                stream.write(json.dumps({"step": step + 1, "time": round(time.time()), **means}) + "\n")
                stream.flush()
                seen.clear()

        yield note
