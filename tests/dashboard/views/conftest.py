from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.jobs.scan import scan
from assay.vocabulary import Settings
from tests.forensics import metadata_files as files
from tests.seeds import encode, encoded, photograph


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory, settings: Settings, signed: bytes) -> Path:
    """A folder of fifty files and the table of its scan; copied by whoever decides something."""
    folder = tmp_path_factory.mktemp("case")
    place = folder / "in"
    place.mkdir()
    for at in range(45):
        crop = photograph().crop((at, at // 3, at + 64, at // 3 + 64)).rotate(8 * at)
        (place / f"{at:02}.png").write_bytes(encode(crop, "PNG"))
    (place / "copy.png").write_bytes((place / "00.png").read_bytes())
    (place / "signed.jpg").write_bytes(signed)
    (place / "declared.png").write_bytes(files.png({"parameters": files.A1111}))
    (place / "header.gif").write_bytes(b"GIF89a")
    (place / "torn.png").write_bytes(encoded("PNG")[:2000])
    assert len(list(scan(sorted(place.iterdir()), folder / "results.parquet", settings=settings, jobs=2))) == 50
    return folder


@pytest.fixture
def results(case: Path, tmp_path: Path, trusting: Path) -> Path:
    """A table of fifty rows that nobody has decided on."""
    return Path(shutil.copy(case / "results.parquet", tmp_path))
