"""What stands on a card: what is known of a network, and what is measured of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.card_rules import too_few, with_rules
from models.data.face_set import FaceSet
from models.measure import chosen_on, measure, truth_for
from models.nets.network import Network, count_parameters
from models.nets.registry import find_architecture
from models.runtime.card import Card
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import LABEL_SETS
from models.scoring import classifier_logits
from models.training.metrics import TEMPERATURES, accuracy, fit_temperature
from models.training.recipe import Recipe

OUTPUTS = {
    "logits": "(N, C) before the temperature and the softmax",
    "cam": "(N, C, h, w) class activation maps; their mean over h and w is the logit",
    "theta": "(N, 2, 3) affine map of the spatial transformer, from where it looks to the crop",
    "warped": "(N, 1, h, w) the normalised crop as the spatial transformer sees it",
    "length": "(N, 1) length of the feature vector; a logit is it times cos(theta)",
    "self": "(N, R) self-attention weight of each region, 0 to 1, the whole face first",
    "region": "(N, R) weight of each region in the decision, summing to 1",
    "square": "(N, R, 4) left, top, right, bottom of each region in parts of the crop's side",
    **{f"channel{n}": f"(N, channels) channel weights of block {n}, 0 to 1" for n in range(1, 9)},
    **{f"spatial{n}": f"(N, 1, h, w) spatial weights of block {n}, 0 to 1" for n in range(1, 9)},
}

OWN = "image_folder"
SOURCES = {
    "fer2013": "FER2013, Training split (Goodfellow et al. 2013, arXiv 1307.0414; pictures from "
    "the web, for research)",
    "ferplus": "FER+ votes (Barsoum et al. 2016, arXiv 1608.01041; MIT)",
    "jaffe": "JAFFE (Lyons et al., FG 1998; for research)",
    "ck_plus": "CK+ (Lucey et al., CVPRW 2010; for research)",
    "ferg": "FERG (Aneja et al., ACCV 2016; drawn figures, for research)",
    "raf_db": "RAF-DB, training part (Li et al., CVPR 2017; pictures from the web, for research)",
    "affectnet": "AffectNet, training part (Mollahosseini et al., arXiv 1708.03985; pictures from "
    "the web, for research)",
    OWN: "pictures of the trainer's own",
}

LICENCE_OF_OWN = "the trainer's to give, as for the pictures that the weights were trained on"
LICENCE_OF_MIXED = (
    "the trainer's to give; of the pictures that the weights were trained on some are for "
    "research, others are the trainer's own"
)
_WEB = (
    "Trained on faces found by web search, most of them acted, Western and well lit; it errs more "
    "on others, on turned or covered faces, and where glasses look like frowning brows."
)
_POSED = (
    "Trained on expressions posed in a laboratory by few people, seen from the front; it errs more "
    "on others, and on expressions that nobody poses."
)
_FACES = {
    **dict.fromkeys(("fer2013", "raf_db", "affectnet"), _WEB),
    **dict.fromkeys(("jaffe", "ck_plus"), _POSED),
    "ferg": "Trained on drawn figures; it errs more on people.",
    OWN: "Trained on pictures of the trainer's own, of which this card knows nothing more; it errs "
    "more on faces, light and cameras unlike theirs.",
}
RARE = ("disgust", "contempt", "fear")
"""Expressions of which the data from the web have few pictures."""


def limits_of(labels: tuple[str, ...], sources: list[str]) -> tuple[str, ...]:
    """Return what a card says that a model of these labels, learnt from these, cannot do."""
    faces = dict.fromkeys(_FACES[name] for name in sources if name in _FACES)
    limits = (
        "It names the apparent expression of a face in a picture, not what a person feels.",
        *faces,
    )
    rare = ", ".join(name for name in RARE if name in labels)
    if not rare or _WEB not in faces:
        return limits
    return (*limits, f"Rare expressions ({rare}) are named far less reliably: see the recalls.")


def licence_of(sources: list[str]) -> str:
    """Return what a card says of the licence of what was learnt from these."""
    if OWN not in sources:
        return "MIT for the weights; the pictures they were trained on are for research"
    return LICENCE_OF_OWN if set(sources) == {OWN} else LICENCE_OF_MIXED


def describe(
    values: dict[str, Any],
    network: Network,
    recipe: Recipe,
    label_set: str,
    precision: str,
) -> Card:
    """Return the card of a network, without figures.

    values: its checkpoint. network: cut down to the label set.
    """
    sources = learnt_from(values, recipe)
    architecture, spec = find_architecture(recipe.architecture), recipe.input
    parameters, trainable = count_parameters(network)
    attention = network.attend(torch.zeros(1, 1, spec.size, spec.size))[1]
    # Checkpoints older than the key tell the data set by what they have learnt from last.
    last = next((name for name in reversed(sources) if name != "ferplus"), "fer2013")
    training: dict[str, Any] = {
        **_pace(values, recipe),
        "chosen_on": chosen_on(values.get("source") or last),
        "begun_from": values["begun_from"],
        **_teachers(values),
        **values["environment"],
    }
    return Card(
        name=f"{recipe.architecture}.{label_set}",
        title=title_of(recipe),
        architecture=recipe.architecture,
        paper=architecture.paper,
        label_set=label_set,
        labels=LABEL_SETS[label_set],
        input=spec,
        outputs={name: OUTPUTS[name] for name in ("logits", *attention)},
        precision=precision,
        parameters=parameters,
        trainable=trainable,
        temperature={"one": 1.0, "mirror": 1.0},
        metrics=(),
        recipe=_without_folders(values["recipe"]),
        training=training,
        data=tuple(SOURCES[name] for name in sources),
        licence=licence_of(sources),
        limits=limits_of(LABEL_SETS[label_set], sources),
    )


def title_of(recipe: Recipe) -> str:
    """Return what a model is called; one with fewer channels than usual is told from the usual."""
    architecture = find_architecture(recipe.architecture)
    usual = architecture.options().get("width")
    width = recipe.network.get("width")
    if usual is None or width is None or width == usual:
        return architecture.title
    share = {Fraction(1, 2): "half the channels", Fraction(1, 4): "a quarter of the channels"}
    return f"{architecture.title}, {share.get(Fraction(width, usual), f'{width} channels')}"


def _pace(values: dict[str, Any], recipe: Recipe) -> dict[str, int]:
    """Return which epoch a checkpoint is of, and its seconds; nothing for a mean of several."""
    if not values["epoch"]:
        return {}
    seconds = round(sum(entry["seconds"] for entry in values["history"]))
    return {"epoch": values["epoch"], "epochs": recipe.epochs, "seconds": seconds}


def _teachers(values: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Return which networks a checkpoint learnt from; nothing for one that had only labels."""
    keys = ("file", "architecture", "sha256")
    taught_by = values.get("taught_by", [])
    teachers = [{key: each[key] for key in keys if key in each} for each in taught_by]
    return {"teachers": teachers} if teachers else {}


