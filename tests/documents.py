"""Parts of the docs that come from the code: `make docs` rewrites them, and a test holds them to it.

A part stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from assay import catalog, rules
from assay.cli import parser
from assay.jobs.verify import examine
from assay.vocabulary import Attestation, History, Integrity, Report, Settings, Severity, Trust
from tests.assay.report import samples
from tests.conftest import REPO_ROOT, SHARED
from tests.forensics.shapes import names_table, shapes_table
from tests.round_trip import round_trip_table


def checks_table() -> str:
    """Every check: its id, where it runs, its claims, its first line."""
    rows = ["| check | looks at | may speak about | |", "| --- | --- | --- | --- |"]
    for name, kind in catalog.check_types().items():
        what = "the file" if name in catalog.FILE_CHECKS else "the pixels"
        claims = ", ".join(sorted(kind.claims)) or "nothing by itself"
        first = (inspect.getdoc(kind) or "").partition("\n")[0]
        rows.append(f"| `{name}` | {what} | {claims} | {first} |")
    return "\n".join(rows)


def states_table() -> str:
    """Every state of an attestation, from the enums that make it up."""
    rows = ["| integrity | signer | history | the words |", "| --- | --- | --- | --- |"]
    seen = set()
    for integrity in Integrity:
        for history in (History.BROKEN, History.INTACT):
            for trust in Trust:
                state = _state(integrity, trust, history)
                if (integrity, state) in seen:
                    continue
                seen.add((integrity, state))
                is_intact = integrity is Integrity.INTACT
                signer = trust.value if is_intact and history is History.INTACT else "any"
                past = history.value if is_intact else "any"
                rows.append(f"| {integrity.value} | {signer} | {past} | *{state}* |")
    return "\n".join(rows)


def _state(integrity: Integrity, trust: Trust, history: History) -> str:
    return Attestation.state.fget(  # type: ignore[attr-defined,no-any-return]
        type("Fields", (), {"integrity": integrity, "trust": trust, "history": history})()
    )


def verify_help() -> str:
    """`assay verify --help`."""
    return _help("verify")


def generate_help() -> str:
    """`assay generate --help`."""
    return _help("generate")


def dashboard_help() -> str:
    """`assay dashboard --help`."""
    return _help("dashboard")


def scan_help() -> str:
    """`assay scan --help`."""
    return _help("scan")


def evaluate_help() -> str:
    """`assay evaluate --help`."""
    return _help("evaluate")


def _help(command: str) -> str:
    """100 columns wide."""
    columns, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "100"
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
            parser().parse_args([command, "--help"])
    finally:
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    return f"```\n{out.getvalue().rstrip()}\n```"


_IMPLIED = {
    "signingCredential.expired": "intact, signer's certificate expired",
    "": "intact, signer unknown",
}
_EXPLAINED = {
    "CIE-sig": "The signer wrote down, when adding the ingredient, that its claim signature does not verify "
    "(C2PA 2.2, sections 15.11.3 and 18.16.12). The active manifest holds, so the break is in the history.",
    "truepic": "The range left out of the hash is not the manifest's own range (C2PA 2.2, section 15.12.1): whatever "
    "stands there could be replaced. Accepted in 2022, refused since.",
    "E-uri-CIE-sig": "As above; a changed assertion of the ingredient comes on top. The active manifest holds.",
}


def implied_by_publisher(folder: Path, stem: str) -> str:
    """The state that a public test file's name and the `manifest_store.json` beside it imply."""
    store = folder / "manifests" / stem / "manifest_store.json"
    if not store.exists():  # A and I were never signed
        return "no credentials"
    statuses = [status["code"] for status in json.loads(store.read_text()).get("validation_status", [])]
    if not statuses or "signingCredential.expired" in statuses:
        return _IMPLIED["signingCredential.expired" if statuses else ""]
    return "does not verify"


def public_states() -> Iterator[tuple[str, str, str, str]]:
    """Every public test image: its name, what is implied, what Assay reads without any trust list, the difference."""
    folder = SHARED / "c2pa" / "public-testfiles" / "image" / "jpeg"
    paths = sorted(folder.glob("*.jp*g"))
    with tempfile.TemporaryDirectory() as nobody:
        for path, report in zip(
            paths, examine(paths, settings=Settings(home=Path(nobody), skip=("detector",))), strict=True
        ):
            outcome = report.outcomes[0]
            state = outcome.state if isinstance(outcome, Attestation) else "no credentials"
            implied = implied_by_publisher(folder, path.stem)
            keys = [key for key in _EXPLAINED if key in path.stem]
            why = _EXPLAINED[max(keys, key=len)] if keys and state != implied else ""
            yield path.name, implied, state, why


