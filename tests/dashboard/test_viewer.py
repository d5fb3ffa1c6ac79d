from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from assay.vocabulary import Pixels
from dashboard.viewer import Shown, encoded, viewer
from tests.assay.report.samples import MAP, PREVIEW
from tests.dashboard import session
from tests.pictures import photograph


def blank(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), 90, dtype=np.uint8)


def opened(shown: Shown) -> Image.Image:
    image = Image.open(BytesIO(shown.data))
    assert image.get_format_mimetype() == shown.mime
    return image


def test_a_picture_is_shown_pixel_for_pixel() -> None:
    pixels = photograph(0)
    shown = encoded(pixels)
    assert shown.caption == "Encoded without loss."
    assert np.array_equal(np.asarray(opened(shown)), pixels)


@pytest.mark.parametrize(
    ("size", "mime", "seen"),
    [
        ((2000, 1000), "image/png", (2000, 1000)),
        ((2001, 1000), "image/jpeg", (2001, 1000)),
        ((6000, 4000), "image/jpeg", (6000, 4000)),
        ((6001, 4000), "image/jpeg", (3001, 2000)),
    ],
)
def test_large_pictures_are_made_light_and_it_is_said(size: tuple[int, int], mime: str, seen: tuple[int, int]) -> None:
    shown = encoded(blank(*size))
    assert shown.mime == mime
    assert opened(shown).size == seen
    assert ("half its size" in shown.caption) == (size != seen)
    assert ("JPEG" in shown.caption) == (mime == "image/jpeg")


def test_a_jpeg_is_hardly_less_than_the_picture() -> None:
    pixels = np.tile(photograph(0), (5, 5, 1))
    shown = encoded(pixels)
    assert shown.mime == "image/jpeg"
    assert np.abs(np.asarray(opened(shown)).astype(int) - pixels).mean() < 2


# --- what the browser gets --------------------------------------------------------------------------------------------


def viewed(shown: Shown, alt: str, *maps: tuple[str, bytes]) -> dict[str, object]:
    return session.pictures(session.drawn(viewer, shown, alt=alt, maps=maps, key="viewer"))[0]


def test_the_browser_gets_images_of_ours_and_text() -> None:
    shown = Shown(PREVIEW, "image/jpeg", "As it is.")
    data = viewed(shown, "The image <b>.png", ("detector", MAP), ("other", MAP))
    assert data["alt"] == "The image <b>.png"
    assert data["caption"] == "As it is."
    assert content(str(data["picture"]), "image/jpeg") == PREVIEW
    assert isinstance(data["maps"], list)
    assert [(each["name"], content(each["url"], "image/png")) for each in data["maps"]] == [
        ("detector", MAP),
        ("other", MAP),
    ]


def content(url: str, mime: str) -> bytes:
    head, _, data = url.partition(",")
    assert head == f"data:{mime};base64"
    return b64decode(data, validate=True)


def test_what_is_shown_has_a_name_of_its_own() -> None:
    """The page builds the viewer anew only when this changes."""
    one, other = encoded(blank(8, 8)), encoded(blank(9, 8))
    ids = [viewed(one, "a")["id"], viewed(other, "a")["id"], viewed(one, "a", ("detector", MAP))["id"]]
    assert len(set(ids)) == 3
    assert viewed(one, "b")["id"] == ids[0]


def test_two_sessions_have_the_viewer() -> None:
    for _ in range(2):
        assert isinstance(session.drop(session.opened(), {"a.png": encoded(blank(9, 9)).data}), AppTest)
