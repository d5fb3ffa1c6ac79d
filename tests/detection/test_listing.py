from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.blobs import copy_of, licence_of, read_blobs
from assay.errors import ConfigurationError
from detection.families import FAMILIES, GROUPS, Family, family
from detection.listing import by_source, content_of, listed, manifest, once
from detection.manifest import MODERN, Content, Label, read
from tests.detection.test_manifest import item
from tests.pictures import photograph

FILES = {
    "gan/faces": [("ai", "stylegan2"), ("ai", "stylegan2"), ("ai", "gpt-4o"), ("real", "faces")],
    "chat/gallery": [("ai", "gpt-image-1")] * 3,
    "grids/sheet": [("ai", "sdxl-grid2x2")],
    "photo/one": [("real", "portfolio")] * 4,
    "photo/two": [("real", "phone")] * 2,
}


def _commit(copy: Path, files: dict[str, bytes]) -> dict[str, str]:
    subprocess.run(["git", "init", "-q", str(copy)], check=True)
    for name, data in files.items():
        (copy / name).write_bytes(data)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(copy), "add", "."], check=True)
    subprocess.run(["git", "-C", str(copy), *who, "commit", "-qm", "x"], check=True)
    listing = subprocess.run(["git", "-C", str(copy), "ls-tree", "HEAD"], check=True, capture_output=True, text=True)
    return {line.split("\t")[1]: line.split()[2] for line in listing.stdout.splitlines()}


def _png(seed: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.rot90(photograph(seed), seed % 4)[:, :: -1 if seed % 3 else 1]
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copies")
    rows, seed = [], 0
    for repository, kinds in FILES.items():
        names = {}
        for number, (_, _) in enumerate(kinds):
            names[f"{number}.png"] = _png(seed := seed + 1)
        names["LICENSE"] = b"MIT License\n\nPermission"
        blobs = _commit(root / repository.replace("/", "+"), names)
        rows += [(repository, f"{n}.png", blobs[f"{n}.png"], *kind) for n, kind in enumerate(kinds)]
    rows.append(("photo/two", "gone.png", "0" * 40, "real", "phone"))
    rows.append(("not/cloned", "a.png", "1" * 40, "real", "phone"))
    with (root / "list.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["repo", "path", "blob", "label", "generator"])
        table.writerows(rows)
    return root


def test_a_list_becomes_a_manifest(copies: Path) -> None:
    items = manifest([copies / "list.csv"], copies, most=2, fewer={"photo/one": 1})
    by_source = {source: [one for one in items if one.source == source] for source in FILES}
    assert {source: len(found) for source, found in by_source.items()} == {
        "gan/faces": 3,  # two of one generator, one photograph; what another fold holds is left out
        "chat/gallery": 2,
        "grids/sheet": 2,  # of four quarters
        "photo/one": 1,
        "photo/two": 2,
    }
    assert {one.kind for one in by_source["gan/faces"]} == {"stylegan2", "faces"}
    assert {one.kind for one in by_source["grids/sheet"]} == {"sdxl"}
    assert all(one.licence == "MIT" for one in items)


def test_no_source_and_no_family_is_in_two_folds(copies: Path) -> None:
    items = manifest([copies / "list.csv"], copies, most=9, fewer={})
    folds = {one.source: {other.fold for other in items if other.source == one.source} for one in items}
    assert all(len(found) == 1 for found in folds.values())
    made = [one for one in items if one.label is Label.AI]
    assert all(one.fold == GROUPS[family(one.kind)] for one in made)


def test_nothing_there_is_an_error(copies: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not one of"):
        manifest([copies / "list.csv"], tmp_path, most=9, fewer={})
    (tmp_path / "list.csv").write_text("repo,path\na,b\n")
    with pytest.raises(ConfigurationError, match="not a list"):
        manifest([tmp_path / "list.csv"], copies, most=9, fewer={})


def test_by_source_nothing_is_left_out(copies: Path) -> None:
    items = manifest([copies / "list.csv"], copies, most=9, fewer={}, folded=by_source)
    assert {one.kind for one in items if one.source == "gan/faces"} == {"stylegan2", "gpt-4o", "faces"}
    folds = {one.source: {other.fold for other in items if other.source == one.source} for one in items}
    assert all(len(found) == 1 for found in folds.values())


@pytest.mark.parametrize(
    ("kind", "generator", "label", "matched", "content"),
    [
        ("graphic: box art", "", "real", "", Content.GRAPHIC),
        ("mixed: posters, infographics, UI", "gpt-image-2", "ai", "", Content.GALLERY),
        ("", "paintings+photos", "real", "1", Content.GALLERY),
        ("photo style", "z-image", "ai", "1", Content.PHOTOREALISTIC),
        ("", "flux", "ai", "1", Content.PHOTOREALISTIC),
        ("", "flux", "ai", "", Content.GALLERY),
        ("", "portfolio", "real", "", Content.PHOTOREALISTIC),
    ],
)
def test_what_a_row_shows(kind: str, generator: str, label: str, matched: str, content: Content) -> None:
    row = {"kind": kind, "generator": generator, "label": label, "matched": matched}
    assert content_of(row) is content
    del row["kind"]
    assert content_of(row) is Content.UNKNOWN


def test_a_set_is_matched_only_where_both_labels_are_there(copies: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader((copies / "list.csv").read_text().splitlines()))
    with (tmp_path / "list.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, [*rows[0], "kind", "matched"])
        table.writeheader()
        table.writerows({**row, "kind": "photo style", "matched": "1"} for row in rows)
    assert all(row.is_matched for row in listed(tmp_path / "list.csv"))
    items = manifest([tmp_path / "list.csv"], copies, most=9, fewer={}, folded=by_source)
    assert {one.source for one in items if one.matched} == {"gan/faces"}
    assert {one.content for one in items} == {Content.PHOTOREALISTIC}


def test_the_modern_manifest_says_what_pictures_show_and_holds_no_near_copies() -> None:
    items = read(MODERN)
    assert len(once(items)) == len(items) > 4_000
    assert all(one.content is not Content.UNKNOWN for one in items)
    for name in {one.matched for one in items} - {""}:
        own = [one for one in items if one.matched == name]
        assert {one.label for one in own} == set(Label)
        assert {one.source for one in own} == {name}


def test_near_copies_stay_once() -> None:
    first, second, third = (item(number) for number in (0x123456789ABCDEF0, 0x123456789ABCDEFF, 0x0FEDCBA987654321))
    assert once([first, second, third]) == [first, third]
    assert once([second, first, third]) == [second, third]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sdxl", Family.LATENT_DIFFUSION),
        ("sd3.5-large", Family.FLOW),
        ("StyleGAN2-ffhq", Family.GAN),
        ("gpt-image-1", Family.AUTOREGRESSIVE),
        ("dalle-3", Family.UNDISCLOSED),
        ("dalle-2", Family.PIXEL_DIFFUSION),
    ],
)
def test_families_go_by_the_longest_beginning(name: str, expected: Family) -> None:
    assert family(name) is expected


def test_every_family_has_a_fold() -> None:
    assert set(GROUPS) == set(Family)
    assert set(FAMILIES.values()) | {Family.UNDISCLOSED} == set(Family)


def test_copies_are_found_and_blobs_read(copies: Path, tmp_path: Path) -> None:
    copy = copy_of("photo/one", copies)
    assert copy is not None
    assert licence_of(copy) == "MIT"
    assert copy_of("not/cloned", copies) is None
    assert list(read_blobs(copy, ["0" * 40, "not an id"])) == [None, None]
    assert list(read_blobs(tmp_path, ["0" * 40] * 3)) == [None] * 3
