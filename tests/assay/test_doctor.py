from __future__ import annotations

import sys
from datetime import date
from importlib import metadata

import pytest

from assay import doctor
from assay.doctor import State
from assay.vocabulary import Settings

TODAY = date(2026, 11, 23)


def _states(settings: Settings) -> dict[str, set[State]]:
    found: dict[str, set[State]] = {}
    for finding in doctor.examine(settings, today=TODAY):
        found.setdefault(finding.what, set()).add(finding.state)
        assert finding.text
        assert bool(finding.remedy) == (finding.state is not State.SOUND)
    return found


def test_everything_is_looked_at(stranger_settings: Settings) -> None:
    found = _states(stranger_settings)
    assert set(found) == {"python", "names", "formats", "trust lists", "guarded workers", "accelerator"}
    assert found["trust lists"] == {State.NOTE}
    assert State.PROBLEM not in set().union(*found.values())


def test_another_owner_of_our_names_is_a_problem(stranger_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"watermark": ["watermark"], "assay": ["assay"]})
    assert State.PROBLEM in _states(stranger_settings)["names"]


def test_missing_reader_is_noted(stranger_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pillow_jxl", raising=False)
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "pillow_jxl" else object())
    findings = [each for each in doctor.examine(stranger_settings, today=TODAY) if each.what == "formats"]
    assert [finding.state for finding in findings] == [State.SOUND, State.NOTE]
    assert "JXL" not in findings[0].text
    assert "JXL" in findings[1].text
