"""From a TOML file to a policy. Whatever is wrong with the file is an error that names the place and the remedy."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from assay.errors import PolicyError
from assay.rules.globs import Glob
from assay.rules.model import AppliedRule, Exemption, Policy
from assay.rules.parameters import build, parameters, texts, unknown
from assay.rules.registry import EXPIRED_EXCEPTION, RULES
from assay.vocabulary import Severity

FILE = "assay.toml"
PROJECT_FILE = "pyproject.toml"

_RULE_KEYS = ("id", "name", "severity", "paths", "exclude")
_EXCEPTION_KEYS = ("rule", "paths", "sha256", "reason", "expires")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_EXAMPLE = 'Begin with:  [[rules]]  and below it  id = "credentials-required".'


def load(path: Path) -> Policy:
    """Read the publisher's rules.

    Args:
        path: An `assay.toml`, or a `pyproject.toml` whose table `tool.assay` holds the same keys.

    Raises:
        PolicyError: The file cannot be read, is not TOML, has no rules, or says something that has no meaning.
    """
    file = Path(os.path.abspath(path))  # noqa: PTH100 - a link's own folder counts, not that of its target
    section = _section(_parse(file), file)
    for key in section:
        if key not in ("rules", "exceptions"):
            raise unknown("key", key, ("rules", "exceptions"), where=str(file))
    rules = tuple(_rule(table, where) for table, where in _tables(section, "rules", file))
    if not rules:
        raise PolicyError(f"{file}: there are no rules in it, so every file would pass", hint=_EXAMPLE)
    _refuse_duplicates(rules, file)
    names = tuple(rule.name for rule in rules)
    exceptions = tuple(_exemption(table, where, names) for table, where in _tables(section, "exceptions", file))
    return Policy(file=file, rules=rules, exceptions=exceptions)


def discover(start: Path) -> Path | None:
    """The nearest policy, from a folder upwards.

    Args:
        start: Where to begin, usually the current folder.

    Returns:
        `assay.toml`, or else a `pyproject.toml` with a table `tool.assay`, of the first folder that has one. A
        `pyproject.toml` that is no TOML but mentions `tool.assay` counts, so that `load` names its fault: a gate that a
        slip of the pen switches off is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if _holds_rules(folder / PROJECT_FILE):
            return folder / PROJECT_FILE
    return None


