"""Documents that cannot lie."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from assay import catalog, rules
from assay.jobs.verify import examine
from assay.vocabulary import Settings
from tests.documents import PARTS, SHARED_PARTS, between, public_states
from tests.pages import words
from tests.seeds import encoded


@pytest.mark.parametrize(("file", "name"), PARTS)
def test_parts_are_what_the_code_says(repo_root: Path, file: str, name: str) -> None:
    text = (repo_root / file).read_text()
    assert between(text, name).group().rstrip("\n") == PARTS[file, name]().rstrip("\n"), "run: make docs"


@pytest.mark.parametrize(("file", "name"), SHARED_PARTS)
def test_parts_about_public_files(repo_root: Path, shared: Path, file: str, name: str) -> None:
    assert between((repo_root / file).read_text(), name).group().rstrip("\n") == SHARED_PARTS[file, name]()


def test_every_difference_from_the_publisher_is_explained(shared: Path) -> None:
    states = list(public_states())
    assert len(states) == 26
    for name, implied, state, why in states:
        assert bool(why) == (implied != state), name


def test_links_lead_somewhere(repo_root: Path) -> None:
    for path in [*repo_root.glob("*.md"), *repo_root.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


def _example(repo_root: Path) -> str:
    text = (repo_root / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"```python\n(# forensics/.*?)```", text, re.DOTALL)
    return code


def test_the_check_in_contributing_appears_everywhere(
    repo_root: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file and one line: then every format and the docs' table show it."""
    (tmp_path / "added_check.py").write_text(_example(repo_root))
    monkeypatch.syspath_prepend(tmp_path)
    text = (repo_root / "CONTRIBUTING.md").read_text()
    (name, attribute) = re.findall(r'"([a-z-]+)": "forensics\.[a-z_]+:(\w+)",', text)[0]
    monkeypatch.setattr(catalog, "PIXEL_CHECKS", {name: f"added_check:{attribute}"})
    image = tmp_path / "photo.png"
    image.write_bytes(encoded("PNG"))
    grey = tmp_path / "grey.png"
    from PIL import Image

    Image.new("L", (40, 40), 9).save(grey)
    plain, found = examine([image, grey], settings=settings, workers=1)
    assert [outcome.check for outcome in plain.outcomes] == ["credentials", "metadata", name]
    summary = found.outcomes[-1].summary  # type: ignore[union-attr]
    for format_name in catalog.FORMATS:
        drawn = words(catalog.format_named(format_name)([found]))
        assert summary in drawn, format_name
        assert name in drawn, format_name
    assert f"| `{name}` | the pixels |" in PARTS["docs/checks.md", "checks"]()
    sys.modules.pop("added_check", None)


def test_no_registry_and_no_machine_is_named(repo_root: Path) -> None:
    hosts = re.compile("|".join(("python" + "hosted", "py" + r"pi\.org", "npm" + "js", "/" + "root/", "/wo" + "rk/")))
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=repo_root, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        assert not hosts.search((repo_root / name).read_text(errors="ignore")), name


def test_version_is_one(repo_root: Path) -> None:
    import assay

    document = tomllib.loads((repo_root / "pyproject.toml").read_text())
    assert document["project"]["version"] == assay.__version__
    assert f"## {assay.__version__}" in (repo_root / "CHANGELOG.md").read_text()


def test_readme_shows_what_the_demo_prints(repo_root: Path, tmp_path: Path) -> None:
    """Each line of the transcript is a line of the output, in that order; an ellipsis stands for anything."""
    (transcript,) = re.findall(r"```\n(\$ assay generate .*?)```", (repo_root / "README.md").read_text(), re.DOTALL)
    demo = repo_root / "examples" / "demo.py"
    done = subprocess.run([sys.executable, demo], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = iter(done.stdout.splitlines())
    for wanted in transcript.splitlines():
        if wanted == "…":
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        assert any(pattern.fullmatch(line) for line in lines), wanted
    report = (tmp_path / "demo" / "report.html").read_text()
    assert report.count("<img") >= 4


def test_readme_policy_loads(repo_root: Path, tmp_path: Path) -> None:
    (policy,) = re.findall(r"```toml\n(.*?)```", (repo_root / "README.md").read_text(), re.DOTALL)
    (tmp_path / "assay.toml").write_text(policy)
    assert len(rules.load(tmp_path / "assay.toml").rules) == 3
