"""The `legacy-watermark` check: the public marks that Stable Diffusion and FLUX leave in what they draw."""

# ruff: noqa: PLC0415 - nothing heavy where the check is left out

from __future__ import annotations

import math
from typing import ClassVar

from assay.vocabulary import Claim, Detail, Exhibit, Nothing, Observation, Outcome, Settings


class LegacyWatermark:
    """The public marks of SD1, SD2, SDXL and FLUX: a hint, because anybody can put one in.

    What it means: the bits that are read agree with the message that these generators embed with the package
    `invisible-watermark`, in more places than fair coins would in a million pictures. Photographs were never mistaken
    where that was measured; how many were looked at stands in the documentation.

    What it does not mean: that a picture without it was not generated, for one JPEG removes it; or that the one with it
    certainly was, for message and method are public. So it is noted, and does not carry a verdict as a keyed mark does.
    """

    id: ClassVar[str] = "legacy-watermark"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.GENERATED})

    def __init__(self, settings: Settings) -> None:
        """Needs none of them."""

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Look for all messages in upright pixels."""
        from watermark.legacy import find

        found = find(exhibit.pixels)
        if found is None:
            return (Nothing(check=self.id),)
        return (
            Observation(
                check=self.id,
                signal="legacy-watermark",
                claim=Claim.GENERATED,
                summary=f"It carries the public mark of {found.generators}. Anybody can put it in; few do.",
                details=(
                    Detail(name="Message", value=f"{found.message}: {found.matching} of {found.bits} bits agree"),
                    Detail(name="Chance", value=f"10^{math.ceil(found.log10_p)} or less, if bits were fair coins"),
                    Detail(name="Read as", value=found.variant),
                ),
            ),
        )
