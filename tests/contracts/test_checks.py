"""What every check in the catalog owes, whoever wrote it. A new line in the catalog is covered from that moment."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pytest

from assay import catalog, exhibit
from assay.jobs.protocol import run
from assay.vocabulary import Check, Claim, Exhibit, Failed, Limits, Outcome, Settings
from tests.seeds import encoded

NAMES = catalog.CHECKS
FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "AVIF", "BMP")


def make(name: str, settings: Settings) -> Check:
    """The check as a job makes it; a name in the catalog without a method behind it fails here."""
    references = {**catalog.FILE_CHECKS, **catalog.PIXEL_CHECKS}
    (check,) = catalog.make({name: references[name]}, replace(settings, skip=()))
    return check


def exhibit_for(name: str, data: bytes) -> Exhibit:
    received = exhibit.inspect(exhibit.receive(data, "photo", Limits()), Limits())
    if name in catalog.PIXEL_CHECKS:
        pixels, _ = exhibit.decode(received, Limits())
        return replace(received, data=b"", decoded=pixels)
    return received


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_catalog_says(name: str, stranger_settings: Settings) -> None:
    check = make(name, stranger_settings)
    assert check.id == name
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert all(isinstance(claim, Claim) for claim in check.claims)


@pytest.mark.parametrize("name", NAMES)
def test_it_explains_itself(name: str) -> None:
    text = inspect.getdoc(catalog.check_types()[name]) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    assert "not mean" in rest, "say what a finding does not mean"
    for word in ("score", "confidence", "fake", "authentic"):
        assert word not in text.lower()


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_it_answers_under_its_own_name_and_always_the_same(
    name: str, format_name: str, stranger_settings: Settings
) -> None:
    check = make(name, stranger_settings)
    received = exhibit_for(name, encoded(format_name))
    outcomes = check.examine(received)
    assert outcomes
    assert all(isinstance(outcome, get_args(Outcome)) for outcome in outcomes)
    assert {outcome.check for outcome in outcomes} == {name}
    assert not any(isinstance(outcome, Failed) for outcome in outcomes)
    assert check.examine(received) == outcomes
    assert make(name, stranger_settings).examine(received) == outcomes


@pytest.mark.parametrize("name", NAMES)
def test_it_claims_only_what_it_may(name: str, stranger_settings: Settings, shared: Path) -> None:
    check = make(name, stranger_settings)
    for path in sorted((shared / "c2pa" / "adobe-2022-2024").rglob("*.jpg")):
        for outcome in check.examine(exhibit_for(name, path.read_bytes())):
            claim = getattr(outcome, "claim", None)
            assert claim is None or claim in check.claims


@pytest.mark.parametrize("name", NAMES)
def test_hostile_files_end_in_outcomes(name: str, stranger_settings: Settings) -> None:
    check = make(name, stranger_settings)
    rng = np.random.default_rng(0)
    for format_name in FORMATS:
        data = encoded(format_name)
        received = exhibit_for(name, data)
        for _ in range(20):
            mutant = bytearray(data)
            for at in rng.integers(0, len(mutant), 5):
                mutant[at] = int(rng.integers(0, 256))
            assert run(check, replace(received, data=bytes(mutant[: int(rng.integers(1, len(mutant)))])))


def test_a_ghost_entry_fails(monkeypatch: pytest.MonkeyPatch, stranger_settings: Settings) -> None:
    ghosts = {"ghost": "forensics.ghost:Ghost", "phantom": "forensics.metadata:Phantom"}
    monkeypatch.setattr(catalog, "PIXEL_CHECKS", ghosts)
    broken: tuple[Callable[[], object], ...] = (
        lambda: make("ghost", stranger_settings),
        lambda: make("phantom", stranger_settings),
        catalog.check_types,
    )
    for attempt in broken:
        with pytest.raises((ImportError, AttributeError)):
            attempt()


def test_ids_are_unique_across_both_lists() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert cast("int", len(catalog.check_types())) == len(NAMES)
