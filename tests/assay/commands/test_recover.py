from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from assay.binding import SoftBinding, pixel_sha256
from assay.commands import recover
from assay.ledger import new_image_id, open_ledger
from assay.options import Parser
from generation.declaration import Declaration
from generation.sign import sign_and_keep
from tests.assay.jobs.test_recover import pixels_of, resaved
from tests.assay.ledger.entries import entry_for
from tests.authority import Authority
from tests.carriers import PNG
from tests.seeds import encoded


def run(*arguments: str | Path) -> int:
    parser = Parser()
    recover.add(parser.add_subparsers())
    return recover.run(parser.parse_args(["recover", *map(str, arguments)]))


@pytest.fixture
def delivered(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A signed picture with a row in the ledger of the data folder."""
    monkeypatch.delenv("ASSAY_LEDGER", raising=False)
    image_id = new_image_id()
    declaration = Declaration(title="tulip", bindings=(SoftBinding(scheme="sealed-seed", image_id=image_id),))
    signed = sign_and_keep(encoded("PNG"), "image/png", authority.signer(), declaration)
    entry = entry_for(
        signed.data,
        image_id=image_id,
        manifest=signed.manifest,
        pixel_sha256=pixel_sha256(pixels_of(signed.data)),
        name="a\x1b[31m.png",
        model=f"/home/somebody/mine#sha256={'0123456789abcdef' * 4}",
    )
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        ledger.deliver(entry, tmp_path / "tulip.png", signed.data)
    return signed.data


def test_it_says_what_was_put_back(tmp_path: Path, delivered: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stripped.png").write_bytes(PNG.strip(delivered))
    assert run(tmp_path / "stripped.png", "-o", tmp_path / "out.png", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "Inside, and intact" in said
    assert "intact, signer unknown" in said
    assert "by mine (sha256 0123456789abcdef), delivered" in said
    assert "somebody" not in said
    assert "\x1b" not in said
    assert (tmp_path / "out.png").read_bytes() == delivered


def test_it_says_that_what_stands_beside_is_not_intact(
    tmp_path: Path, delivered: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "resaved.png").write_bytes(resaved(delivered))
    assert run(tmp_path / "resaved.png", "-o", tmp_path / "out.png", "--home", tmp_path) == 0
    said = capsys.readouterr().out
    assert "Recovered, not intact" in said
    assert "does not verify" in said
    assert str(tmp_path / "out.c2pa") in said


def test_no_row(tmp_path: Path, delivered: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.png").write_bytes(encoded("PNG", "flower"))
    assert run(tmp_path / "other.png", "-o", tmp_path / "out.png", "--home", tmp_path) == 1
    assert "no row of the ledger leads to this image" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_place_for_the_copy_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path / "x.png")
    assert "-o" in capsys.readouterr().err
    assert isinstance(Parser(), argparse.ArgumentParser)
