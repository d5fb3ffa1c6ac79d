"""The publisher's rules: what a published image has to satisfy, and which files do not.

    from assay.rules import evaluate, load

    policy = load(Path("assay.toml"))
    for report in evaluate(policy, reports, today=datetime.now(UTC).date()):
        for violation in report.violations:
            ...

A new rule is one dataclass in the file of its subject and one line in `assay/rules/registry.py`.
"""

from assay.rules.baseline import Baseline, read_baseline, write_baseline
from assay.rules.evaluation import (
    applicable,
    covering_exceptions,
    evaluate,
    find_masters,
    violations,
    without_known,
)
from assay.rules.loading import discover, load
from assay.rules.model import AppliedRule, Exemption, Policy
from assay.rules.registry import EXPIRED_EXCEPTION, RULES, describe, table, table_markdown
from assay.rules.rule import Context, Rule

__all__ = [
    "EXPIRED_EXCEPTION",
    "RULES",
    "AppliedRule",
    "Baseline",
    "Context",
    "Exemption",
    "Policy",
    "Rule",
    "applicable",
    "covering_exceptions",
    "describe",
    "discover",
    "evaluate",
    "find_masters",
    "load",
    "read_baseline",
    "table",
    "table_markdown",
    "violations",
    "without_known",
    "write_baseline",
]
