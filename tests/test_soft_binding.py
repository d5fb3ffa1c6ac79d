"""The entries that are published say what the manifests say."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from c2pa import Reader

from assay.binding import LABEL, SoftBinding, read
from assay.commands.generate import WATERMARKS
from assay.jobs.pixel_marks import METHOD, binding
from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.seeds import encoded

SCHEMES = [name for name in WATERMARKS if name not in {"both", "none"}]
_ALG = r"[A-Za-z]{2,63}(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"


def named(scheme: str, image_id: int) -> SoftBinding:
    """As a manifest names the mark that is written now."""
    return binding(image_id) if scheme == METHOD else SoftBinding(scheme=scheme, image_id=image_id)


@pytest.fixture(scope="module")
def entries(repo_root: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads((repo_root / "docs" / "soft-binding.json").read_text())
    assert len({entry["alg"] for entry in listed}) == len(listed)
    return {entry["alg"]: entry for entry in listed}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_signed_has_an_entry(entries: dict[str, dict[str, Any]], authority: Authority, scheme: str) -> None:
    stood = named(scheme, 0x0123456789ABCDEF)
    signed = sign(encoded("PNG"), "image/png", authority.signer(), Declaration(title="x", bindings=(stood,)))
    with Reader("image/png", BytesIO(signed)) as reader:
        store = json.loads(reader.json())
    (stated,) = (
        each["data"]
        for each in store["manifests"][store["active_manifest"]]["assertions"]
        if each["label"].startswith(LABEL)
    )
    assert stated["alg"] in entries
    assert read(stated).ours == stood
    assert "8 bytes, big-endian" in entries[stated["alg"]]["entryMetadata"]["description"]


def test_every_entry_is_written_by_something(entries: dict[str, dict[str, Any]], repo_root: Path) -> None:
    written = {named(scheme, 0).algorithm for scheme in SCHEMES}
    assert written <= set(entries)
    page = (repo_root / "docs" / "soft-binding.md").read_text()
    assert set(re.findall(r"^\| `(alt\.[^`]+)`", page, re.MULTILINE)) == set(entries)


def test_entries_have_the_form_of_the_list(entries: dict[str, dict[str, Any]]) -> None:
    """The required fields of the list's own schema, and nothing that it does not know."""
    for alg, entry in entries.items():
        assert re.fullmatch(_ALG, alg)
        assert entry.keys() == {"identifier", "alg", "type", "decodedMediaTypes", "entryMetadata"}
        assert isinstance(entry["identifier"], int)
        assert (entry["type"], entry["decodedMediaTypes"]) == ("watermark", ["image"])
        about = entry["entryMetadata"]
        assert about.keys() == {"description", "categories", "dateEntered", "contact", "informationalUrl"}
        assert all(re.fullmatch(_ALG, category) for category in about["categories"])
