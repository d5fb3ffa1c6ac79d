from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from assay import cli
from assay.jobs.detect import (
    PANEL,
    VIEWER,
    VIEWER_PANEL,
    WEIGHTS,
    LearnedDetector,
    _by_viewer,
    _measurement,
    open_experts,
)
from assay.policy import decide
from assay.report.view import describe
from assay.vocabulary import (
    Basis,
    Claim,
    Exhibit,
    ExhibitFacts,
    Measurement,
    Pixels,
    Settings,
    Skipped,
    ToolFacts,
    TrustFacts,
)
from detection import clip, head, panel, viewer
from detection.backbone import opened
from detection.panel import Finding
from detection.quality import Quality
from tests.detection.small_vit import NAME, checkpoint

PHOTOGRAPH: Pixels = load_sample_image("china.jpg")
GOOD = Quality(longest=1024, shortest=768, detail=0.4, flat=0.0)
TOOLS = ToolFacts(assay="0", libraries={}, trust=TrustFacts(profile="c2pa", certificates=0, sha256="", issued=None))


def exhibit(pixels: Pixels) -> Exhibit:
    return Exhibit(facts=ExhibitFacts(name="a picture"), decoded=pixels)


def finding(log10_lr: float | None, reason: str = "") -> Finding:
    ratio = 1.7 if log10_lr is None else log10_lr
    return Finding(
        quality=GOOD, logits={"patches": 2.0}, logit=2.0, ratio=ratio, log10_lr=log10_lr, reason=reason, flips=0
    )


@pytest.fixture(scope="module")
def known() -> panel.Panel:
    return panel.load(WEIGHTS / PANEL)


def test_a_photograph_is_measured_within_bounds_and_not_accused(known: panel.Panel, tmp_path: Path) -> None:
    (found,) = LearnedDetector(Settings(home=tmp_path)).examine(exhibit(PHOTOGRAPH))
    assert isinstance(found, Measurement)
    assert (found.claim, found.basis, found.p_value) == (Claim.GENERATED, Basis.MEASURED, None)
    assert found.log10_lr is None or known.calibrator.bounds[0] <= found.log10_lr < 1
    assert decide([found]).claim is None
    assert {"Newest generator it has seen", "Does not cover"} <= {detail.name for detail in found.details}
    (who,) = [detail.value for detail in found.details if detail.name == "Who looked"]
    assert "patches, sha256 " in who
    assert "assay models add clip" in who


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [(PHOTOGRAPH[:100, :300], "too small"), (np.full((400, 400, 3), 90, np.uint8), "too little detail")],
)
def test_pictures_with_too_little_to_go_on_are_left_alone(pixels: Pixels, reason: str, tmp_path: Path) -> None:
    (found,) = LearnedDetector(Settings(home=tmp_path)).examine(exhibit(pixels))
    assert isinstance(found, Skipped)
    assert reason in found.reason


def test_a_finding_for_a_model_is_said_in_words_and_carries_a_verdict(known: panel.Panel) -> None:
    stated = _measurement(known, finding(1.7), b"a map", "somebody")
    line = describe(stated, ExhibitFacts(name="x"), TOOLS)
    assert line.text.startswith("Pictures that models made look like this 50.1 times as often as photographs do.")
    assert "Moderate support for the proposition that a generative model made it" in line.text
    assert line.map == b"a map"
    verdict = decide([stated])
    assert (verdict.claim, verdict.basis, verdict.log10_lr) == (Claim.GENERATED, Basis.MEASURED, 1.7)


def test_a_finding_against_a_model_carries_none(known: panel.Panel) -> None:
    stated = _measurement(known, finding(-1.0), None, "somebody")
    assert stated.summary == "Photographs look like this 10.0 times as often as pictures that models made."
    assert decide([stated]).claim is None


def test_an_abstention_gives_its_reason_and_weighs_nothing(known: panel.Panel) -> None:
    stated = _measurement(known, finding(None, "unstable"), None, "somebody")
    assert stated.log10_lr is None
    line = describe(stated, ExhibitFacts(name="x"), TOOLS)
    assert line.text == "No finding: unstable. The method abstains."
    assert decide([stated]).claim is None


def test_the_weights_that_ship_belong_to_the_panel(known: panel.Panel) -> None:
    assert {expert.id for expert in open_experts(WEIGHTS, "cpu")} == set(known.fusion.weights)


def test_verify_asks_the_detectors_unless_told_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_SKIP")
    Image.fromarray(PHOTOGRAPH).save(tmp_path / "photo.jpg", quality=92)
    asked = ["verify", str(tmp_path / "photo.jpg"), "--format", "json", "--quiet"]
    assert cli.main(asked) == 0
    (said,) = [
        one for one in json.loads(capsys.readouterr().out)["reports"][0]["outcomes"] if one["check"] == "detector"
    ]
    assert said["kind"] == "measurement"
    assert cli.main([*asked, "--skip", "detector"]) == 0
    (said,) = [
        one for one in json.loads(capsys.readouterr().out)["reports"][0]["outcomes"] if one["check"] == "detector"
    ]
    assert (said["kind"], said["reason"]) == ("skipped", "Left out on request (--skip).")


def test_the_map_is_a_small_picture_of_patches(tmp_path: Path) -> None:
    from assay.jobs.detect import _map

    experts = open_experts(WEIGHTS, "cpu")
    data = _map(PHOTOGRAPH, experts, finding(1.5))
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert (image.mode, image.size) == ("L", (40, 27))
    assert _map(PHOTOGRAPH, experts, finding(-1.5)) is None
    assert _map(PHOTOGRAPH, experts, replace(finding(1.5), log10_lr=None)) is None


def test_half_fetched_weights_of_clip_are_named_with_the_remedy(tmp_path: Path) -> None:
    path = clip.place(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    (found,) = LearnedDetector(Settings(home=tmp_path)).examine(exhibit(PHOTOGRAPH))
    assert isinstance(found, Skipped)
    assert str(path) in found.reason
    assert clip.COMMAND in found.reason


def test_the_head_that_ships_belongs_to_its_panel_and_to_clip() -> None:
    known, learnt = panel.load(WEIGHTS / VIEWER_PANEL), head.read(WEIGHTS / VIEWER)
    assert set(known.fusion.weights) == {viewer.NAME}
    assert (learnt.backbone, learnt.sha256) == (clip.MODEL, clip.SHA256)


def test_with_clip_the_head_on_it_answers(tmp_path: Path) -> None:
    recipe = head.Recipe(blocks=(1, 5), kinds=("whole",))
    network = opened(checkpoint(tmp_path), "cpu", name=NAME, taps=(1, 5))
    rule = head.Rule(weights=np.zeros(2 * network.width, np.float32), bias=9.0)
    learnt = head.Head(recipe=recipe, backbone=network.name, sha256=network.sha256, rules={"whole": rule})
    known = panel.load(WEIGHTS / VIEWER_PANEL)
    found = _by_viewer(PHOTOGRAPH, known, viewer.Viewer(backbone=network, head=learnt, sha256="ab" * 32))
    assert found.statistic == 9
    assert found.log10_lr == pytest.approx(known.calibrator.bounds[1], abs=0.5)
    assert decide([found]).claim is Claim.GENERATED
    assert any(detail.name == "Who looked" and "abababababab" in detail.value for detail in found.details)
