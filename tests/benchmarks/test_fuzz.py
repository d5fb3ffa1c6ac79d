from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.endurance import Endurance, in_a_fresh_process
from tests.benchmarks.fuzz import Outcome, describe, fuzz
from tests.benchmarks.mutations import MUTATIONS, Mutation, mutate
from tests.carriers import CARRIERS
from tests.seeds import encoded

CLEAN = Endurance(
    tried=1, deaths=(), unhandled=(), slow=(), malformed=(), seconds={"a": 0.1}, readings={"a": "trusted"}, peak_bytes=1
)


@pytest.mark.parametrize("seed", [0, 1])
def test_five_hundred_mutants_do_no_harm(tmp_path: Path, seed: int) -> None:
    outcome = in_a_fresh_process(fuzz, 250, seed, tmp_path / "kept")
    assert outcome.failures == ()
    assert outcome.n == sum(outcome.endurance.census().values()) == 250
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@given(data=st.binary(min_size=1), seed=st.integers())
@settings(max_examples=50)
def test_a_mutation_takes_any_bytes(mutation: Mutation, data: bytes, seed: int) -> None:
    assert isinstance(mutation(random.Random(seed), data, [data, b"other"]), bytes)


def test_a_seed_names_a_mutant() -> None:
    files = [encoded(name) for name in CARRIERS]
    one, again, other = ([mutate(seed, number, files) for number in range(50)] for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert sum(mutant != files[index] for index, mutant in one) > 45


@pytest.mark.parametrize(
    "bad",
    [
        {"deaths": ("x",)},
        {"unhandled": ("x",)},
        {"slow": ("x",)},
        {"malformed": ("x",)},
        {"peak_bytes": 2**30 + 1},
    ],
)
def test_each_kind_of_harm_fails_the_run(bad: dict[str, object]) -> None:
    clean = Outcome(n=1, seeds=1, endurance=CLEAN, forged=(), trusted=1)
    assert clean.failures == ()
    harmed = replace(clean, endurance=replace(CLEAN, **bad))  # type: ignore[arg-type]
    assert len(harmed.failures) == 1
    assert replace(clean, forged=("x",)).failures == ("x",)


def test_the_summary_gives_a_bound() -> None:
    outcome = Outcome(n=500, seeds=15, endurance=CLEAN, forged=(), trusted=1)
    assert "failures             1; at 95 % at most 1.11% of such mutants fail" in list(
        describe(replace(outcome, forged=("x",)))
    )
    assert "failures             0; at 95 % at most 0.74% of such mutants fail" in list(describe(outcome))
