import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from assay.vocabulary import Attestation, Manifest, Settings
from forensics import history_tree
from forensics.manifest_pictures import MAX_BYTES, MOST
from forensics.manifests import Store
from tests.authority import Authority
from tests.bombs import WEBP_9000
from tests.carriers import png_chunk
from tests.forensics.conftest import attest, exhibit_of
from tests.seeds import encoded
from tests.thumbnails import signed

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"


def png_bomb() -> bytes:
    """12,000 x 12,000 pixels in some kilobytes."""
    header = (12_000).to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes(12_000 * (12_000 // 8 + 1)), 9)
    chunks = (b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


HOSTILE = {
    "nothing": b"",
    "no picture": b"\xff\xd8\xff and then text",
    "truncated": encoded("JPEG")[:1500],
    "vector": SVG,
    "other format": encoded("TIFF"),
    "bomb": png_bomb(),
    "webp bomb": WEBP_9000,
}


@pytest.fixture
def curious(settings: Settings) -> Settings:
    return replace(settings, thumbnails=True)


def nodes(manifest: Manifest | None) -> list[Manifest]:
    return [] if manifest is None else [manifest, *(each for child in manifest.ingredients for each in nodes(child))]


def without_pictures(found: Attestation) -> Attestation:
    def bare(manifest: Manifest) -> Manifest:
        return replace(manifest, thumbnail=None, ingredients=tuple(map(bare, manifest.ingredients)))

    return replace(found, manifest=bare(found.manifest) if found.manifest else None)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_a_manifests_picture_is_made_small_and_encoded_again(
    curious: Settings, authority: Authority, format_name: str
) -> None:
    stream = BytesIO()
    Image.effect_noise((640, 320), 60).save(stream, format_name)
    mime = f"image/{format_name.lower()}"
    found = attest(curious, exhibit_of(signed(authority.signer(), stream.getvalue(), mime, parents=1)))
    pictures = [node.thumbnail for node in nodes(found.manifest)]
    assert len(pictures) == 2
    for picture in pictures:
        assert picture is not None
        with Image.open(BytesIO(picture)) as image:
            assert (image.format, image.size) == ("JPEG", (160, 80))
        assert picture not in stream.getvalue()


def test_nobody_looks_at_them_unless_asked(settings: Settings, authority: Authority) -> None:
    found = attest(settings, exhibit_of(signed(authority.signer(), encoded("JPEG"), parents=1)))
    assert [node.thumbnail for node in nodes(found.manifest)] == [None, None]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_changes_nothing(
    settings: Settings, curious: Settings, authority: Authority, name: str
) -> None:
    mime = "image/svg+xml" if name == "vector" else "image/jpeg"
    received = exhibit_of(signed(authority.signer(), HOSTILE[name], mime, parents=1))
    found = attest(curious, received)
    assert found == attest(settings, received)
    assert found.state == "trusted"
    assert [node.thumbnail for node in nodes(found.manifest)] == [None, None]


def test_pictures_are_counted(settings: Settings, curious: Settings, authority: Authority) -> None:
    received = exhibit_of(signed(authority.signer(), encoded("JPEG"), parents=40))
    found = attest(curious, received)
    assert [node.thumbnail is not None for node in nodes(found.manifest)] == [True] * MOST + [False] * (41 - MOST)
    assert without_pictures(found) == attest(settings, received)


def test_a_large_file_is_no_thumbnail(curious: Settings, authority: Authority) -> None:
    found = attest(curious, exhibit_of(signed(authority.signer(), encoded("JPEG") + bytes(MAX_BYTES))))
    assert [node.thumbnail for node in nodes(found.manifest)] == [None]


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        (
            "self#jumbf=c2pa.assertions/c2pa.thumbnail.ingredient",
            "self#jumbf=/c2pa/a/c2pa.assertions/c2pa.thumbnail.ingredient",
        ),
        ("self#jumbf=/c2pa/b/c2pa.assertions/x", "self#jumbf=/c2pa/b/c2pa.assertions/x"),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_where_the_picture_of_an_ingredient_lies(url: object, uri: str) -> None:
    ingredient = {"dc:title": "x", "thumbnail": {"url": url}}
    store = Store.parse({"manifests": [{"label": "a", "assertions": {"c2pa.ingredient": ingredient}}]})
    assert list(history_tree.thumbnail_uris(store)) == ["", uri]


def test_a_version_is_shown_by_its_own_picture_rather_than_by_the_one_kept_of_it() -> None:
    own, kept = "self#jumbf=/c2pa/b/c2pa.assertions/c2pa.thumbnail.claim", "self#jumbf=/c2pa/a/x"
    ingredient = {"activeManifest": {"url": "self#jumbf=/c2pa/b"}, "thumbnail": {"url": kept}}
    manifests = [
        {"label": "a", "assertions": {"c2pa.ingredient": ingredient, "c2pa.ingredient__1": ingredient}},
        {"label": "b", "assertions": {"c2pa.thumbnail.claim.jpeg": {"identifier": own}}},
    ]
    store = replace(Store.parse({"manifests": manifests}), thumbnails={own: b"own", kept: b"kept"})
    assert [node.thumbnail for node in nodes(history_tree.tree(store))] == [None, b"own", None], "each is drawn once"


def test_public_files_show_their_versions(curious: Settings, shared: Path) -> None:
    data = (shared / "c2pa/public-testfiles/image/jpeg/adobe-20220124-CAICAI.jpg").read_bytes()
    found = attest(curious, exhibit_of(data))
    assert [(node.title, node.thumbnail is not None) for node in nodes(found.manifest)] == [
        ("CAICAI.jpg", True),
        ("A.jpg", True),
        ("CAI.jpg", True),
        ("A.jpg", True),
        ("I.jpg", True),
    ]
