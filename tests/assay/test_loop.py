from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from assay.loop import Losses, Plan, _curve, averaged, train


def _line() -> nn.Linear:
    torch.manual_seed(3)
    return nn.Linear(4, 1)


def _run(out: Path, steps: int, *, stop: int | None = None) -> nn.Linear:
    """Fit y = sum(x); `stop` cuts the run off as a signal would, after that many steps."""
    model, seen = _line(), 0

    def loss(chance: np.random.Generator) -> Losses:
        nonlocal seen
        if stop is not None and seen == stop:
            raise KeyboardInterrupt
        seen += 1
        x = torch.from_numpy(chance.standard_normal((16, 4), np.float32))
        noise = 0.01 * torch.randn(16, 1)
        error = (model(x) - x.sum(1, keepdim=True) - noise).square().mean()
        return {"total": error, "squared": error.detach()}

    plan = Plan(steps=steps, learning_rate=0.05, out=out, warmup=5, checkpoint_seconds=0.0)
    train(model, loss, plan)
    return model


def test_it_learns(tmp_path: Path) -> None:
    model = _run(tmp_path, 400)
    assert torch.allclose(model.weight, torch.ones(1, 4), atol=0.05)
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [point["step"] for point in curve] == list(range(50, 401, 50))
    assert curve[-1]["squared"] < curve[0]["squared"] / 10


def test_a_run_that_was_cut_off_ends_where_it_would_have(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", 40)
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", 40, stop=17)
    resumed = _run(tmp_path / "cut", 40)
    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.bias, resumed.bias)


def test_the_curve_of_a_resumed_run_is_a_mean_of_the_steps_that_ran(tmp_path: Path) -> None:
    file = tmp_path / "curve.jsonl"
    with _curve(file) as note:
        for step in range(40, 100):
            note(step, {"total": torch.tensor(2.0 if step < 50 else float(step))})
    points = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(point["step"], point["total"]) for point in points] == [(50, 2.0), (100, 74.5)]


def test_the_average_can_be_taken_while_it_trains(tmp_path: Path) -> None:
    model = _run(tmp_path, 40)
    other = _line()
    assert averaged(other, tmp_path) == 40
    assert torch.equal(model.weight, other.weight)


def test_the_rate_rises_stays_and_falls_to_nothing(tmp_path: Path) -> None:
    plan = Plan(steps=1000, learning_rate=1.0, out=tmp_path, warmup=100, decay=0.2)
    rates = [plan.rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[100:800] == [1.0] * 700
    assert rates[900] == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(1 / 200)