def _without_folders(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe that names files alone: a card is for others, whose folders differ."""
    how = dict(recipe.get("distillation", {}))
    if how.get("logits"):
        how["logits"] = Path(how["logits"]).name
    if how.get("teachers"):
        how["teachers"] = [Path(name).name for name in how["teachers"]]
    return {**recipe, "distillation": how} if how else recipe


def learnt_from(values: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Return the names of what a checkpoint has learnt from, those that it began with first."""
    # Checkpoints older than the key were all trained on FER2013.
    sources = list(values.get("sources", ["fer2013"]))
    votes = "fer2013" in sources and ("ferplus" in recipe.labels or recipe.cleaning == "four")
    return [*sources, "ferplus"] if votes and "ferplus" not in sources else sources


def measured(
    path: Path, card: Card, faces: FaceSet, *, ten_crop: bool = False
) -> tuple[Card, tuple[str, ...]]:
    """Return the card with temperatures and metrics of the file itself on PublicTest, and notes.

    ten_crop: with ten crops too, which takes ten times as long as one. The notes say in a sentence
    each what the pictures were too few to tell.
    """
    validation = faces.split("PublicTest")
    truth = truth_for(validation, card.label_set)
    used = truth >= 0
    classifier = OnnxClassifier(path, provider="CPU")
    split = chosen_on(faces.source)
    temperatures, metrics, answers, notes = {}, [], {}, []
    for crops in ("one", "mirror", "ten-crop") if ten_crop else ("one", "mirror"):
        logits = classifier_logits(classifier, validation.pixels, crops)
        if crops != "ten-crop":
            answers[crops] = logits
        fitted = fit_temperature(logits[used], truth[used])
        temperatures[crops] = 1.0 if fitted is None else round(fitted, 4)
        if fitted is None:
            notes.append(_not_fitted(logits[used], truth[used], crops, split))
        metrics.append(
            measure(
                logits,
                truth,
                temperature=temperatures[crops],
                label_set=card.label_set,
                source=faces.source,
                crops=crops,
            )
        )
    card = replace(card, temperature=temperatures, metrics=tuple(metrics))
    card = with_rules(card, answers, truth, split=split)
    if not card.unsure:
        notes.append(too_few(int(used.sum()), split))
    return card, tuple(notes)


def _not_fitted(
    logits: NDArray[np.float32], truth: NDArray[np.int64], crops: str, split: str
) -> str:
    low, high = TEMPERATURES
    return (
        f"expected a temperature from {low:g} to {high:g} to make the labels of {split} likeliest, "
        f"found none ({crops} crop, {accuracy(logits, truth):.0%} of {len(truth)} right): it stays "
        "1, and the confidences are not calibrated; measure on more pictures"
    )


def dated(card: Card, known: Card | None) -> Card:
    """Return the card with the dates of an earlier one where the figures are the same."""
    before = () if known is None else known.metrics
    return replace(
        card,
        metrics=tuple(
            next((old for old in before if replace(old, date=new.date) == new), new)
            for new in card.metrics
        ),
    )
