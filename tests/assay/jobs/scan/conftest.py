from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.seeds import encode, encoded, photograph

FILES = 60


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> tuple[Path, ...]:
    """Sixty different files: pictures, one of them signed, and two that are broken; never written to."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(FILES - 3):
        picture = photograph().crop((number, 0, number + 100, 100))
        (folder / f"{number:02d}.png").write_bytes(encode(picture, "PNG"))
    signed = sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="a"))
    (folder / "signed.jpg").write_bytes(signed)
    (folder / "broken.gif").write_bytes(b"GIF89a")
    (folder / "torn.png").write_bytes(encoded("PNG")[:2000])
    return tuple(sorted(folder.iterdir()))


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Four pictures to change."""
    for number in range(4):
        Image.new("RGB", (40, 30), (number * 60, 9, 9)).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.glob("*.png"))
