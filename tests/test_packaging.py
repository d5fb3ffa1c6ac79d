"""What others install: the wheel, the core and nothing beside it, the hook; and what our own commits pass."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assay import catalog, formats
from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.composite import Action
from tests.seeds import encoded
from tests.wheels import closure, rebuild

BIN = Path(sys.executable).parent
NOT_OURS = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "demo", "*.egg-info")


@pytest.fixture
def tree(repo_root: Path, tmp_path: Path) -> Path:
    """A copy of the sources: building leaves files behind."""
    return Path(shutil.copytree(repo_root, tmp_path / "tree", ignore=NOT_OURS))


def project(repo_root: Path) -> dict[str, Any]:
    return tomllib.loads((repo_root / "pyproject.toml").read_text())["project"]


# --- the wheel --------------------------------------------------------------------------------------------------------


def test_the_wheel_holds_our_packages_and_nothing_else(tree: Path) -> None:
    packages = sorted({path.parent.name for path in tree.glob("*/__init__.py")} - {"tests"})
    assert {"assay", "forensics", "generation"} <= set(packages)
    expected = {
        str(path.relative_to(tree))
        for package in packages
        for path in (tree / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    script = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, "dist"], cwd=tree, check=True, capture_output=True)
    (wheel,) = (tree / "dist").glob("*.whl")
    found = set(zipfile.ZipFile(wheel).namelist())
    information = {name for name in found if name.partition("/")[0].endswith(".dist-info")}
    assert found - information == expected
    assert {"assay/py.typed", "assay/report/page.html.jinja", "assay/report/style.html.jinja"} <= found
    assert {name.partition("/")[2] for name in information} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }


# --- the core ---------------------------------------------------------------------------------------------------------


def core_pins(repo_root: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """`requirements-core.txt` as far as it concerns this machine: name to version and hashes."""
    return {
        name: (version, hashes)
        for name, marker, version, hashes in pins(repo_root / "requirements-core.txt")
        if Requirement(f"{name} {marker}").marker is None or Requirement(f"{name} {marker}").marker.evaluate()  # type: ignore[union-attr]
    }


def pins(path: Path) -> list[tuple[str, str, str, frozenset[str]]]:
    """Name, marker, version and hashes of every requirement in a file of pins."""
    found = []
    for entry in path.read_text().replace("\\\n", " ").splitlines():
        head, *hashes = entry.split("--hash=")
        parsed = re.fullmatch(r"([a-z0-9.-]+)==(\S+)\s*(;.*?)?\s*", head)
        assert parsed is not None, entry
        assert hashes, f"{parsed[1]} is not hashed"
        found.append((parsed[1], parsed[3] or "", parsed[2], frozenset(text.strip() for text in hashes)))
    return found


def test_the_core_is_pinned_as_everything_else_is(repo_root: Path) -> None:
    everything = pins(repo_root / "requirements.txt")
    for pin in pins(repo_root / "requirements-core.txt"):
        assert pin in everything, f"{pin[0]}: make lock"


def test_the_core_is_what_the_project_depends_on(repo_root: Path) -> None:
    needed = closure(project(repo_root)["dependencies"])
    assert {name: version for name, (version, _) in core_pins(repo_root).items()} == needed | closure(["setuptools"])
    assert not {"torch", "scipy", "scikit-learn", "pytest", "pillow-heif"} & set(needed)


IMPORTABLE = """
import importlib.util, sys
print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name)))
"""
FORMATS = """
import sys
from assay import catalog
from assay.cli import main
for name in catalog.FORMATS:
    # PDF alone needs more than the core
    code = main(["verify", "--jobs", "1", "plain.png", "--format", name, "--output", f"report.{name}"])
    assert code == (2 if name == "pdf" else 0), (name, code)
