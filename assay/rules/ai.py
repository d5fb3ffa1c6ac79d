"""Rules about generative AI: is its use declared where readers see it, kept through the pipeline, and wanted at all.

Two things are kept apart. A *signal* is anything that indicates AI: a manifest, a generator's text chunk, a watermark.
A *declaration* is a signal that readers of the published file are shown by their software. What a detector measured is
neither: it never speaks outside `detector-advisory`, and there only as a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from assay.policy import MIN_LOG10_LR, decide
from assay.rules.credentials import attestations
from assay.rules.globs import Glob
from assay.rules.rule import CARRIERS, Context, Rule, could_not_read, parameter
from assay.vocabulary import AiUse, Attestation, Basis, Claim, Integrity, Measurement, Observation, Report, Severity

AI_SIGNALS = frozenset(
    {
        "a1111-parameters",
        "bing",
        "comfyui-workflow",
        "digital-source-type",
        "firefly",
        "flux",
        "generator-named",
        "generator-settings",
        "google-ai",
        "history-declares",
        "hugging-face-job",
        "invokeai",
        "iptc-ai-fields",
        "midjourney",
        "novelai",
        "openai",
        "tc260-aigc",
        "unverified-credentials-declare",
        "xai-grok",
    }
)
"""The signals by which generators and editors declare their own part, in metadata and in a history of manifests."""

_EXTENT = {Claim.GENERATED: AiUse.FULLY, Claim.EDITED: AiUse.PARTLY}
_MADE = (Claim.GENERATED, Claim.OURS)
_DECLARED = (AiUse.PARTLY, AiUse.FULLY)


def _declarations() -> tuple[str, ...]:
    return parameter(  # type: ignore[no-any-return]
        "what counts as a declaration that readers see",
        default=("credentials", "digital-source-type"),
        choices=("credentials", "digital-source-type", "iptc-ai-fields", "tc260-aigc"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoUndeclaredAi(Rule):
    """Where anything indicates generative AI, the file declares it.

    Signals are the credentials (those that do not verify, too), the generators' metadata and watermarks; what a
    detector measured is not one. A declaration is AI use in Content Credentials that match the file, or an IPTC Digital
    Source Type with an AI term; where a signal speaks of the whole picture, it has to do so, too.
    """

    id = "no-undeclared-ai"
    why = "Readers, and in many places the law, expect AI-made pictures to be labelled in the file itself."
    remedy = "Declare it: sign the file with the matching digitalSourceType, or set the IPTC Digital Source Type."

    declarations: tuple[str, ...] = _declarations()

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming every signal, when there are some and none is a declaration."""
        signals = [(source, extent) for source, extent in ai_signals(report) if extent in _DECLARED]
        declared = set(_declarations_in(report, self.declarations))
        # A declaration that part of the picture is AI-made does not cover a sign that all of it is.
        enough = {AiUse.FULLY} if any(extent is AiUse.FULLY for _, extent in signals) else set(_DECLARED)
        sources = sorted({source for source, _ in signals})
        if sources and not declared & enough:
            where = "in what could be examined" if report.failures else "where readers see it"
            yield f"generative AI is indicated ({', '.join(sources)}) but not declared {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAi(Rule):
    """Nothing indicates generative AI, declared or not."""

    id = "no-ai"
    why = "Some desks publish no AI-made pictures at all, however well they are labelled."
    remedy = "Publish another picture, or move this one to where AI-made pictures are allowed."

    allow: tuple[str, ...] = parameter(
        "how much AI use passes; 'possible' stands for composites, digital art and screen captures",
        default=("possible",),
        choices=("possible", "in part"),
        may_be_empty=True,
    )

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming every signal whose extent is not allowed."""
        found = sorted({f"{source}: {extent}" for source, extent in ai_signals(report) if extent not in self.allow})
        if found:
            yield f"generative AI is indicated ({', '.join(found)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AiMarkKept(Rule):
    """A copy of a master that declares AI declares it too.

    The master is found by the copy's name without its extension (`{stem}`), among the files of the same run. Files
    without a path, such as uploads, are compared with each other by that name alone, and none of them counts as the
    master that `require_master` asks for.
    """

    id = "ai-mark-kept"
    why = "Resizers and content systems strip metadata, and the AI label with it."
    remedy = "Keep credentials and IPTC metadata through the pipeline, or sign the copy again with the declaration."

    masters: str = parameter("glob of the masters, such as 'masters/**/{stem}.*'")
    require_master: bool = parameter("a copy whose master was not part of the run counts too", default=True)
    declarations: tuple[str, ...] = _declarations()

    def problem(self) -> str | None:
        """The stem has to stand once, in a file name that is otherwise plain up to its extension."""
        folder, slash, name = self.masters.rpartition("/")
        stem = name.rpartition(".")[0]
        if stem.count("{stem}") != 1 or any(sign in stem for sign in "*?["):
            return "Write 'masters' as a folder and '{stem}.*': only the folder and the extension may hold wildcards."
        try:
            Glob(f"{folder}{slash}{name.replace('{stem}', '*')}")
        except ValueError as error:
            return f"In 'masters', {error}."
        return None

    def glob(self) -> Glob:
        """Matches every file that can be a master."""
        return Glob(self.masters.replace("{stem}", "*"))

    def check(self, report: Report, context: Context) -> Iterator[str]:
        """Yield one message when the master declares AI and the copy does not, or when no master was examined."""
        pattern = PurePosixPath(self.masters).name.rpartition(".")[0]
        wanted = pattern.replace("{stem}", PurePosixPath(context.name).stem)
        known = context.masters.get(self.masters, {})
        if (master := known.get(wanted)) and not declares_ai(report, self.declarations):
            copy = "could not be examined" if report.failures else "does not"
            who = f"its master {master}" if context.has_path else f"{master}, which may be its master,"
            yield f"{who} declares generative AI, and the copy {copy}"
        elif self.require_master and not (context.has_path and wanted in known):
            yield f"no examined file matches '{self.masters}', so its AI declaration cannot be compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPrompt(Rule):
    """No generator's prompt stands in the file.

    Both the metadata and the Content Credentials are looked through. Where one of them could not be read, nothing shows
    that no prompt stands there.
    """

    id = "no-prompt"
    why = "Prompts name people, clients and unpublished plans, and generators write them into the file in clear text."
    remedy = "Remove the generator's text chunks from the published copy, and declare the AI use instead."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when a prompt was found, which is not repeated, or else for what could not be read."""
        if any(isinstance(outcome, Observation) and outcome.signal == "prompt" for outcome in report.outcomes):
            yield "it contains a generator's prompt in clear text"
            return
        for check, place in CARRIERS.items():
            if could_not_read(report, check):
                yield f"{place} could not be read, so a prompt may stand there"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorAdvisory(Rule):
    """A detector's finding asks for a person to look.

    A file that declares its AI use is not reported: there is nothing left to find out.
    """

    id = "detector-advisory"
    why = "Detectors err, on press photographs too, so what one measured must never stop a file by itself."
    remedy = "Have a person compare the file with its source before it is published."
    severities = (Severity.WARNING,)

    min_log10_lr: float = parameter(
        "least log10 likelihood ratio that is reported; 1 means ten times likelier if the picture was generated",
        default=MIN_LOG10_LR,
        minimum=0,
    )

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message per detector that supports *generated*, when the file does not declare it."""
        if declares_ai(report, ("credentials", "digital-source-type")):
            return
        for outcome in report.outcomes:
            if isinstance(outcome, Measurement) and self._speaks(outcome):
                yield f"{outcome.check} measured a log10 likelihood ratio of {outcome.log10_lr:.1f} for generated"

    def _speaks(self, measurement: Measurement) -> bool:
        return (
            measurement.basis is Basis.MEASURED
            and measurement.claim in _MADE
            and measurement.log10_lr is not None
            and measurement.log10_lr >= self.min_log10_lr
        )


def ai_signals(report: Report) -> Iterator[tuple[str, AiUse]]:
    """Everything that indicates AI: where it stands, and how much of the picture it speaks of."""
    for outcome in report.outcomes:
        match outcome:
            case Observation(signal=signal, claim=Claim.GENERATED | Claim.EDITED as claim) if signal in AI_SIGNALS:
                yield signal, _EXTENT[claim]
            case Measurement(check=check, basis=Basis.MARKED):
                if decide((outcome,)).claim in _MADE:  # a watermark counts as found where the verdict counts it
                    yield check, AiUse.FULLY
    for attestation in attestations(report):
        extents = set(_stated(attestation)) - {AiUse.NONE, AiUse.UNKNOWN}
        yield from (("credentials", extent) for extent in extents)


def _stated(attestation: Attestation) -> Iterator[AiUse]:
    """The declared AI use; of a manifest that does not match the file, what stands in it all the same."""
    yield attestation.ai_use
    nodes = [attestation.manifest] if attestation.ai_use is AiUse.UNKNOWN and attestation.manifest else []
    while nodes:
        node = nodes.pop()
        yield node.ai_use
        nodes += node.ingredients


def declares_ai(report: Report, accepted: tuple[str, ...]) -> bool:
    """Does the file declare AI use in one of the accepted ways?"""
    return any(_declarations_in(report, accepted))


def _declarations_in(report: Report, accepted: tuple[str, ...]) -> Iterator[AiUse]:
    """How much of the picture the file declares as AI-made, in each of the accepted ways."""
    for attestation in attestations(report) if "credentials" in accepted else ():
        if attestation.integrity is Integrity.INTACT and attestation.ai_use in _DECLARED:
            yield attestation.ai_use
    for outcome in report.outcomes:
        match outcome:
            case Observation(signal=signal, claim=Claim.GENERATED | Claim.EDITED as claim) if signal in accepted:
                yield _EXTENT[claim]
