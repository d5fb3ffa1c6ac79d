"""Every rule by its id, and what people read about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING

from assay.rules.ai import AiMarkKept, DetectorAdvisory, NoAi, NoPrompt, NoUndeclaredAi
from assay.rules.credentials import (
    CredentialsRequired,
    CredentialsVerify,
    HistoryIntact,
    SignerAllowed,
    SignerTrusted,
)
from assay.rules.files import AllowedFormat, Readable
from assay.rules.metadata import NoContradictions, NoPersonalData, RightsConsistent, RightsPresent
from assay.rules.parameters import Parameter, parameters
from assay.rules.rule import Rule
from assay.rules.validity import CertificateValidity, SignatureTimestamped, TrustListFresh

RULES: Mapping[str, type[Rule]] = {
    rule.id: rule
    for rule in (
        Readable,
        AllowedFormat,
        CredentialsRequired,
        CredentialsVerify,
        HistoryIntact,
        SignerTrusted,
        SignerAllowed,
        SignatureTimestamped,
        CertificateValidity,
        TrustListFresh,
        NoUndeclaredAi,
        NoAi,
        AiMarkKept,
        DetectorAdvisory,
        NoPrompt,
        RightsPresent,
        RightsConsistent,
        NoPersonalData,
        NoContradictions,
    )
}

EXPIRED_EXCEPTION = "expired-exception"
"""What a violation is called that reports an exception past its date. No rule may have this name."""

_COLUMNS = ("rule", "what it asks", "severity", "parameters")


def describe(rule_id: str) -> str:
    """Everything about one rule, as `assay explain` prints it.

    Raises:
        KeyError: No rule has that id.
    """
    rule = RULES[rule_id]
    docstring = "\n".join(line.strip() for line in (rule.__doc__ or "").strip().splitlines())
    settings = [f"  {_signature(item)}\n      {_meaning(item)}" for item in parameters(rule)]
    sections = [
        f"{rule.id}: {docstring}",
        f"Why: {rule.why}",
        f"Remedy: {rule.remedy}",
        f"Severity: {_severities(rule)}",
        "Parameters:\n" + "\n".join(settings) if settings else "",
    ]
    return "\n\n".join(section for section in sections if section)


def table() -> list[tuple[str, str, str, str]]:
    """One row per rule: id, title, severities with the default first, parameters with their defaults."""
    return [
        (rule.id, rule.title(), _severities(rule), "; ".join(_signature(item) for item in parameters(rule)))
        for rule in RULES.values()
    ]


def table_markdown() -> str:
    """The table of `docs/rules.md`, ending in a newline."""
    rows = [
        (f"`{name}`", title, severity, "<br>".join(f"`{part}`" for part in settings.split("; ") if part))
        for name, title, severity, settings in table()
    ]
    lines = [_COLUMNS, tuple("---" for _ in _COLUMNS), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _severities(rule: type[Rule]) -> str:
    default, *others = (severity.value for severity in rule.severities)
    return f"{default}, or {others[0]}" if others else f"{default} only"


def _signature(item: Parameter) -> str:
    value = f"{item.name} = {_toml(item.default)}" if _is_given(item.default) else f"{item.name}: {item.kind}"
    return f"{value} (required)" if item.default is MISSING else value


def _meaning(item: Parameter) -> str:
    return f"{item.meaning} (choices: {', '.join(item.choices)})" if item.choices else item.meaning


def _is_given(default: object) -> bool:
    return default not in (MISSING, None, ())


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)
