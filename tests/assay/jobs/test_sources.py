from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.jobs.sources import expand, read_list

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, data in {
        "b.jpg": b"named like one",
        "a/z.PNG": PNG,
        "a/no-extension": PNG,
        "a/readme.md": b"text",
        ".hidden/x.jpg": b"",
        "a/.git/y.png": PNG,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def _names(root: Path, name: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in expand(name)]


def test_a_folder_stands_for_its_images(tree: Path) -> None:
    assert _names(tree, str(tree)) == ["b.jpg", "a/no-extension", "a/z.PNG"]


def test_a_file_stands_for_itself_whatever_it_is(tree: Path) -> None:
    names = [str(tree / "a" / "readme.md"), str(tree / "link.jpg"), str(tree / "missing.jpg")]
    assert [str(path) for name in names for path in expand(name)] == names


def test_globs(tree: Path) -> None:
    assert _names(tree, f"{tree}/**/*.PNG") == ["a/z.PNG"]
    assert _names(tree, f"{tree}/*") == ["b.jpg", "link.jpg"]
    with pytest.raises(ConfigurationError, match="no file matches"):
        list(expand(f"{tree}/*.webp"))


def test_a_name_with_magic_that_exists_is_no_glob(tree: Path) -> None:
    odd = tree / "what[1].jpg"
    odd.write_bytes(b"")
    assert list(expand(str(odd))) == [odd]


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_bytes(b"text")
    with pytest.raises(ConfigurationError, match="no image in this folder"):
        list(expand(str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n\r\nb", ["a", "b"]),
        (b"a b\0c\nd\0", ["a b", "c\nd"]),
        (b"a.jpg\0a.jpg\n\0", ["a.jpg", "a.jpg\n"]),
        (b"\xef\xbb\xbfa\nb", ["a", "b"]),
        (b"", []),
        (b"\xff\n", ["\udcff"]),
    ],
)
def test_lists(text: bytes, expected: list[str]) -> None:
    assert list(map(str, read_list(BytesIO(text)))) == expected


def test_what_may_not_be_read_is_left_out_of_a_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    assert _names(tree, str(tree)) == ["b.jpg", "a/z.PNG"]
