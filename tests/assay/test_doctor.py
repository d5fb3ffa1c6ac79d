from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from importlib import metadata

import pytest

from assay import doctor
from assay.doctor import State
from assay.jobs.trust_lists import PUBLISHED
from assay.vocabulary import Settings
from detection import clip
from forensics import anchors, distrust
from forensics.distrust import Distrusted
from forensics.trust import ListKind, TrustList
from tests.authority import Authority

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
    assert set(found) == {"python", "names", "formats", "trust lists", "guarded workers", "accelerator", "clip"}
    assert found["trust lists"] == found["clip"] == {State.NOTE}
    assert State.PROBLEM not in set().union(*found.values())


def _trust(settings: Settings) -> dict[str, list[doctor.Finding]]:
    found: dict[str, list[doctor.Finding]] = {}
    for finding in doctor.examine(settings, today=TODAY):
        found.setdefault(finding.what, []).append(finding)
    return {what: found[what] for what in ("trust lists", "signers", "time stamps", "distrusted") if what in found}


def _add(settings: Settings, authority: Authority, kind: ListKind, issued: date, source: str = "own.pem") -> TrustList:
    return anchors.add(settings, authority.anchors, kind=kind, source=source, issued=issued, today=TODAY)


def test_what_a_profile_lacks_is_named_with_the_command_that_adds_it(
    stranger_settings: Settings, authority: Authority
) -> None:
    (empty,) = _trust(stranger_settings)["trust lists"]
    assert "no signer is trusted, and no time stamp counts" in empty.text
    assert empty.remedy.startswith("Run assay trust update, or assay trust add FILE --kind KIND")
    interim = replace(stranger_settings, trust="c2pa+interim")
    _add(interim, authority, ListKind.SIGNERS, TODAY)
    found = _trust(interim)
    assert list(found) == ["trust lists", "time stamps"]
    (stamps,) = found["time stamps"]
    assert stamps.state is State.NOTE
    assert "assay trust update --trust c2pa+interim" in stamps.remedy
    assert "assay trust add FILE --kind timestamps --trust c2pa+interim" in stamps.remedy
    desk = replace(stranger_settings, trust="desk")
    _add(desk, authority, ListKind.TIMESTAMPS, TODAY)
    (signers,) = _trust(desk)["signers"]
    assert signers.remedy == "Run assay trust add FILE --kind signers --trust desk."
    _add(desk, authority, ListKind.ALLOWED, TODAY)
    assert list(_trust(desk)) == ["trust lists"]


def test_an_old_list_is_named_with_the_command_that_renews_it(
    stranger_settings: Settings, authority: Authority
) -> None:
    settings = replace(stranger_settings, trust="c2pa+interim")
    old = date(2026, 1, 1)
    urls = [each.url for each in PUBLISHED["c2pa+interim"]]
    _add(settings, authority, ListKind.TIMESTAMPS, old, urls[1])
    own = _add(settings, authority, ListKind.SIGNERS, old)
    _add(settings, authority, ListKind.ALLOWED, old, urls[3])
    published, by_hand, frozen = _trust(settings)["trust lists"]
    assert published.remedy == "Run assay trust update --trust c2pa+interim."
    assert "assay trust add FILE --kind signers --trust c2pa+interim" in by_hand.remedy
    assert f"assay trust remove {own.sha256[:12]} --trust c2pa+interim" in by_hand.remedy
    assert (frozen.state, frozen.remedy) == (State.SOUND, "")
    assert frozen.text.endswith("where its publisher has frozen it")


def test_whom_the_user_distrusts_is_counted(stranger_settings: Settings) -> None:
    distrust.add(stranger_settings, Distrusted(fingerprint="ab" * 32, reason="x", added=TODAY))
    (found,) = _trust(stranger_settings)["distrusted"]
    assert found.text.startswith("1 certificates distrusted")


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


def test_a_damaged_file_of_weights_is_named_with_its_remedy(stranger_settings: Settings) -> None:
    path = clip.place(stranger_settings.home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    (found,) = (each for each in doctor.examine(stranger_settings, today=TODAY) if each.what == "clip")
    assert found.state is State.PROBLEM
    assert str(path) in found.text
    assert clip.COMMAND in found.remedy
