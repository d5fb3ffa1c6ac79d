from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigurationError
from detection.manifest import COLUMNS, Content, Item, Label, balanced, capped, read, write


def item(number: int, *, label: Label = Label.AI, kind: str = "gpt", source: str = "owner/name") -> Item:
    return Item(
        repository=source,
        path=f"pictures/{number}, with a comma.png",
        blob=f"{number:040x}",
        quarter="",
        sha256=f"{number * 7919 % 10007:064x}"[::-1],
        label=label,
        kind=kind,
        source=source,
        licence="MIT",
        fold=number % 5,
        dhash=f"{number:016x}",
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    items = tuple(item(number, label=label) for label in Label for number in range(5))
    for name in ("manifest.csv", "manifest.csv.gz"):
        write(tmp_path / name, items)
        assert read(tmp_path / name) == items
    assert (tmp_path / name).stat().st_size < (tmp_path / "manifest.csv").stat().st_size


def test_content_and_matched_set_are_kept_and_older_manifests_have_neither(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    items = tuple(replace(item(number), content=content, matched="a/set") for number, content in enumerate(Content))
    write(path, items)
    assert read(path) == items
    rows = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS[:-2], extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    assert {(one.content, one.matched) for one in read(path)} == {(Content.UNKNOWN, "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n", "lacks"),
        (",".join(COLUMNS) + "\n" + ",".join("fake" for _ in COLUMNS) + "\n", "line 2"),
    ],
)
def test_a_wrong_manifest_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.csv"):
        read(tmp_path / "none.csv")


def test_caps_hold_for_each_kind_of_each_source_and_do_not_depend_on_order() -> None:
    items = [item(number, kind="gpt" if number % 2 else "sd") for number in range(40)]
    kept = capped(items, 7)
    assert sorted(one.kind for one in kept) == ["gpt"] * 7 + ["sd"] * 7
    assert capped(items[::-1], 7) == kept


def test_both_labels_count_alike_and_large_sources_do_not_drown_small_ones() -> None:
    keys = [(Label.AI, "a", "x")] * 100 + [(Label.AI, "b", "y")] * 4 + [(Label.REAL, "c", "phone")] * 50
    weights = balanced(keys)
    assert weights[:104].sum() == pytest.approx(weights[104:].sum()) == pytest.approx(len(keys) / 2)
    assert weights[:100].sum() / weights[100:104].sum() == pytest.approx(np.sqrt(100 / 4))
