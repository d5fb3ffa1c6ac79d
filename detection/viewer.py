"""A detector that looks at views of a whole picture: a frozen network and the head that was learnt on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.errors import ConfigurationError
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from detection import backbone, clip, head
from detection.backbone import Backbone
from detection.delivery import REFERENCE
from detection.head import Head
from detection.views import square, views

NAME = "clip"
"""Of its logit, in panels and reports."""
SHOWN = {"whole": ("whole",), "crop": ("crop-1",), "grid": ("grid-1", "grid-2", "grid-3", "grid-4")}
"""By kind: the views that a picture is judged by. A second and third crop cost as much as the first and add little."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Viewer:
    """A network and its head."""

    backbone: Backbone
    head: Head
    sha256: str
    """Of the head's file."""

    def logit(self, pixels: Pixels) -> float:
        """How much a picture looks like what models make, in units of the head's own spread.

        Args:
            pixels: uint8 of shape (height, width, 3). It is cut to a square, reduced and saved as JPEG 90 first, as all
                pictures were that the head learnt from.
        """
        picture = perturbation(REFERENCE).apply(square(pixels))
        names = [(kind, name) for kind in self.head.recipe.kinds for name in SHOWN[kind]]
        features = self.backbone.features(views(picture, [name for _, name in names], self.backbone.side))
        tokens = features if self.head.recipe.patches else features[:, :, :1]
        rows = tokens.reshape(len(tokens), -1).astype(np.float32)
        kinds = np.array([kind for kind, _ in names])
        return sum(float(self.head.rules[kind].logits(rows[kinds == kind]).mean()) for kind in self.head.recipe.kinds)


def opened(weights: Path, home: Path, device: str) -> Viewer:
    """CLIP out of a data folder, with a head.

    Args:
        weights: The head's file.
        home: The data folder.
        device: Where the network runs.

    Raises:
        ConfigurationError: A file is missing or damaged, or the head was learnt on another network.
    """
    learnt = head.read(weights)
    network = backbone.opened(clip.require(home), device, taps=learnt.recipe.blocks)
    if learnt.sha256 != network.sha256:
        raise ConfigurationError(
            f"{weights}: learnt on other weights of {learnt.backbone} than those that are here",
            hint=f"Fetch those again: {clip.COMMAND}",
        )
    return Viewer(backbone=network, head=learnt, sha256=head.digest(weights))
