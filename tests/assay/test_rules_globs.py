"""Globs, against a matcher that tries everything, and the path that they are matched against."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.rules.globs import Glob, relative_name


def of_characters(wanted: str, given: str) -> bool:
    if not wanted:
        return not given
    if wanted[0] == "*":
        return any(of_characters(wanted[1:], given[taken:]) for taken in range(len(given) + 1))
    if not given:
        return False
    if listed := re.match(r"\[(!?)(.)(?:-(.))?\]", wanted):
        low, high = listed[2], listed[3] or listed[2]
        return (low <= given[0] <= high) != bool(listed[1]) and of_characters(wanted[listed.end() :], given[1:])
    return wanted[0] in ("?", given[0]) and of_characters(wanted[1:], given[1:])


def of_segments(wanted: list[str], given: list[str]) -> bool:
    if not wanted:
        return not given
    if wanted[0] == "**":
        return any(of_segments(wanted[1:], given[taken:]) for taken in range(len(given) + 1))
    return bool(given) and of_characters(wanted[0], given[0]) and of_segments(wanted[1:], given[1:])


def with_small_extension(text: str) -> str:
    *folders, name = text.split("/")
    head, *parts = name.split(".")
    if parts:
        parts[-1] = parts[-1].lower()
    return "/".join([*folders, ".".join([head, *parts])])


def matches_by_trying(pattern: str, path: str) -> bool:
    """Every way in which `**` can take segments and `*` characters; written apart from the code under test."""
    pairs = ((pattern, path), (with_small_extension(pattern), with_small_extension(path)))
    return any(of_segments(wanted.split("/"), given.split("/")) for wanted, given in pairs)


pieces = st.sampled_from(["a", "b", "B", ".", "*", "?", "[a]", "[!a]", "[a-b]"])
wanted_segments = st.one_of(
    st.just("**"),
    st.lists(pieces, min_size=1, max_size=4).map("".join).filter(lambda text: "**" not in text and text != "."),
)
patterns = st.lists(wanted_segments, min_size=1, max_size=5).map("/".join)
paths = st.lists(st.text("abB.", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join)


@settings(max_examples=600, deadline=None)
@given(patterns, paths)
def test_agrees_with_trying_everything(pattern: str, path: str) -> None:
    assert Glob(pattern).matches(path) == matches_by_trying(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "a.jpg", True),
        ("**", "a/b/c.jpg", True),
        ("**/*.jpg", "a.jpg", True),
        ("**/*.jpg", "x/y/a.jpg", True),
        ("**/*.jpg", "../elsewhere/a.jpg", True),
        ("*.jpg", "a.jpg", True),
        ("*.jpg", "x/a.jpg", False),
        ("photos/**", "photos/a.jpg", True),
        ("photos/**", "photos", True),
        ("photos/**", "old/photos/a.jpg", False),
        ("photos/**/*.jpg", "photos/a.jpg", True),
        ("photos/**/*.jpg", "photos/2026/11/a.jpg", True),
        ("photos/**/*.jpg", "photos/a.png", False),
        ("photos/*/a.jpg", "photos/x/y/a.jpg", False),
        ("a/**/b/**/c.jpg", "a/b/x/b/y/c.jpg", True),
        ("a/**/b/**/c.jpg", "a/x/y/c.jpg", False),
        ("../shared/*.png", "../shared/a.png", True),
        ("*.jpg", ".jpg", True),
        ("**/.hidden/*", "x/.hidden/a.jpg", True),
        ("*.jpg", "IMG_1.JPG", True),
        ("*.JPG", "img_1.jpg", True),
        ("*.JPG", "img_1.JPG", True),
        ("*JPG", "img_1.JPG", True),
        ("IMG*.jpg", "img_1.jpg", False),
        ("Photos/*.jpg", "photos/a.jpg", False),
        ("x.D/a", "x.d/a", False),
        ("a[*].jpg", "a*.jpg", True),
        ("a[*].jpg", "ab.jpg", False),
        ("a[[]1].jpg", "a[1].jpg", True),
        ("[!/]*", "a/b", False),
        ("M\u00fcller/*.jpg", "Mu\u0308ller/a.jpg", True),
        ("*.jpg", "line\nbreak.jpg", True),
        ("<stdin>", "<stdin>", True),
    ],
)
def test_means_what_it_says(pattern: str, path: str, expected: bool) -> None:
    assert Glob(pattern).matches(path) is expected


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("", "'**'"),
        ("!a.jpg", "exclude"),
        ("/srv/a.jpg", "relative"),
        ("photos/", "'photos/**'"),
        ("photos\\a.jpg", "separate folders with '/'"),
        ("*.{jpg,png}", "one by one"),
        ("a//b", "'a/b'"),
        ("./a", "'a/b'"),
        ("**.jpg", "'**/*.jpg'"),
        ("a/***/b", "stands alone"),
    ],
)
def test_what_would_match_nothing_is_refused(pattern: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=re.escape(remedy)):
        Glob(pattern)


def test_no_pattern_takes_long() -> None:
    """Patterns with many wildcards are exponential for a matcher that backtracks into all of them."""
    started = time.perf_counter()
    assert not Glob("/".join(["**", "*a*"] * 20) + "/b").matches("/".join(["a" * 20] * 60))
    assert not Glob("*a" * 30 + "b").matches("a" * 300)
    assert time.perf_counter() - started < 2.0


def test_a_name_is_seen_from_the_policys_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "photos").mkdir(parents=True)
    monkeypatch.chdir(site / "photos")
    assert relative_name("a.jpg", site) == "photos/a.jpg"
    assert relative_name("./x/../a.jpg", site) == "photos/a.jpg"
    assert relative_name(str(site / "photos" / "a.jpg"), site) == "photos/a.jpg"
    assert relative_name("../../other/a.jpg", site) == "../other/a.jpg"
    assert relative_name("<stdin>", site) == "<stdin>"
    assert relative_name("Mu\u0308ller.jpg", site) == "photos/M\u00fcller.jpg"
    assert relative_name("..a.jpg", site / "photos") == "..a.jpg"


def test_a_folder_reached_through_a_link_is_the_same_folder(tmp_path: Path) -> None:
    actual, link = tmp_path / "actual", tmp_path / "link"
    actual.mkdir()
    link.symlink_to(actual)
    assert relative_name(str(actual / "a.jpg"), link) == "a.jpg"
    assert relative_name(str(link / "a.jpg"), actual) == "a.jpg"


def test_a_link_in_the_folder_counts_where_it_stands(tmp_path: Path) -> None:
    site, store = tmp_path / "site", tmp_path / "store"
    site.mkdir()
    store.mkdir()
    (store / "a.jpg").touch()
    (site / "published.jpg").symlink_to(store / "a.jpg")
    assert relative_name(str(site / "published.jpg"), site) == "published.jpg"