"""


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder for several hundred megabytes, which pytest would keep for three runs."""
    folder = tmp_path / "roomy"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_action_installs_the_core_and_nothing_else_is_needed(
    repo_root: Path, tree: Path, roomy: Path, authority: Authority
) -> None:
    """The action's own script, on wheels made again from what is installed here, without a network."""
    wheels = roomy / "wheels"
    wheels.mkdir()
    lines = []
    for name, (version, _) in core_pins(repo_root).items():
        _, digest = rebuild(name, wheels)
        lines.append(f"{name}=={version} --hash=sha256:{digest}")
    (tree / "requirements-core.txt").write_text("\n".join(lines))
    action, temporary, workspace = Action(tree / "action.yml"), roomy / "temporary", roomy / "workspace"
    temporary.mkdir()
    workspace.mkdir()
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_NO_INDEX": "1",
    }
    installed = action.run(
        "Install Assay",
        workspace=workspace,
        temporary=temporary,
        outputs={"python": {"python-path": sys.executable}},
        environment=offline,
    )
    assert installed.code == 0, installed.log
    python = Path(installed.outputs["folder"], "venv", "bin", "python")
    (workspace / "plain.png").write_bytes(encoded("PNG"))

    foreign = ["torch", "scipy", "sklearn", "pytest", "hypothesis", "yaml", "pillow_heif", "pillow_jxl", "tests", "pip"]
    assert said(python, "-c", IMPORTABLE, "assay", "c2pa", *foreign, cwd=workspace).split() == ["assay", "c2pa"]
    assert Path(said(python, "-c", "import assay; print(assay.__file__)", cwd=workspace)).is_relative_to(
        Path(installed.outputs["folder"])
    )
    assert said(python.with_name("assay"), "--version", cwd=workspace).startswith("assay ")
    assert "verify" in said(python, "-m", "assay", "--help", cwd=workspace)
    assert "credentials-required" in said(python, "-m", "assay", "explain", cwd=workspace)
    assert "problem " not in said(python, "-m", "assay", "doctor", cwd=workspace)
    said(python, "-c", FORMATS, cwd=workspace)
    assert all((workspace / f"report.{name}").stat().st_size for name in catalog.FORMATS if name != "pdf")

    (workspace / "anchors.pem").write_bytes(authority.anchors)
    verified = action.run(
        "Verify images",
        workspace=workspace,
        temporary=temporary,
        inputs={"trust-file": "signers:anchors.pem"},
        outputs={"install": installed.outputs},
    )
    assert verified.outputs["exit-code"] == "0", verified.log


def said(program: Path, *arguments: str, cwd: Path) -> str:
    """What a program in the environment of the core prints; it has to succeed."""
    isolated = ["-I"] if program.name == "python" else []
    done = subprocess.run([program, *isolated, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


# --- the hook ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hook(repo_root: Path) -> dict[str, Any]:
    (hook,) = yaml.safe_load((repo_root / ".pre-commit-hooks.yaml").read_text())
    return hook


HOOK_KEYS: Mapping[str, type] = {
    "id": str,
    "name": str,
    "description": str,
    "entry": str,
    "args": list,
    "language": str,
    "types": list,
    "exclude_types": list,
    "require_serial": bool,
    "stages": list,
    "minimum_pre_commit_version": str,
}
"""Keys of a hook, and what they hold, in `MANIFEST_HOOK_DICT` of pre-commit 4.6; all others are unknown to us."""


def test_the_hook_is_one_that_pre_commit_reads(hook: dict[str, Any]) -> None:
    assert {key: type(value) for key, value in hook.items()} == HOOK_KEYS
    assert hook["language"] == "python"
    assert all(isinstance(text, str) for key in ("args", "types", "exclude_types", "stages") for text in hook[key])
    assert set(hook["stages"]) <= {"pre-commit", "pre-push", "manual"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", hook["minimum_pre_commit_version"])


def test_the_hook_takes_images_that_the_core_opens(hook: dict[str, Any]) -> None:
    """Extensions that the library `identify` 2.6.19 tags as images, and their other tag."""
    tagged = {
        "avif": "avif",
        "bmp": "bitmap",
        "gif": "gif",
        "jpeg": "jpeg",
        "jpg": "jpeg",
        "png": "png",
        "ppm": "ppm",
        "svg": "svg",
        "tif": "tiff",
        "tiff": "tiff",
        "webp": "webp",
    }
    assert hook["types"] == ["image"]
    taken = {f".{extension}" for extension, tag in tagged.items() if tag not in hook["exclude_types"]}
    families = [family for family in formats.FORMATS.values() if family.plugin is None]
    opened = {extension for family in families for extension in family.extensions}
    assert taken <= opened
    assert all(taken & set(family.extensions) for family in families)


@pytest.fixture
def pictures(tmp_path: Path, authority: Authority) -> Path:
    (tmp_path / "sub folder").mkdir()
    for name in ("plain.png", "sub folder/-dash.png", "--exit-zero.png"):
        (tmp_path / name).write_bytes(encoded("PNG"))
    data = bytearray(sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="a")))
    data[-20] ^= 1
    (tmp_path / "changed.jpg").write_bytes(data)
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [(["plain.png", "sub folder/-dash.png", "--exit-zero.png"], 0), (["changed.jpg"], 1), (["cut.jpg"], 3)],
)
def test_the_hook_without_a_policy(hook: dict[str, Any], pictures: Path, names: list[str], code: int) -> None:
    done = run_hook(hook, names, cwd=pictures)
    assert done.returncode == code, done.stdout + done.stderr


