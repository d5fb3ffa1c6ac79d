"""Rules about Content Credentials: are there any, do they hold, and who signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.rules.rule import Context, Rule, is_unchecked, parameter
from assay.vocabulary import Attestation, History, Integrity, Manifest, Report, Signer

_CHECK = "credentials"
_NONE = "it has no Content Credentials"
_BROKEN = {
    Integrity.BROKEN: "its Content Credentials do not match the file",
    Integrity.MALFORMED: "its Content Credentials break the C2PA standard",
    Integrity.UNCOVERED: "the signature in its Content Credentials does not cover the picture",
}
_UNCHECKED = "its Content Credentials could not be checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRequired(Rule):
    """The file carries Content Credentials."""

    id = "credentials-required"
    why = "Credentials are lost without a trace when a tool in the pipeline strips or re-encodes the file."
    remedy = "Publish a copy that was signed last, after every resize and conversion."

    state: str = parameter(
        "how sound they must be: any that are in the file; those that verify; or those of a trusted signer",
        default="present",
        choices=("present", "intact", "trusted"),
    )

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when no attestation reaches the state."""
        found = attestations(report)
        if not found:
            yield _absence(report)
        elif not any(self._suffices(each) for each in found):
            yield f"its Content Credentials are not {self.state}: {_states(found)}"

    def _suffices(self, attestation: Attestation) -> bool:
        match self.state:
            case "trusted":
                return attestation.is_signed
            case "intact":
                return holds(attestation)
            case _:
                return attestation.integrity not in (Integrity.NOT_FETCHED, Integrity.UNCOVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsVerify(Rule):
    """Content Credentials, where there are any, match the file, and their signature covers the picture."""

    id = "credentials-verify"
    why = "Readers' software shows a warning on a file that was changed after it was signed."
    remedy = "Find the step that changes the file after signing, and sign after it."

    strict: bool = parameter("credentials that could not be checked or were not fetched count too", default=False)

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when a signature does not match; with `strict`, also when nobody could tell."""
        found = attestations(report)
        states = {each.integrity for each in found}
        if broken := next((words for integrity, words in _BROKEN.items() if integrity in states), None):
            yield broken
        elif self.strict and any(each.integrity is Integrity.NOT_FETCHED for each in found):
            yield "its Content Credentials lie elsewhere and were not fetched"
        elif self.strict and not found and is_unchecked(report, _CHECK):
            yield _UNCHECKED


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryIntact(Rule):
    """No earlier version in the history of the credentials was changed after it was signed."""

    id = "history-intact"
    why = "Signing an edit of a tampered file gives a valid signature; only its history shows the break."
    remedy = "Go back to the last version whose own credentials verify, and edit that one."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message per attestation with a broken history, naming the status codes."""
        for each in attestations(report):
            if each.integrity is Integrity.INTACT and each.history is History.BROKEN:
                codes = sorted(set(_failures(each.manifest)))
                yield "an earlier version in its history does not verify" + (f" ({', '.join(codes)})" if codes else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerTrusted(Rule):
    """The chosen trust list vouches for the signer."""

    id = "signer-trusted"
    why = "Anybody can sign with a certificate of their own making; only a trust list says who stands behind it."
    remedy = "Have the file signed with a certificate of the list, or add the signer's issuer with `assay trust add`."

    allow_unsigned: bool = parameter("a file without credentials passes", default=False)

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when no attestation is intact, of a trusted signer and with an intact history."""
        if not any(each.is_signed for each in attestations(report)):
            yield from _untrusted(report, allow_unsigned=self.allow_unsigned)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerAllowed(Rule):
    """The signer is trusted and on the publisher's own list.

    The text in a certificate proves nothing by itself, so only a signature that is intact and trusted, with a history
    that holds, is compared. Of each list that is given, one entry has to match, letter by letter.
    """

    id = "signer-allowed"
    why = "A trust list vouches for hundreds of signers; a desk publishes the work of a few."
    remedy = "Have the file signed by one of the listed signers, or add this one to the list."

    organisations: tuple[str, ...] = parameter("organisation (O) of the signer's certificate", default=())
    common_names: tuple[str, ...] = parameter("common name (CN) of the signer's certificate", default=())
    issuers: tuple[str, ...] = parameter("issuer of the signer's certificate", default=())
    allow_unsigned: bool = parameter("a file without credentials passes", default=False)

    def problem(self) -> str | None:
        """At least one list is needed."""
        lists = (self.organisations, self.common_names, self.issuers)
        return None if any(lists) else "Give 'organisations', 'common_names' or 'issuers'."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when no trusted signer is on the lists."""
        trusted = [each.signer for each in attestations(report) if each.is_signed and each.signer]
        if not trusted:
            yield from _untrusted(report, allow_unsigned=self.allow_unsigned)
        elif not any(self._lists(signer) for signer in trusted):
            yield "its signer is trusted but not on the list of allowed signers"

    def _lists(self, signer: Signer) -> bool:
        return (
            (not self.organisations or signer.organisation in self.organisations)
            and (not self.common_names or signer.common_name in self.common_names)
            and (not self.issuers or signer.issuer in self.issuers)
        )


def attestations(report: Report) -> tuple[Attestation, ...]:
    """Every manifest that was found, whatever its state."""
    return tuple(outcome for outcome in report.outcomes if isinstance(outcome, Attestation))


def holds(attestation: Attestation) -> bool:
    """Does the signature match the file, and every earlier version its own?"""
    return attestation.integrity is Integrity.INTACT and attestation.history is History.INTACT


def _absence(report: Report) -> str:
    return _UNCHECKED if is_unchecked(report, _CHECK) else _NONE


def _untrusted(report: Report, *, allow_unsigned: bool) -> Iterator[str]:
    found = attestations(report)
    if found:
        yield f"its Content Credentials are not those of a trusted signer: {_states(found)}"
    elif not allow_unsigned or is_unchecked(report, _CHECK):
        yield _absence(report)


def _states(found: tuple[Attestation, ...]) -> str:
    return ", ".join(sorted({each.state for each in found}))


def _failures(root: Manifest | None) -> Iterator[str]:
    nodes = [root] if root else []
    while nodes:
        node = nodes.pop()
        yield from node.failures
        nodes.extend(node.ingredients)
