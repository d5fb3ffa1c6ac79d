"""What is attacked is drawn in `test_generate`; here is what needs no model."""

from __future__ import annotations

import pytest

from tests.dashboard import session
from tests.seeds import encoded


def test_without_a_picture_it_leads_to_one() -> None:
    page = session.opened("attack")
    assert page.info[0].value == "Draw a picture first, or drop one above."
    (link,) = page.get("page_link")
    assert link.proto.page == "generate"
    assert len(page.slider) == 0


@pytest.mark.parametrize("data", [b"Dear diary", b"", encoded("JPEG")[:2000]], ids=["text", "empty", "torn"])
def test_what_cannot_be_decoded_is_said_to_be(data: bytes) -> None:
    page = session.drop(session.opened("attack"), {"a.jpg": data})
    assert page.error[0].value == "The file could not be decoded, so there is nothing to attack."
    assert "Could not be examined" in session.fragments(page).text()
    assert len(page.slider) == 0


def test_a_picture_without_a_mark_has_nothing_to_lose() -> None:
    page = session.drop(session.opened("attack"), {"a.png": encoded("PNG")})
    assert session.verdict(page).startswith("Inconclusive")
    (blur,) = [each for each in page.slider if each.label.startswith("Blur")]
    before = session.pictures(page)[0]["picture"]
    session.sound(blur.set_value(3.0).run())
    assert session.pictures(page)[0]["picture"] != before


def test_settings_that_cannot_be_used_are_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_TRUST", "misspelt")
    page = session.drop(session.opened("attack"), {"a.png": encoded("PNG")})
    assert "misspelt" in session.words(page)
