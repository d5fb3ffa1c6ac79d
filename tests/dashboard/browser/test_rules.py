from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.authority import Authority
from tests.dashboard.browser.conftest import SKIP, Opened
from tests.dashboard.browser.test_accessibility import looks_sound
from tests.dashboard.pieces import declared
from tests.dashboard.serving import Served, furnish, served, settled, upload, verdict
from tests.seeds import encoded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ruled(
    chromium: Browser, authority: Authority, tmp_path_factory: pytest.TempPathFactory, repo_root: Path
) -> Iterator[Served]:
    """A dashboard that was started where the policy of the README stands."""
    folder = tmp_path_factory.mktemp("ruled")
    (policy,) = re.findall(r"```toml\n(.*?)```", (repo_root / "README.md").read_text(), re.DOTALL)
    (folder / "assay.toml").write_text(policy)
    home = furnish(folder / "home", authority)
    with served(home, skip=(*SKIP, "detector"), folder=folder, log=folder / "dashboard.log") as running:
        yield running


def test_dropped_files_are_held_to_every_rule(opened: Opened, ruled: Served) -> None:
    page = opened(ruled.url)
    upload(page, ("declared.png", declared()), ("plain.png", encoded("PNG")))
    expect(verdict(page)).to_contain_text("no-undeclared-ai")
    settled(page)
    rows = page.locator(".index tbody tr")
    expect(rows.nth(0)).to_contain_text("1 broken: no-undeclared-ai")
    expect(rows.nth(1)).to_contain_text("none broken")
    expect(page.get_by_text("3 of 3 rules of assay.toml were applied")).to_contain_text("came without a path")
    page.get_by_text("Each rule and what became of it").click()
    expect(page.get_by_text("The policy has it for public/**.")).to_be_visible()
    looks_sound(page)
