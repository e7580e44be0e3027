from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.card_making import OWN, SOURCES, licence_of, limits_of, measured, title_of
from models.crops import one_crop
from models.data.face_set import FaceSet
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import FER2013
from models.runtime.store import ModelEntry, bundled
from models.training.recipe import Recipe

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("network", "title"),
    [
        ({}, "CBAM-ResNet-18"),
        ({"width": 64}, "CBAM-ResNet-18"),
        ({"width": 32, "order": "parallel"}, "CBAM-ResNet-18, half the channels"),
        ({"width": 16}, "CBAM-ResNet-18, a quarter of the channels"),
        ({"width": 48}, "CBAM-ResNet-18, 48 channels"),
    ],
)
def test_a_network_of_fewer_channels_is_told_from_the_usual(
    recipe: Recipe, network: dict[str, Any], title: str
) -> None:
    assert title_of(replace(recipe, architecture="cbam_resnet18", network=network)) == title
    assert title_of(recipe) == "mini-Xception"


def test_few_pictures_all_named_right_say_nothing_and_the_card_claims_nothing() -> None:
    entry = next(each for each in bundled() if each.card.label_set == "fer2013")
    half = np.random.default_rng(0).integers(0, 256, (40, 48, 24), np.uint8)
    pixels = np.concatenate([half, half[:, :, ::-1]], axis=2)  # their own mirror images
    crops = list(one_crop(pixels, entry.card.input))
    named = OnnxClassifier(entry.file, provider="CPU").run(crops, mirror=False)["logits"]
    rows = np.arange(40).astype(str)
    faces = FaceSet(
        pixels, named.argmax(1), None, np.full(40, "PublicTest"), rows, source="image_folder"
    )
    card, notes = measured(entry.file, entry.card, faces)
    assert card.temperature == {"one": 1.0, "mirror": 1.0}
    assert card.unsure == {}
    assert [metric.accuracy for metric in card.metrics] == [1, 1]
    assert len(notes) == 3
    assert "found none (one crop, 100% of 40 right): it stays 1" in notes[0]
    assert "(mirror crop, 100% of 40 right)" in notes[1]
    assert "found 40 in validation part of image_folder: the card has no such rule" in notes[2]


@pytest.mark.parametrize("entry", bundled(), ids=lambda entry: entry.name)
def test_bundled_cards_say_what_is_said_of_their_data(entry: ModelEntry) -> None:
    sources = [name for name, text in SOURCES.items() if text in entry.card.data]
    assert limits_of(entry.card.labels, sources) == entry.card.limits
    assert licence_of(sources) == entry.card.licence


def test_of_ones_own_pictures_nothing_is_claimed() -> None:
    said = " ".join(limits_of(FER2013, [OWN]))
    assert "pictures of the trainer's own" in said
    for untrue in ("web", "Western", "Rare"):
        assert untrue not in said
    assert "research" not in licence_of([OWN])
    assert "MIT" not in licence_of([OWN])
    both = limits_of(FER2013, ["fer2013", "ferplus", OWN])
    assert set(both) == {*limits_of(FER2013, ["fer2013"]), *limits_of(FER2013, [OWN])}
    assert "some are for research" in licence_of(["fer2013", OWN])


@pytest.mark.parametrize(
    ("source", "word"), [("jaffe", "laboratory"), ("ck_plus", "laboratory"), ("ferg", "drawn")]
)
def test_other_faces_are_not_said_to_be_from_the_web(source: str, word: str) -> None:
    assert word in limits_of(FER2013, [source])[1]
    assert "for research" in licence_of([source])
