"""`docs/ci.md`: every block in it is loaded, or run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from assay import __version__, cli, rules
from tests.authority import Authority
from tests.composite import Action
from tests.conftest import REPO_ROOT
from tests.documents import between
from tests.seeds import encoded, photograph

DOCUMENT = (REPO_ROOT / "docs" / "ci.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
OURS = "ORGANISATION/assay"
POLICY, WORKFLOW, SUMMARY_STEPS, OWN_STEP, *HOOKS = [text for kind, text in BLOCKS if kind in ("toml", "yaml")]
GITLAB = HOOKS.pop()
GATE, CHANGED, TRUSTED, BASELINE = [text for kind, text in BLOCKS if kind == "bash"]


def schema_says(schema: str, document: Any, folder: Path) -> str:
    """What check-jsonschema finds wrong."""
    path = folder / "document.json"
    path.write_text(json.dumps(document))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout


def workflow(text: str) -> dict[str, Any]:
    """A workflow, or steps made into one."""
    document = yaml.BaseLoader(text).get_single_data()  # which leaves the key `on` a text
    if "jobs" in document:
        return document
    return {"on": "push", "jobs": {"assay": {"runs-on": "ubuntu-latest", "steps": document["steps"]}}}


def test_every_block_is_known() -> None:
    assert {kind for kind, _ in BLOCKS} == {"toml", "yaml", "bash"}
    assert len(HOOKS) == 4


# --- GitHub -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [WORKFLOW, SUMMARY_STEPS, OWN_STEP], ids=["workflow", "summary", "own step"])
def test_workflows(repo_root: Path, tmp_path: Path, text: str) -> None:
    document = workflow(text)
    assert schema_says("vendor.github-workflows", document, tmp_path) == ""
    declared = yaml.safe_load((repo_root / "action.yml").read_text())
    for step in document["jobs"]["assay"]["steps"]:
        name, _, revision = step.get("uses", "").partition("@")
        if name == OURS:
            assert set(step["with"]) <= set(declared["inputs"])
            assert revision == f"v{__version__}"
        elif name:
            assert re.search(rf"{revision} # v\d+\.\d+\.\d+$", text, re.MULTILINE)
            assert re.fullmatch(r"[0-9a-f]{40}", revision)
    assert set(re.findall(r"steps\.assay\.outputs\.([a-z-]+)", text)) <= set(declared["outputs"])


def test_the_schema_refuses_what_is_not_a_workflow(tmp_path: Path) -> None:
    document = workflow(WORKFLOW)
    document["jobs"]["assay"]["steps"][0]["wiht"] = {}
    assert schema_says("vendor.github-workflows", document, tmp_path) != ""


def test_inputs_and_outputs_are_those_of_the_action(repo_root: Path) -> None:
    action = Action(repo_root / "action.yml").document
    inputs = re.findall(r"^\| `(.+?)` \|.*\| (?:`(.+?)` )?\|$", between(DOCUMENT, "inputs").group(), re.MULTILINE)
    assert inputs == [(name, declared["default"]) for name, declared in action["inputs"].items()]
    outputs = re.findall(r"^\| `(.+?)` \|", between(DOCUMENT, "outputs").group(), re.MULTILINE)
    assert outputs == list(action["outputs"])


def test_a_step_of_ones_own(site: Path) -> None:
    (step,) = workflow(OWN_STEP)["jobs"]["assay"]["steps"]
    (site / "assay.toml").unlink()
    (site / "photos" / "::error::.png").write_bytes(b"nothing")
    done = run(step["run"], site)
    first, *_, last = done.stdout.strip().splitlines()
    assert done.returncode == 3
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


# --- the hook ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOOKS)
def test_hooks(repo_root: Path, text: str) -> None:
    (manifest,) = yaml.safe_load((repo_root / ".pre-commit-hooks.yaml").read_text())
    (repository,) = yaml.safe_load(text)["repos"]
    assert repository["repo"] == f"https://github.com/{OURS}"
    assert repository["rev"] == f"v{__version__}"
    (hook,) = repository["hooks"]
    assert hook["id"] == manifest["id"]
    whole = manifest | hook
    program, *entry = shlex.split(whole["entry"])
    names = ["photos/--a.jpg"] if whole.get("pass_filenames", True) else []
    parsed = cli.parser().parse_args([*entry, *whole["args"], *names])
    assert (program, parsed.command) == ("assay", "verify")
    assert parsed.paths == (names or ["masters", "photos"])


def test_the_hook_for_more_formats_installs_the_extra(repo_root: Path) -> None:
    (hook,) = (hook for text in HOOKS for hook in yaml.safe_load(text)["repos"][0]["hooks"] if "files" in hook)
    extras = tomllib.loads((repo_root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert hook["additional_dependencies"] == extras["formats"]
    for name in ("a.jpg", "b/C.HEIC", "d.jxl", "e.tif"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "a.jpg.txt")


# --- GitLab -----------------------------------------------------------------------------------------------------------


def test_gitlab(repo_root: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(GITLAB)
    assert schema_says("vendor.gitlab-ci", document, tmp_path) == ""
    (job,) = document.values()
    (command,) = job["script"]
    program, *arguments = shlex.split(command)
    parsed = cli.parser().parse_args(arguments)
    assert Path(program).name == "assay"
    assert str(parsed.output) == job["artifacts"]["reports"][parsed.format]
    assert f"--branch v{__version__}" in job["before_script"][0]
    for named in re.findall(r"/opt/assay/(\S+)", " ".join(job["before_script"])):
        assert (repo_root / named).exists()


# --- rules and shell --------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site under version control with a policy, a trust list, and two pictures, one of which the branch adds."""
    folder = tmp_path / "site"
    (folder / "photos").mkdir(parents=True)
    (folder / "trust").mkdir()
    (folder / "assay.toml").write_text(POLICY)
    (folder / "trust" / "desk.pem").write_bytes(authority.anchors)
    (folder / "photos" / "old.png").write_bytes(encoded("PNG"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["commit", "--quiet", "-m", "a"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    (folder / "photos" / "new.png").write_bytes(encoded("PNG", "flower"))
    subprocess.run([*git, "add", "."], cwd=folder, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "b"], cwd=folder, check=True)
    return folder


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def with_place() -> bytes:
    """A photograph that says where it was taken."""
    exif, stream = Image.Exif(), BytesIO()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    photograph("flower").save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def test_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "assay.toml"
    path.write_text(POLICY)
    assert len(rules.load(path).rules) == POLICY.count("[[rules]]")


def test_the_gate(site: Path) -> None:
    passed = run(GATE, site)
    assert (passed.returncode, passed.stdout) == (0, "nothing to complain of\n"), passed.stderr
    (site / "photos" / "placed.jpg").write_bytes(with_place())
    stopped = run(GATE, site)
    assert (stopped.returncode, stopped.stdout) == (1, "a rule is broken, or credentials are\n")
    assert (site / "assay.xml").exists()
    (site / "assay.toml").write_text("[[rules]]\nid = 'a'\n")
    mistaken = run(GATE, site)
    assert (mistaken.returncode, mistaken.stdout) == (2, "a mistake in the command, the policy or a trust list\n")


def test_only_what_a_branch_changes(site: Path) -> None:
    done = run(CHANGED, site)
    assert done.returncode == 0
    assert "photos/new.png" in done.stdout
    assert "photos/old.png" not in done.stdout


def test_trust_lists_kept_with_the_site(site: Path) -> None:
    done = run(TRUSTED, site)
    assert done.returncode == 0, done.stderr
    (listed,) = (site / ".assay").rglob("*.pem")
    assert listed.stem in run("cat .assay/trust/desk/lists.json", site).stdout


def test_a_baseline(site: Path) -> None:
    (site / "photos" / "placed.jpg").write_bytes(with_place())
    accepted = run(BASELINE, site)
    assert accepted.returncode == 0, accepted.stdout
    (site / "photos" / "placed.jpg").rename(site / "photos" / "renamed.jpg")
    _, gate = BASELINE.splitlines()
    assert run(gate, site).returncode == 0
    with (site / "photos" / "renamed.jpg").open("ab") as stream:
        stream.write(b"changed")
    assert run(gate, site).returncode == 1
