"""What is written around the pictures of a card, and what is said of each under the mouse."""

from __future__ import annotations

from textwrap import fill

from app.gui.inset import Inset
from app.views import BLOCK, BLOCKS, CAM, GUIDED, LOOK, OCCLUSION, REGIONS, VIEWS

SEES = "What the model sees"
NO_REASONS = "This model gives no reasons"
OFF = "Attention is off: A shows what decides"
SOON = "in a moment"
NOTHING = "nothing stands out"
# Letters in a line of a tip.
_WIDE = 60
_SEES_TIP = (
    "The face as the model gets it: small, gray and turned upright. It sees nothing else of the "
    "picture."
)
_TIPS = {
    CAM: "Yellow are the places that spoke most for “{label}”, untinted those that did not. The "
    "model keeps few, large places apart, so this is coarse.",
    OCCLUSION: "Parts of the face were covered one after the other. Yellow is where that cost "
    "“{label}” most; untinted places hardly mattered.",
    GUIDED: "Yellow are the pixels whose change would move the score of “{label}” most.",
    LOOK: "What the model cuts out of the face, turned and enlarged, before it decides.",
    BLOCKS: "Yellow are the places that the model lets through most, whatever it then says.",
}
_FACT_TIPS = {
    LOOK: "How far the model enlarges and turns the face, and moves to its right and down.",
    REGIONS: "How much each part of the face counts in the decision; together they make 100 %.",
    BLOCKS: "How much of a place is let through: in the least place and in the most.",
}
_VERSUS_TIP = (
    "The two likeliest labels against each other: a place has the colour of the one for which it "
    "counts more, {first} or {second}. Where it is dark it counts for both alike."
)
_NO_VERSUS_TIP = "The two likeliest labels will be compared here, {first} and {second}."


def heading(view: str, label: str) -> str:
    """Return what stands above the pictures. label: the one that is explained."""
    if view in VIEWS and VIEWS[view].by_label:
        return f"Why {label}"
    return "How the parts count" if view == REGIONS else "Where the model looks"


def reason(view: str) -> str:
    """Return the caption of the picture of a view."""
    if view in VIEWS and VIEWS[view].by_label:
        return "What decided"
    return "What it cuts out" if view == LOOK else "What it lets through"


def tip(view: str, place: int, inset: Inset, *, doubt: str, old: bool) -> str:
    """Return how to read one of the three pictures, a figure being one. old: it is an older map."""
    if place == 0:
        return fill(_SEES_TIP, _WIDE)
    if view not in VIEWS:
        return ""
    kind = BLOCKS if view.startswith(BLOCK) else view
    if place == 2 and inset.labels:
        first, second = inset.labels
        text = _VERSUS_TIP if inset.versus is not None else _NO_VERSUS_TIP
        said = text.format(first=first, second=second)
    elif inset.facts and (place == 2 or inset.view is None):
        said = _FACT_TIPS[kind]
    else:
        said = _TIPS.get(kind, "").format(label=inset.label)
    if old:
        said += " It is a moment old: the next one is being made."
    if doubt:
        said += f" Measured on this model, this way is {doubt}."
    return f"{fill(said, _WIDE)}\n{VIEWS[view].title}, see View > Attention view"
