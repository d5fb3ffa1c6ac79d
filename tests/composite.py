"""Runs the shell steps of a composite GitHub action the way its runner does, on this machine and without a network.

A step gets its `env:` with expressions replaced, `bash --noprofile --norc -eo pipefail`, and a file for its outputs.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Outputs = Mapping[str, Mapping[str, str]]
"""Outputs of earlier steps, by the steps' ids."""

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_REFERENCE = re.compile(r"inputs\.(?P<input>[a-z-]+)|steps\.(?P<step>[a-z-]+)\.outputs\.(?P<output>[a-z-]+)")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a step."""

    code: int
    log: str
    outputs: Mapping[str, str]


class Action:
    """A composite action."""

    def __init__(self, path: Path) -> None:
        self.document: dict[str, Any] = yaml.safe_load(path.read_text())
        self.folder = path.parent
        self.steps: list[dict[str, Any]] = self.document["runs"]["steps"]

    def step(self, name: str) -> dict[str, Any]:
        (step,) = (step for step in self.steps if step["name"] == name)
        return step

    def environment(self, name: str, inputs: Mapping[str, str], outputs: Outputs) -> dict[str, str]:
        """The step's own variables; inputs that are not given have their default, outputs that are not there are empty.

        Raises:
            ValueError: An input does not exist, or an expression is more than a reference to an input or an output.
        """
        if unknown := set(inputs) - set(self.document["inputs"]):
            raise ValueError(f"no such input: {unknown}")
        return {key: self._filled(text, inputs, outputs) for key, text in self.step(name).get("env", {}).items()}

    def _filled(self, text: str, inputs: Mapping[str, str], outputs: Outputs) -> str:
        """A text of a step with its expressions replaced."""
        given = {key: inputs.get(key, declared["default"]) for key, declared in self.document["inputs"].items()}

        def value(found: re.Match[str]) -> str:
            reference = _REFERENCE.fullmatch(found.group(1))
            if reference is None:
                raise ValueError(f"not a reference: {found.group()}")
            if name := reference["input"]:
                return given[name]
            return outputs.get(reference["step"], {}).get(reference["output"], "")

        return _EXPRESSION.sub(value, text)

    def run(
        self,
        name: str,
        *,
        workspace: Path,
        temporary: Path,
        inputs: Mapping[str, str] | None = None,
        outputs: Outputs | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run one shell step."""
        script, written = temporary / "step.sh", temporary / "outputs"
        script.write_text(self.step(name)["run"])
        written.write_text("")
        own = self.environment(name, inputs or {}, outputs or {})
        runner = {
            "GITHUB_ACTION_PATH": str(self.folder),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(temporary),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=workspace / self._filled(self.step(name).get("working-directory", "."), inputs or {}, outputs or {}),
            env={**os.environ, **(environment or {}), **runner, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        return Ran(code=done.returncode, log=done.stdout, outputs=parse_outputs(written.read_text()))


def parse_outputs(text: str) -> dict[str, str]:
    """The outputs in a file of commands: `name=value`, or `name<<END`, lines, `END`.

    Raises:
        ValueError: A line is neither, or an end is missing.
    """
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        single, multiple = re.fullmatch(r"([\w-]+)=(.*)", line), re.fullmatch(r"([\w-]+)<<(.+)", line)
        if single:
            outputs[single[1]] = single[2]
        elif multiple:
            value = []
            while (following := next(lines, None)) != multiple[2]:
                if following is None:
                    raise ValueError(f"{multiple[1]} does not end")
                value.append(following)
            outputs[multiple[1]] = "\n".join(value)
        else:
            raise ValueError(f"not an output: {line!r}")
    return outputs
