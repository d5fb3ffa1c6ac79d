from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.jobs.left_out import LeftOut
from assay.jobs.sources import distinct, expand, read_list

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


def _left_out(folder: Path) -> tuple[list[str], LeftOut]:
    left_out = LeftOut()
    return [path.relative_to(folder).as_posix() for path in expand(str(folder), left_out)], left_out


def test_what_a_folder_holds_and_is_not_examined_is_counted_and_named(tree: Path) -> None:
    for name in (
        "a.svg",
        "a/b.SVG",
        "c.jp2",
        "d.psd",
        "e.mp4",
        "f.pdf",
        "g.cr3",
        "h.icns",
        "i.txt",
        ".hidden/deep/j.mp4",
    ):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"whatever")
    (tree / "link.txt").symlink_to(tree / "i.txt")
    names, left_out = _left_out(tree)
    assert names == ["b.jpg", "a/no-extension", "a/z.PNG"]
    for kind in (
        f"2 SVG ({tree}/a.svg, {tree}/a/b.SVG)",
        f"1 JPEG 2000 ({tree}/c.jp2)",
        f"1 PSD ({tree}/d.psd)",
        f"1 video ({tree}/e.mp4)",
        f"1 PDF ({tree}/f.pdf)",
        f"1 camera RAW ({tree}/g.cr3)",
        f"1 other images ({tree}/h.icns)",
        f"2 in hidden folders ({tree}/.hidden/x.jpg, {tree}/.hidden/deep/j.mp4)",
        f"2 behind symbolic links ({tree}/loop, {tree}/link.jpg)",
    ):
        assert kind in str(left_out)
    assert len(left_out) == 12


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7", "PDF"),
        (b"8BPS\0\1", "PSD"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"\xef\xbb\xbf \n<svg xmlns=", "SVG"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x20ftypM4A ", None),
        (b"\x1a\x45\xdf\xa3", "video"),
        (b"FUJIFILMCCD-RAW", "camera RAW"),
        (b"%!PS", None),
        (b"", None),
    ],
)
def test_a_name_that_hides_what_a_file_is_changes_nothing(tmp_path: Path, data: bytes, kind: str | None) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.bin").write_bytes(data)
    assert str(_left_out(tmp_path)[1]) == (f"1 {kind} ({tmp_path}/b.bin)" if kind else "")


def test_a_crowd_is_counted_and_named_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    for number in range(1200):
        (tmp_path / f"{number:04}\n.svg").touch()
    expected = ", ".join(f"{tmp_path}/{number:04}\\n.svg" for number in range(3))
    assert str(_left_out(tmp_path)[1]) == f"1,200 SVG ({expected} and 1,197 more)"


def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe")
    names, left_out = _left_out(tmp_path)
    assert (names, len(left_out)) == (["a.png"], 0)


@pytest.fixture
def pit() -> Iterator[Path]:
    """A folder of its own, deleted by what is not afraid of depth: what deletes `tmp_path` calls itself, too."""
    folder = tempfile.mkdtemp()
    yield Path(folder)
    subprocess.run(["rm", "-rf", folder], check=True)


def test_no_folder_is_too_deep(pit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pit)
    Path("a.png").write_bytes(PNG)
    for level in range(2100):
        Path("d").mkdir()
        os.chdir("d")
        if level in (1500, 2040):
            Path("deep").write_bytes(PNG)
            Path("film.mp4").touch()
    os.chdir(pit)
    left_out = LeftOut()
    found = [path.name for path in expand(".", left_out)]
    assert found == ["a.png", "deep", "deep"]
    assert "2 video (d/d/" in str(left_out)
    assert "1 that could not be opened (d/d/" in str(left_out)
    assert [path.name for path in expand(str(pit))][:2] == ["a.png", "deep"]


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
    with pytest.raises(ConfigurationError, match=r"no image in this folder or below$"):
        list(expand(str(tmp_path)))
    (tmp_path / "press.pdf").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="no image in this folder or below; left out: 1 PDF"):
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
    names, left_out = _left_out(tree)
    assert names == ["b.jpg", "a/z.PNG"]
    assert f"2 that could not be opened ({tree}/a/no-extension, {tree}/a/readme.md)" in str(left_out)


def test_a_folder_that_may_not_be_opened_is_counted(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    names, left_out = _left_out(tree)
    assert names == ["b.jpg"]
    assert f"1 that could not be opened ({tree}/a)" in str(left_out)


def test_a_file_in_several_spellings_is_one(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    names = ["./b.jpg", "b.jpg", str(tree / "b.jpg"), "a/../b.jpg", f"../{tree.name}/b.jpg", ".//b.jpg", "*.jpg", "."]
    found = [str(path) for path in distinct(path for name in names for path in expand(name))]
    assert found == ["b.jpg", "link.jpg", "a/no-extension", "a/z.PNG"]


def test_a_link_is_a_name_of_its_own(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a link, `..` leads to the folder that holds what it names, and not to the one that holds the link."""
    monkeypatch.chdir(tree)
    (tree / "far").mkdir()
    (tree / "far" / "inner").mkdir()
    (tree / "in").symlink_to(tree / "far" / "inner")
    for name in ("b.jpg", "far/b.jpg"):
        (tree / name).write_bytes(PNG)
    paths = [Path(name) for name in ("b.jpg", "link.jpg", "loop/b.jpg", "in/../b.jpg", "far/b.jpg")]
    assert [str(path) for path in distinct(paths)] == ["b.jpg", "link.jpg", "loop/b.jpg", "in/../b.jpg"]


def test_bytes_are_not_compared() -> None:
    assert list(distinct([b"x", Path("x"), b"x", Path("x")])) == [b"x", Path("x"), b"x"]