def _holds_rules(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    try:
        tool = tomllib.loads(data.decode()).get("tool")
    except (ValueError, RecursionError):
        return b"tool.assay" in data
    return isinstance(tool, dict) and "assay" in tool


def _parse(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PolicyError(f"{file}: cannot be read: {reason}", hint="Check the path given to --policy.") from error
    try:
        return tomllib.loads(data.decode())
    except RecursionError as error:
        raise PolicyError(f"{file}: is nested too deeply", hint="A policy needs three levels.") from error
    except ValueError as error:  # not only TOMLDecodeError: bytes that are no UTF-8, numbers of ten thousand digits
        raise PolicyError(f"{file}: is not TOML: {error}", hint="Correct the file there.") from error


def _section(document: dict[str, Any], file: Path) -> dict[str, Any]:
    if file.name != PROJECT_FILE:
        return document
    tool = document.get("tool", {})
    section = tool.get("assay", {}) if isinstance(tool, dict) else {}
    if not isinstance(section, dict):
        raise PolicyError(f"{file}: 'tool.assay' is not a table", hint="Write [[tool.assay.rules]].")
    return section


def _tables(section: dict[str, Any], key: str, file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each table under the key, with the words that say where it stands."""
    listed = section.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
        raise PolicyError(f"{file}: '{key}' is not a list of tables", hint=f"Write [[{key}]], in two brackets.")
    label = {"rules": ("rule", "name", "id"), "exceptions": ("exception", "rule")}[key]
    for number, table in enumerate(listed, start=1):
        name = next((table[word] for word in label[1:] if isinstance(table.get(word), str)), None)
        yield table, f"{file}: {label[0]} {number}" + (f" ({name})" if name else "")


def _rule(table: Mapping[str, Any], where: str) -> AppliedRule:
    rule_id = _text(table, "id", where)
    if rule_id not in RULES:
        raise unknown("rule", rule_id, RULES, where=where)
    given = {key: value for key, value in table.items() if key not in _RULE_KEYS}
    known = tuple(item.name for item in parameters(RULES[rule_id]))
    for key in given:
        if key not in known:
            raise unknown("key", key, (*_RULE_KEYS, *known), where=where)
    rule = build(RULES[rule_id], given, where=where)
    return AppliedRule(
        name=_name(table, rule_id, where),
        rule=rule,
        severity=_severity(table, rule_id, where),
        paths=_globs(table, "paths", where),
        exclude=_globs(table, "exclude", where),
    )


def _name(table: Mapping[str, Any], rule_id: str, where: str) -> str:
    if "name" not in table:
        return rule_id
    name = _text(table, "name", where)
    if not _NAME.fullmatch(name):
        raise PolicyError(
            f"{where}: the name holds more than letters, digits, '.', '_' and '-'",
            hint="Choose a name like 'desk-photos-signed'.",
        )
    if name != rule_id and (name in RULES or name == EXPIRED_EXCEPTION):
        raise PolicyError(f"{where}: '{name}' already means another rule", hint="Choose another name.")
    return name


def _severity(table: Mapping[str, Any], rule_id: str, where: str) -> Severity:
    allowed = RULES[rule_id].severities
    if "severity" not in table:
        return allowed[0]
    given = _text(table, "severity", where)
    if given not in tuple(Severity):
        raise unknown("severity", given, Severity, where=where)
    if given not in allowed:
        raise PolicyError(
            f"{where}: the severity cannot be '{given}': {RULES[rule_id].why}",
            hint=f'Write severity = "{allowed[0]}", or leave the key out.',
        )
    return Severity(given)


def _exemption(table: Mapping[str, Any], where: str, names: tuple[str, ...]) -> Exemption:
    for key in table:
        if key not in _EXCEPTION_KEYS:
            raise unknown("key", key, _EXCEPTION_KEYS, where=where)
    rule = _text(table, "rule", where)
    if rule not in names:
        raise unknown("rule of this policy", rule, names, where=where)
    if ("paths" in table) == ("sha256" in table):
        raise PolicyError(f"{where}: it needs either 'paths' or 'sha256'", hint="Say which files it is for, one way.")
    return Exemption(
        rule=rule,
        paths=_globs(table, "paths", where),
        sha256=_digests(table, where),
        reason=_text(table, "reason", where),
        expires=_date(table, "expires", where),
    )


def _digests(table: Mapping[str, Any], where: str) -> frozenset[str]:
    if "sha256" not in table:
        return frozenset()
    listed = texts(table["sha256"], where=f"{where}: 'sha256'")
    if not listed or not all(_SHA256.fullmatch(item) for item in listed):
        raise PolicyError(f"{where}: 'sha256' is not a list of sha256 digests", hint="Each has 64 hexadecimal digits.")
    return frozenset(item.lower() for item in listed)


def _globs(table: Mapping[str, Any], key: str, where: str) -> tuple[Glob, ...]:
    if key not in table:
        return ()
    patterns = texts(table[key], where=f"{where}: '{key}'")
    if not patterns and key == "paths":
        raise PolicyError(f"{where}: 'paths' is empty", hint="Leave it out to mean every file.")
    return tuple(_glob(pattern, f"{where}: '{key}'") for pattern in patterns)


def _glob(pattern: str, where: str) -> Glob:
    try:
        return Glob(pattern)
    except ValueError as error:
        raise PolicyError(f"{where}: the pattern '{pattern}' cannot be used", hint=f"In it, {error}.") from error


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    if key not in table:
        raise PolicyError(f"{where}: '{key}' is missing", hint=f'Add  {key} = "…".')
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{where}: '{key}' is not a text, or is empty", hint=f'Write  {key} = "…".')
    return value


def _date(table: Mapping[str, Any], key: str, where: str) -> date:
    if key not in table:
        raise PolicyError(f"{where}: '{key}' is missing", hint="Say until when, such as  expires = 2027-01-31.")
    value = table[key]
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PolicyError(f"{where}: '{key}' is not a date", hint="Write it without quotes:  expires = 2027-01-31.")
    return value


def _refuse_duplicates(rules: tuple[AppliedRule, ...], file: Path) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise PolicyError(
                f"{file}: two rules are called '{rule.name}'",
                hint="Give each a 'name' of its own; it may differ freely.",
            )
        seen.add(rule.name)
