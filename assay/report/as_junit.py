"""Reports as JUnit XML: one test suite, one test case an image, as CI systems show them.

An image fails where it breaks a rule of severity error. One that could not be examined is an error, or skipped where a
baseline accepts that. The whole report in words, warnings included, stands in `system-out`. A verdict by itself is no
failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from assay.report import as_text, wording
from assay.report.escape import visible
from assay.report.wording import plural
from assay.vocabulary import Report, Severity, Violation


def render(reports: Sequence[Report]) -> str:
    """One `testsuites` document. Characters that XML 1.0, section 2.2, forbids are written as escapes."""
    cases = [_case(report) for report in reports]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    root = Element("testsuites", counts)
    suite = SubElement(root, "testsuite", {"name": "assay", **counts})
    if reports:
        suite.append(_properties(reports[0]))
    suite.extend(cases)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _properties(report: Report) -> Element:
    tools = report.tools
    facts = {
        "assay": tools.assay,
        **tools.libraries,
        "trust profile": tools.trust.profile,
        "trust list sha256": tools.trust.sha256,
    }
    properties = Element("properties")
    for name, value in facts.items():
        SubElement(properties, "property", {"name": visible(name), "value": visible(value)})
    return properties


def _case(report: Report) -> Element:
    name = visible(report.exhibit.name)
    case = Element("testcase", {"classname": "assay.verify", "name": name, "file": name})
    errors = [violation for violation in report.violations if violation.severity is Severity.ERROR]
    if errors:
        failure = SubElement(case, "failure", {"type": _rules(errors), "message": _headline(errors)})
        failure.text = "\n".join(_words(violation) for violation in errors)
    if report.failures_accepted and not errors:
        SubElement(case, "skipped", {"message": wording.ACCEPTED})
    elif report.failures and not report.failures_accepted:
        hints = "\n".join(f"{visible(each.error)}\n  hint: {visible(each.hint)}" for each in report.failures)
        message = visible(report.failures[0].error)
        SubElement(case, "error", {"type": "could not be examined", "message": message}).text = hints
    SubElement(case, "system-out").text = as_text.render([report])
    return case


def _rules(errors: Sequence[Violation]) -> str:
    return " ".join(dict.fromkeys(visible(violation.rule) for violation in errors))


def _headline(errors: Sequence[Violation]) -> str:
    if len(errors) == 1:
        return f"{visible(errors[0].rule)}: {visible(errors[0].message)}"
    return f"{plural(len(errors), 'broken rule')}: {_rules(errors)}"


def _words(violation: Violation) -> str:
    return f"{visible(violation.rule)}: {visible(violation.message)}\n  remedy: {visible(violation.remedy)}"
