"""The ways to show why: what each is called, and what it needs of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.messages import FaceResult
from models.runtime.card import Card

CAM, LOOK, REGIONS, BLOCKS = "cam", "theta", "region", "cbam"
GUIDED, OCCLUSION = "guided", "occlusion"
BLOCK = "spatial"
"""How the name of a single attention block begins."""


@dataclass(frozen=True, slots=True)
class View:
    """Describe one way to show why.

    name: as in the settings, and as the explanations of `models.explain` call it. title, tip: for
    menus. outputs: of the model that it is made of. missing: why a model without them has no such
    view. slow: it is made beside the picture, at its own rate. by_label: it has a map for each
    label, not one for all.
    """

    name: str
    title: str
    tip: str
    missing: str
    outputs: tuple[str, ...] = ()
    slow: bool = False
    by_label: bool = False


_NO_BLOCKS = "this model has none"
_ALL = (
    View(
        CAM,
        "Class activation map",
        "Tint the places that speak for the label",
        "this model has none",
        outputs=("cam",),
        by_label=True,
    ),
    View(
        LOOK,
        "Spatial transformer",
        "Outline the part that the network turns, moves and zooms to",
        "this model has none",
        outputs=("theta", "warped"),
    ),
    View(
        REGIONS,
        "Regions and their weights",
        "Outline the regions that the network weighs against each other",
        "this model weighs none",
        outputs=("region", "square"),
    ),
    View(
        BLOCKS,
        "Spatial attention, all blocks",
        "Tint the places that every attention block lets through",
        _NO_BLOCKS,
        outputs=("spatial1",),
    ),
    *(
        View(
            f"{BLOCK}{number}",
            f"Spatial attention, block {number}",
            f"Tint the places that attention block {number} lets through",
            _NO_BLOCKS,
            outputs=(f"spatial{number}",),
        )
        for number in range(1, 9)
    ),
    View(
        OCCLUSION,
        "Occlusion sensitivity",
        "Tint the places that cost the label most when they are covered",
        "this model has no file to run again",
        slow=True,
        by_label=True,
    ),
    View(
        GUIDED,
        "Guided backpropagation",
        "Tint the pixels whose change would move the label's score most",
        "no backward graph lies beside the model",
        slow=True,
        by_label=True,
    ),
)
VIEWS: dict[str, View] = {view.name: view for view in _ALL}
"""Every view by its name, in the order of the menu."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Say what the attention overlay shows: a name of `VIEWS`, and the card of the model."""

    view: str = CAM
    card: Card | None = None


def shown_label(face: FaceResult) -> int:
    """Return the place of the label that is explained: the shown, or the likeliest if unsure."""
    labels = face.prediction.labels
    label = face.leading if face.leading in labels else face.prediction.label
    return labels.index(label)


def runner_up(face: FaceResult) -> int:
    """Return the place of the likeliest label but for the shown one."""
    order = np.argsort(-face.probabilities).tolist()
    return int(next(label for label in order if label != shown_label(face)))
