from pathlib import Path

import pytest

from assay.settings import from_environment
from assay.vocabulary import Limits


def test_command_line_wins_over_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", "/from-environment")
    monkeypatch.setenv("ASSAY_TRUST", "own")
    assert from_environment().home == Path("/from-environment")
    assert from_environment().trust == "own"
    chosen = from_environment(home=tmp_path, trust="other", limits=Limits(max_frames=1))
    assert (chosen.home, chosen.trust, chosen.limits.max_frames) == (tmp_path, "other", 1)


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_HOME", raising=False)
    monkeypatch.delenv("ASSAY_TRUST", raising=False)
    settings = from_environment()
    assert settings.home.name == "assay"
    assert settings.home.is_absolute()
    assert settings.trust == "c2pa"
    assert (settings.limits.max_pixels, settings.limits.max_bytes) == (52_500_000, 64 * 2**20)
