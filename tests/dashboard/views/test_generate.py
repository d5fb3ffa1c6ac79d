"""Generate, and what the attack page makes of it in the same session."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from assay.jobs.verify import examine
from assay.keys import key_store
from assay.ledger import location, open_ledger
from assay.vocabulary import Claim, Settings
from dashboard.making import Drawn
from generation.development import development_key, signing_folder
from generation.models import spec_named
from tests.assay.jobs.studio import furnish
from tests.conftest import SLOW
from tests.dashboard import session


@pytest.fixture
def furnished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The data folder of the process has keys."""
    settings = furnish(tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(settings.home))
    return settings


def drawn(page: AppTest) -> Drawn:
    made: Drawn = page.session_state["drawn"]
    return made


def test_the_page_waits_for_a_wish(furnished: Settings) -> None:
    page = session.opened("generate")
    assert page.title[0].value == "Make an image that carries its own proof"
    assert page.slider(key="steps-pocket").value == spec_named("pocket").steps
    assert page.number_input[0].disabled, "a marked picture has no seed"
    assert "drawn" not in page.session_state


def test_a_picture_is_drawn_signed_entered_and_examined(furnished: Settings) -> None:
    page = session.opened("generate")
    page.slider(key="steps-pocket").set_value(10)
    page.text_input[0].input("a red tulip")
    session.press(page, "Draw")
    made = drawn(page)
    assert made.prompt == "a red tulip"
    assert session.verdict(page) == made.seen.report.verdict.headline
    assert made.seen.report.verdict.claim is Claim.OURS
    (report,) = examine([made.data], settings=furnished, workers=1)
    assert report.verdict == made.seen.report.verdict
    with open_ledger(location(furnished)) as ledger:
        (recorded,) = ledger.newest()
    assert recorded.entry.image_id == made.made.image_id
    headings = [each.value for each in (*page.header, *page.subheader)]
    assert {"Its row in the ledger", "The noise it was drawn from", "Take the report away"} <= set(headings)
    text = session.words(page)
    assert f"Image {recorded.entry.image_id:016x}" in text
    assert "drawn with pocket, DDIMScheduler, 10 steps" in text
    assert "with a chance of 10^-" in text
    session.sound(page.switch_page("views/attack.py").run())
    assert drawn(page) is made, "kept while the session goes on"
    assert found(page)["watermark"] == "yes"


def test_without_a_mark_a_seed_draws_the_same_again(furnished: Settings) -> None:
    page = session.opened("generate")
    session.sound(page.selectbox[1].set_value("none").run())
    page.slider(key="steps-pocket").set_value(3)
    page.number_input[0].set_value(7)
    first = drawn(session.press(page, "Draw")).pixels
    assert np.array_equal(drawn(session.press(page, "Draw")).pixels, first)
    headings = [each.value for each in (*page.header, *page.subheader)]
    assert "Its row in the ledger" not in headings
    assert "The noise it was drawn from" not in headings
    assert not Path(str(location(furnished))).exists()


def test_without_keys_it_says_how_to_make_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    page = session.press(session.opened("generate"), "Draw")
    assert "This did not work" in session.words(page)
    assert "assay keys" in session.words(page)
    assert "drawn" not in page.session_state
    development_key(signing_folder(tmp_path))
    session.press(page, "Draw")
    assert "assay keys init" in session.words(page)


@pytest.mark.filterwarnings("ignore:`torch_dtype` is deprecated:FutureWarning")  # of diffusers, about a name of its own
def test_weights_that_are_not_here_are_said_to_be_missing(furnished: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # as the command says in the environment
    page = session.opened("generate")
    other = next(name for name in page.selectbox[0].options if name != "pocket")
    session.sound(page.selectbox[0].set_value(other).run())
    session.press(page, "Draw")
    assert "This did not work" in session.words(page)


# --- attacking what was drawn -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Drawn]:
    """A data folder, and what was drawn in it."""
    settings = furnish(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(settings.home))
        patch.setenv("ASSAY_SKIP", ",".join(SLOW))
        page = session.opened("generate")
        page.slider(key="steps-pocket").set_value(10)
        return settings.home, drawn(session.press(page, "Draw"))


@pytest.fixture
def attacked(picture: tuple[Path, Drawn], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The attack page of a session that has drawn a picture."""
    home, made = picture
    monkeypatch.setenv("ASSAY_HOME", str(home))
    page = session.opened()
    page.session_state["drawn"] = made
    return session.sound(page.switch_page("views/attack.py").run())


def test_no_key_leaves_the_process(picture: tuple[Path, Drawn], attacked: AppTest) -> None:
    home, made = picture
    session.sound(attacked.switch_page("views/generate.py").run())
    text = session.words(attacked)
    assert f"Image {made.made.image_id:016x}" in text
    assert key_store(home).current().secret.hex() not in text


def found(page: AppTest) -> dict[str, str]:
    """Whether each check still counts as evidence."""
    table = page.table[0].value
    return dict(zip(table["Check"], table["Counts as evidence"], strict=True))


def slide(page: AppTest, **values: float) -> AppTest:
    for label, value in values.items():
        (slider,) = [each for each in page.slider if each.label.startswith(label)]
        slider.set_value(value)
    return session.sound(page.run())


def test_the_proof_holds_and_falls_as_sliders_move(attacked: AppTest) -> None:
    assert found(attacked)["watermark"] == "yes"
    assert "our own watermark" in session.verdict(attacked)
    slide(attacked, JPEG=80)
    assert found(attacked)["watermark"] == "yes"
    slide(attacked, JPEG=5, Crop=0.2, Blur=6.0, Noise=60.0)
    assert set(found(attacked).values()) == {"no"}
    assert session.verdict(attacked).startswith("Inconclusive")
    (data,) = session.pictures(attacked)
    assert data["alt"] == "The image attacked.png"


def test_the_fall_is_drawn_above_its_numbers(attacked: AppTest) -> None:
    session.sound(attacked.selectbox[0].set_value("noise").run())
    session.press(attacked, "Draw the fall")
    table = attacked.table[-1].value
    assert table["Noise in grey levels"].tolist() == ["0", "4", "8", "13", "19", "26", "38"]
    assert "watermark" in table["Counts as evidence"].iloc[0]
    assert attacked.get("vega_lite_chart")
    assert len(attacked.get("progress")) == 0


def test_a_picture_of_ones_own_is_taken_instead(attacked: AppTest) -> None:
    stream = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(stream, "PNG")
    session.drop(attacked, {"own.png": stream.getvalue()})
    assert set(found(attacked).values()) == {"no"}
    session.sound(attacked.file_uploader[0].clear().run())
    assert found(attacked)["watermark"] == "yes"