def public_table() -> str:
    """The table of `docs/public-testfiles.md`."""
    rows = ["| file | its name and store imply | Assay reads | the difference |", "| --- | --- | --- | --- |"]
    rows += [f"| {name} | {implied} | {state} | {why} |" for name, implied, state, why in public_states()]
    return "\n".join(rows)


_POLICIES = {
    "A newsroom's verification desk": "newsroom",
    "A trust-and-safety team": "trust and safety",
    "A website, in continuous integration": "website",
}
_ABOUT_CREDENTIALS = ("credentials-", "signer-", "signature-", "certificate-", "history-", "no-ai", "no-undeclared-ai")


def policies_table() -> str:
    """What the three policies of `docs/rules.md` say of every state of credentials."""
    text = (REPO_ROOT / "docs" / "rules.md").read_text()
    names = list(_POLICIES.values())
    rows = [f"| state | verdict | {' | '.join(names)} |", f"| --- | --- |{' --- |' * len(names)}"]
    policies = [_policy(text, heading) for heading in _POLICIES]
    for report in (*samples.all_kinds()[:3], *samples.all_states()):
        state = next(each.state for each in report.outcomes if isinstance(each, Attestation))
        cells = ["; ".join(_broken(policy, report)) or "nothing" for policy in policies]
        rows.append(f"| *{state}* | {report.verdict.headline} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _policy(text: str, heading: str) -> rules.Policy:
    block = re.search(rf"### {re.escape(heading)}\n.*?```toml\n(.*?)```", text, re.DOTALL)
    if block is None:
        raise ValueError(f"no policy under {heading}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("pyproject.toml" if "tool.assay" in block[1] else "assay.toml")
        path.write_text(block[1].replace("Example Press", samples.NEWSROOM.organisation))
        return rules.load(path)


def _broken(policy: rules.Policy, report: Report) -> Iterator[str]:
    (judged,) = rules.evaluate(policy, [report], today=samples.TODAY, whatever_paths=True)
    for violation in judged.violations:
        if violation.rule.startswith(_ABOUT_CREDENTIALS):
            yield f"`{violation.rule}`" + (" (warning)" if violation.severity is Severity.WARNING else "")


PARTS: Mapping[tuple[str, str], Callable[[], str]] = {
    ("docs/round-trip.md", "modes"): round_trip_table,
    ("docs/checks.md", "checks"): checks_table,
    ("docs/credentials.md", "states"): states_table,
    ("docs/metadata.md", "shapes"): shapes_table,
    ("docs/metadata.md", "names"): names_table,
    ("docs/rules.md", "policies"): policies_table,
    ("docs/rules.md", "rules"): rules.table_markdown,
    ("docs/verify.md", "help"): verify_help,
    ("docs/dashboard.md", "dashboard"): dashboard_help,
    ("docs/scan.md", "scan"): scan_help,
    ("docs/generate.md", "generate"): generate_help,
    ("docs/detector.md", "evaluate"): evaluate_help,
}
SHARED_PARTS: Mapping[tuple[str, str], Callable[[], str]] = {("docs/public-testfiles.md", "public"): public_table}
"""Parts that need the public test files, which are not in the repository."""


def between(text: str, name: str) -> re.Match[str]:
    """The part of that name.

    Raises:
        ValueError: The document has no such part.
    """
    found = re.search(rf"(?<=<!-- {name}:begin -->\n).*?(?=<!-- {name}:end -->)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"no part named {name}")
    return found


def main() -> None:
    """Rewrite every part."""
    available = {**PARTS, **SHARED_PARTS} if SHARED.is_dir() else PARTS
    for (file, name), make in available.items():
        path = REPO_ROOT / file
        text = path.read_text()
        part = between(text, name)
        path.write_text(text[: part.start()] + make().rstrip("\n") + "\n" + text[part.end() :])


if __name__ == "__main__":
    main()
