"""What people read about the rules is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay.rules import RULES, describe, load, table, table_markdown
from assay.rules.parameters import parameters

BETWEEN = re.compile(r"<!-- rules:begin -->\n(.*)<!-- rules:end -->", re.DOTALL)


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def test_the_table_in_the_docs_is_the_table_of_the_code(page: str) -> None:
    found = BETWEEN.search(page)
    assert found
    assert found[1] == table_markdown(), "run `make docs`"


def test_every_policy_in_the_docs_can_be_loaded(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        path = tmp_path / ("pyproject.toml" if "tool.assay" in block else "assay.toml")
        path.write_text(block.replace('sha256 = ["…"]', ""), encoding="utf-8")
        assert load(path).rules


def test_the_docs_name_no_rule_that_does_not_exist(page: str) -> None:
    for name in re.findall(r'^id = "(.*?)"', page, re.MULTILINE):
        assert name in RULES
    for name in re.findall(r"`((?:no|signer|credentials|rights|history|trust-list|ai-mark|detector)-[a-z-]+)`", page):
        assert name in RULES


def test_there_is_one_row_for_each_rule() -> None:
    rows = table()
    assert [row[0] for row in rows] == list(RULES)
    lines = table_markdown().splitlines()
    assert len(lines) == len(rows) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}


def test_a_row_states_defaults_as_a_policy_would_write_them() -> None:
    rows = {row[0]: row for row in table()}
    assert rows["detector-advisory"][2:] == ("warning only", "min_log10_lr = 1.0")
    assert rows["no-ai"][2:] == ("error, or warning", 'allow = ["possible"]')
    assert rows["credentials-verify"][3] == "strict = false"
    assert rows["ai-mark-kept"][3].startswith("masters: a text (required); require_master = true; ")
    assert "max_bytes: a whole number" in rows["allowed-format"][3]
    assert rows["readable"][3] == ""


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_a_rule_explains_itself(rule_id: str) -> None:
    rule, text = RULES[rule_id], describe(rule_id)
    assert text.startswith(f"{rule_id}: {rule.title()}")
    assert f"Why: {rule.why}" in text
    assert f"Remedy: {rule.remedy}" in text
    for item in parameters(rule):
        assert item.name in text
        assert item.meaning in text
        assert all(choice in text for choice in item.choices)


def test_an_unknown_rule_has_no_explanation() -> None:
    with pytest.raises(KeyError):
        describe("no-such-rule")
