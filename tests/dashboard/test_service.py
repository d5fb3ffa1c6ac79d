from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
import streamlit as st

from assay.errors import PolicyError
from assay.jobs.verify import Upload
from dashboard import service
from tests.dashboard import session
from tests.seeds import encoded


@pytest.mark.parametrize(("value", "is_open"), [("1", True), ("0", False), ("yes", False), (None, False)])
def test_doors_are_closed_unless_the_command_opened_them(
    monkeypatch: pytest.MonkeyPatch, value: str | None, is_open: bool
) -> None:
    for name, door in (
        ("ASSAY_DASHBOARD_FOLDERS", service.may_read_folders),
        ("ASSAY_DASHBOARD_NETWORK", service.may_fetch),
    ):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
        assert door() is is_open


def test_settings_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_TRUST", "mine")
    monkeypatch.setenv("ASSAY_SKIP", "detector")
    settings = service.settings()
    assert (settings.home, settings.trust, settings.skip) == (tmp_path, "mine", ("detector",))


def test_one_examiner_for_all_whose_workers_end_with_the_cache() -> None:
    others = children()
    examiner = service.examiner()
    assert service.examiner() is examiner
    examined = examiner.judge(examiner.read(Upload(name="a.png", data=encoded("PNG"))))
    assert examined.pixels is not None
    assert examined.report.preview is not None
    workers = children() - others
    assert workers
    st.cache_resource.clear()
    assert not any(Path("/proc", str(process)).exists() for process in workers)
    assert service.examiner() is not examiner


def test_what_was_loaded_is_left_alone_from_the_first_verdict_on() -> None:
    assert gc.get_freeze_count() == 0
    session.drop(session.opened(), {"a.png": encoded("PNG")})
    first = gc.get_freeze_count()
    assert first > 10_000
    session.drop(session.opened(), {"b.png": encoded("PNG", "flower")})
    assert gc.get_freeze_count() <= first, "once a process"


def children() -> set[int]:
    """Processes that this one has started and that have not ended."""
    tasks = Path("/proc", str(os.getpid()), "task").glob("*/children")
    return {int(word) for task in tasks for word in task.read_text().split()}


def test_the_rules_are_those_that_stand_in_the_folder_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert service.policy() is None
    for rule in ("no-personal-data", "no-ai"):
        (tmp_path / "assay.toml").write_text(f'[[rules]]\nid = "{rule}"\n')
        policy = service.policy()
        assert policy is not None
        assert [applied.name for applied in policy.rules] == [rule]


def test_rules_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assay.toml").write_text("rules = ")
    with pytest.raises(PolicyError, match=r"assay\.toml"):
        service.policy()
