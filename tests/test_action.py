"""The GitHub action: its form, and its scripts, run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from junitparser import JUnitXml

from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.composite import Action, Ran
from tests.seeds import encoded

VERIFY, RESULT = "Verify images", "Pass or fail"
POLICY = """
[[rules]]
id = "signer-trusted"

[[rules]]
id = "rights-present"
severity = "warning"
paths = ["plain.png"]
"""

ATTEMPT = '$(touch pwned) `touch pwned`; touch pwned & "$(touch pwned)" \' | $HOME'

Verify = Callable[..., Ran]


@pytest.fixture(scope="module")
def action(repo_root: Path) -> Action:
    return Action(repo_root / "action.yml")


@pytest.fixture
def workspace(tmp_path: Path, authority: Authority) -> Path:
    """A checkout with a picture that a newsroom signed, one that nobody signed, rules, and a trust list."""
    folder = tmp_path / "work space"
    folder.mkdir()
    signed = sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="a"))
    (folder / "signed.jpg").write_bytes(signed)
    (folder / "plain.png").write_bytes(encoded("PNG"))
    (folder / "assay.toml").write_text(POLICY)
    (folder / "anchors.pem").write_bytes(authority.anchors)
    return folder


@pytest.fixture
def verify(action: Action, workspace: Path, tmp_path: Path) -> Verify:
    """Run the step with these inputs, in an environment where Assay is installed."""
    temporary = tmp_path / "runner temp"
    (temporary / "installed").mkdir(parents=True)
    (temporary / "installed" / "venv").symlink_to(sys.prefix)
    outputs = {"install": {"folder": str(temporary / "installed")}}

    def run(environment: Mapping[str, str] | None = None, **inputs: str) -> Ran:
        given = {"trust-file": "signers:anchors.pem"} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        return action.run(
            VERIFY, workspace=workspace, temporary=temporary, inputs=given, outputs=outputs, environment=environment
        )

    return run


# --- its form ---------------------------------------------------------------------------------------------------------


def test_schema(repo_root: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_schema_refuses_what_is_not_an_action(repo_root: Path, tmp_path: Path) -> None:
    text = (repo_root / "action.yml").read_text().replace("using: composite", "using: bash")
    (tmp_path / "action.yml").write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_other_actions_are_pinned(repo_root: Path) -> None:
    uses = re.findall(r"^ *uses: (.+)$", (repo_root / "action.yml").read_text(), re.MULTILINE)
    assert len(uses) == 2
    for reference in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)*@[0-9a-f]{40} # v\d+\.\d+\.\d+", reference), reference


def test_no_expression_reaches_a_shell_but_through_the_environment(action: Action) -> None:
    for step in action.steps:
        assert "${{" not in step.get("run", "")
        assert "eval" not in step.get("run", "")


def test_every_input_is_used_and_every_output_comes_from_a_step(action: Action) -> None:
    text = json.dumps(action.steps)
    assert {name for name in action.document["inputs"] if f"inputs.{name} " in text} == set(action.document["inputs"])
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action.document["inputs"])
    for name, output in action.document["outputs"].items():
        assert output["value"] == f"${{{{ steps.verify.outputs.{name} }}}}"


def test_the_sarif_goes_up_before_the_action_fails(action: Action) -> None:
    names = [step["name"] for step in action.steps]
    assert names[-3:] == [VERIFY, "Upload SARIF", RESULT]
    upload = action.step("Upload SARIF")
    assert upload["if"] == "${{ !cancelled() && inputs.upload == 'true' && steps.verify.outputs.sarif != '' }}"
    assert upload["with"]["sarif_file"] == "${{ steps.verify.outputs.sarif }}"
    assert action.step(RESULT)["if"] == "${{ !cancelled() && steps.verify.outputs.exit-code != '' }}"


def test_python_is_isolated_from_the_checkout(action: Action) -> None:
    for step in action.steps:
        for line in step.get("run", "").splitlines():
            for start in re.findall(r'"\$(?:python|PYTHON)" (\S+)', line):
                assert start == "-I", line


# --- its scripts ------------------------------------------------------------------------------------------------------


def test_a_folder_that_satisfies_the_rules(verify: Verify, workspace: Path) -> None:
    ran = verify(paths="signed.jpg")
    assert ran.code == 0, ran.log
    assert ran.outputs["exit-code"] == "0"
    assert ran.outputs["violations"] == "0"
    assert ran.outputs["report"] == ran.outputs["sarif"]
    (run,) = json.loads(Path(ran.outputs["sarif"]).read_text())["runs"]
    assert {result["ruleId"] for result in run["results"]} == {"assay/verdict"}
    assert not list(workspace.glob("*.sarif"))


def test_a_folder_that_does_not(verify: Verify) -> None:
    ran = verify(policy="assay.toml", output="found.sarif")
    assert ran.code == 0, "the step itself passes, so that the SARIF goes up"
    assert ran.outputs == {"exit-code": "1", "sarif": "found.sarif", "report": "found.sarif", "violations": "2"}
    assert "\nerror: plain.png: " in ran.log
    assert "\nwarning: plain.png: " in ran.log


@pytest.mark.parametrize("code", ["0", "1", "2", "3"])
def test_the_last_step_fails_with_assays_own_exit_code(action: Action, tmp_path: Path, code: str) -> None:
    ran = action.run(RESULT, workspace=tmp_path, temporary=tmp_path, outputs={"verify": {"exit-code": code}})
    assert ran.code == int(code)
    assert ("::error title=Assay::" in ran.log) == (code != "0")


def test_unreadable_input(verify: Verify, workspace: Path) -> None:
    (workspace / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    ran = verify(paths="signed.jpg\ncut.jpg", args="--no-policy")
    assert ran.outputs["exit-code"] == "3"
    assert ran.outputs["violations"] == "0"
    assert "\nerror: cut.jpg: " in ran.log


@pytest.mark.parametrize(
    "inputs",
    [
        {"policy": "missing.toml"},
        {"baseline": "missing.json"},
        {"trust-file": "signers:missing.pem"},
        {"trust-file": "anchors.pem"},
        {"trust-file": "assay.toml"},
        {"trust": "../elsewhere"},
        {"fail-on": "fake"},
        {"format": "docx"},
        {"paths": " \n\n"},
        {"paths": "*.gif"},
        {"args": "--no-such-argument"},
        {"output": "."},
    ],
    ids=str,
)
def test_mistakes_are_exit_code_two_and_leave_nothing_to_upload(verify: Verify, inputs: dict[str, str]) -> None:
    ran = verify(**({"trust-file": ""} | inputs))
    assert ran.code == 0, ran.log
    assert ran.outputs == {"exit-code": "2", "sarif": "", "report": "", "violations": ""}
    assert len(ran.log.splitlines()) > 3, "the log says why"


def test_an_older_report_does_not_pass_for_a_new_one(verify: Verify, workspace: Path) -> None:
    (workspace / "found.sarif").write_text("old")
    assert verify(output="found.sarif", policy="missing.toml").outputs["sarif"] == ""
    assert not (workspace / "found.sarif").exists()


def test_another_format_comes_beside_the_sarif(verify: Verify, workspace: Path) -> None:
    ran = verify(format="junit", output="assay.xml")
    assert (ran.outputs["exit-code"], ran.outputs["report"]) == ("1", "assay.xml")
    assert {case.name for suite in JUnitXml.fromfile(str(workspace / "assay.xml")) for case in suite} == {
        "plain.png",
        "signed.jpg",
    }
    assert json.loads(Path(ran.outputs["sarif"]).read_text())["version"] == "2.1.0"


def test_only_the_named_files_are_trusted(verify: Verify) -> None:
    assert verify(paths="signed.jpg", trust_file="").outputs["exit-code"] == "1"
    assert verify(paths="signed.jpg", trust="desk", trust_file="timestamps:anchors.pem").outputs["exit-code"] == "1"
    assert verify(paths="signed.jpg", trust="desk").outputs["exit-code"] == "0"


def test_a_baseline(verify: Verify) -> None:
    written = verify(args="--write-baseline=known.json", trust_file="")
    assert written.outputs["exit-code"] == "0", written.log
    known = verify(baseline="known.json", trust_file="", fail_on="warning")
    assert (known.outputs["exit-code"], known.outputs["violations"]) == ("0", "0")


def test_a_repository_that_was_checked_out_into_a_folder(verify: Verify, workspace: Path) -> None:
    repository = workspace / "checked out"
    (repository / "site" / "photos").mkdir(parents=True)
    (repository / ".git").mkdir()
    for name in ("signed.jpg", "assay.toml", "anchors.pem"):
        (workspace / name).rename(repository / name)
    (workspace / "plain.png").rename(repository / "site" / "photos" / "plain.png")
    given = {"trust-file": "signers:../anchors.pem", "working-directory": "checked out/site"}
    ran = verify(paths="photos", output="found.sarif", **given)
    assert (ran.outputs["exit-code"], ran.outputs["sarif"]) == ("1", "checked out/site/found.sarif"), ran.log
    (run,) = json.loads((workspace / ran.outputs["sarif"]).read_text())["runs"]
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == ["site/photos/plain.png"]
    by_itself = verify(paths="photos", **given)
    assert Path(by_itself.outputs["sarif"]).is_absolute()
    assert verify(paths="photos", policy="none.toml", **given).outputs["sarif"] == ""


def test_fail_on(verify: Verify) -> None:
    ran = verify(args="--no-policy", fail_on="generated", trust_file="")
    assert (ran.outputs["exit-code"], ran.outputs["violations"]) == ("1", "0")


def test_arguments_stand_one_a_line(verify: Verify) -> None:
    ran = verify(args="--exit-zero\n\n--jobs\n1")
    assert (ran.outputs["exit-code"], ran.outputs["violations"]) == ("0", "2"), ran.log


def test_a_name_is_a_name(verify: Verify, workspace: Path) -> None:
    name = f"--exit-zero {ATTEMPT}.png"
    shutil.copy(workspace / "plain.png", workspace / name)
    ran = verify(paths=name)
    assert (ran.outputs["exit-code"], ran.outputs["violations"]) == ("1", "1"), ran.log
    assert not list(workspace.rglob("pwned*"))


@pytest.mark.parametrize(
    "key",
    ["policy", "baseline", "fail-on", "format", "output", "trust", "trust-file", "args", "paths", "working-directory"],
)
def test_nothing_in_an_input_is_run_or_expanded(verify: Verify, workspace: Path, key: str) -> None:
    if key == "working-directory":
        (workspace / ATTEMPT).mkdir()
    verify(**{"paths": "signed.jpg", "trust-file": "", key: ATTEMPT})
    assert not list(workspace.rglob("pwned*"))


def test_an_input_cannot_add_an_output(verify: Verify) -> None:
    ran = verify(paths="signed.jpg", output="a\nexit-code=7\nb")
    assert (ran.outputs["exit-code"], ran.outputs["sarif"]) == ("0", "a\nexit-code=7\nb")


def test_text_from_a_file_cannot_speak_to_the_runner(verify: Verify, workspace: Path) -> None:
    for name in ("::set-output name=exit-code::0.png", "##[set-output name=exit-code]0 é.png", "a\n::error::b.png"):
        (workspace / name).write_bytes(b"nothing")
    tokens = set()
    for paths in (".", "::set-output name=exit-code::0.png"):
        first, *between, last = verify(paths=paths).log.strip().splitlines()
        command = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", first)
        assert command is not None
        assert last == f"::{command[1]}::"
        assert any("set-output" in line for line in between)
        assert not any(command[1] in line for line in between)
        tokens.add(command[1])
    assert len(tokens) == 2, "nobody can know the next one"


def test_the_end_of_the_stop_is_said_even_after_a_mistake(verify: Verify) -> None:
    log = verify(policy="missing.toml").log.strip().splitlines()
    assert log[-1] == log[0].replace("::stop-commands", "") + "::"


def test_code_in_the_checkout_is_not_run(verify: Verify, workspace: Path) -> None:
    for name in ("json", "secrets", "pathlib", "assay", "PIL", "sitecustomize"):
        (workspace / f"{name}.py").write_text("import os; os.mkdir('pwned')")
    environment = {"PYTHONPATH": str(workspace), "PATH": f"{workspace}{os.pathsep}{os.environ['PATH']}"}
    assert verify(paths="signed.jpg", environment=environment).outputs["exit-code"] == "0"
    assert not (workspace / "pwned").exists()