def test_the_hook_finds_the_policy(hook: dict[str, Any], pictures: Path) -> None:
    (pictures / "assay.toml").write_text('[[rules]]\nid = "credentials-required"\n')
    done = run_hook(hook, ["--exit-zero.png"], cwd=pictures)
    assert done.returncode == 1
    assert "credentials-required" in done.stdout


def run_hook(hook: Mapping[str, Any], names: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As pre-commit runs it: the entry, the arguments, the names."""
    program, *entry = shlex.split(hook["entry"])
    command = [BIN / program, *entry, *hook["args"], *names]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


# --- our own commits --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_hooks(repo_root: Path) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((repo_root / ".pre-commit-config.yaml").read_text())
    return {hook["id"]: hook | {"repo": repo} for repo in document["repos"] for hook in repo["hooks"]}


def test_commits_are_checked_by_the_tools_of_the_environment(
    own_hooks: dict[str, dict[str, Any]], repo_root: Path
) -> None:
    local = [shlex.split(hook["entry"]) for hook in own_hooks.values() if hook["repo"]["repo"] == "local"]
    for program, *_ in local:
        assert Path(program).parent == Path(".venv/bin")
        assert (BIN / Path(program).name).exists(), program
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (repo_root / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    linted = {tuple(shlex.split(line.replace("$(BIN)/", ""))[:2]) for line in recipe[1].splitlines()}
    hooked = {(Path(program).name, *arguments)[:2] for program, *arguments in local}
    assert linted <= hooked


def test_foreign_hooks_are_pinned(own_hooks: dict[str, dict[str, Any]], repo_root: Path) -> None:
    text = (repo_root / ".pre-commit-config.yaml").read_text()
    revisions = {hook["repo"]["rev"] for hook in own_hooks.values() if hook["repo"]["repo"] != "local"}
    for revision in revisions:
        assert re.search(rf"rev: {revision}  # frozen: v\d+\.\d+\.\d+$", text, re.MULTILINE)
        assert re.fullmatch(r"[0-9a-f]{40}", revision)


def test_what_is_in_the_repository_passes_them(own_hooks: dict[str, dict[str, Any]], tree: Path) -> None:
    (argument,) = own_hooks["check-added-large-files"]["args"]
    limit = int(argument.removeprefix("--maxkb=")) * 1024
    weights = re.compile(own_hooks["check-added-large-files"]["exclude"])
    excluded = re.compile(own_hooks["detect-private-key"]["exclude"])
    first_line = re.compile(rb"BEGIN (RSA |DSA |EC |OPENSSH |ENCRYPTED )?PRIVATE" + rb" KEY")
    flagged = set()
    for path in tree.rglob("*"):
        if path.is_file():
            assert path.stat().st_size <= limit or weights.search(path.name), path
            if first_line.search(path.read_bytes()):
                flagged.add(str(path.relative_to(tree)))
    assert {name for name in flagged if excluded.search(name)} == flagged
    assert len(flagged) == 2, "an exclusion that is not needed hides the next key"


# --- continuous integration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 2])
def test_continuous_integration_runs_what_everybody_runs(repo_root: Path, tmp_path: Path, code: int) -> None:
    script = repo_root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    make = tmp_path / "make"
    make.write_text(f'#!/usr/bin/env bash\necho "$PWD: make $*"\nexit {code}\n')
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, f"{repo_root}: make test\n")


def test_pip_knows_the_names_of_what_it_installs(repo_root: Path) -> None:
    for text in project(repo_root)["dependencies"]:
        name = Requirement(text).name
        assert canonicalize_name(name) == name
