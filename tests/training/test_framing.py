"""How much of a picture a network sees: the same part in training, measuring and export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.crops import one_crop
from models.data.face_set import FaceSet, clean_training
from models.export import _calibration, export
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.preprocess import to_input
from models.scoring import open_model, score
from models.training.checkpoint import save_checkpoint
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer
from models.training.predict import build_network, predict
from models.training.recipe import Augmentation, Recipe, bundled_recipes, read_recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


@pytest.fixture
def examples(faces: FaceSet) -> Examples:
    return make_examples(clean_training(faces)[0], ["fer2013", "ferplus"], CPU)


def framed(recipe: Recipe, size: int, field: int) -> Recipe:
    still = Augmentation(flip=0)
    return replace(recipe, input_size=size, field=field, augmentation=still)


def test_training_sees_a_part_of_each_view_at_a_place_of_its_own(
    recipe: Recipe, examples: Examples
) -> None:
    trainer = Trainer(framed(recipe, 44, 44), CPU)
    rows = torch.arange(40)
    parts = trainer._batch(examples, rows, torch.Generator().manual_seed(1)).parts
    assert parts.shape == (40, 1, 44, 44)
    places = set()
    for part, whole in zip(parts[:, 0], examples.pixels[:40, 0] / 255, strict=True):
        windows = whole.unfold(0, 44, 1).unfold(1, 44, 1)
        apart = (windows - part).abs().amax((2, 3))
        places.add(divmod(int(apart.argmin()), 5))
        assert apart.min() < 1e-3  # what the unmoved resampling leaves
    assert len(places) > 10
    again = trainer._batch(examples, rows, torch.Generator().manual_seed(1)).parts
    assert torch.equal(parts, again)


@pytest.mark.parametrize(("size", "field"), [(44, 44), (64, 48), (32, 48), (48, 48)])
def test_what_is_predicted_is_what_the_exported_model_will_see(
    size: int, field: int, recipe: Recipe, examples: Examples
) -> None:
    framing = framed(recipe, size, field)
    network = build_network(framing).eval()
    crops = one_crop(examples.pixels[:, 0].numpy(), framing.input)
    with torch.inference_mode():
        expected = network(torch.from_numpy(to_input(list(crops), framing.input))).numpy()
    found = predict(network, examples.pixels, framing)
    # Resizing rounds to whole greys on one side and not on the other.
    tolerance = 1e-5 if size == field else 0.05
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_an_epoch_at_every_framing_learns(recipe: Recipe, examples: Examples) -> None:
    for size, field in ((44, 44), (64, 48)):
        trainer = Trainer(framed(recipe, size, field), CPU)
        first = trainer.train_epoch(examples)
        assert trainer.train_epoch(examples) < first
        assert trainer.evaluate(examples)["fer2013"] > 0


def test_the_card_says_the_framing_and_the_figures_are_of_it(
    recipe: Recipe, faces: FaceSet, examples: Examples, tmp_path: Path
) -> None:
    one_set = replace(framed(recipe, 44, 44), labels={"fer2013": 1.0})
    trainer = Trainer(one_set, CPU)
    trainer.train_epoch(examples)
    save_checkpoint(tmp_path / "last.pt", {**trainer.state(), "environment": {}, "history": []})
    output = tmp_path / "model.onnx"
    done = export(tmp_path / "last.pt", output=output, faces=faces, ten_crop=True)
    assert (done.card.input.size, done.card.input.field) == (44, 44)
    stored = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))["input"]
    assert stored["field"] == 44
    classifier = OnnxClassifier(done.path, provider="CPU")
    assert (classifier.input_size, classifier.input_field) == (44, 44)
    measured = trainer.evaluate(make_examples(faces.split("PublicTest"), ["fer2013"], CPU))
    one, ten = done.card.metric("one"), done.card.metric("ten-crop")
    assert one is not None
    assert ten is not None
    assert ten.n == one.n
    logits = score(open_model(str(output)), faces.split("PublicTest").pixels, "ten-crop")
    truth = faces.split("PublicTest").labels
    assert ten.accuracy == pytest.approx((logits.argmax(1) == truth).mean(), abs=1e-5)
    assert done.card.temperature["ten-crop"] > 0
    assert one.accuracy == pytest.approx(measured["fer2013"], abs=1e-5)


def test_int8_is_calibrated_on_what_the_model_sees(recipe: Recipe, faces: FaceSet) -> None:
    spec = framed(recipe, 44, 44).input
    found = _calibration(faces, spec)
    training, _ = clean_training(faces)
    expected = to_input(list(training.pixels[:, 2:46, 2:46]), spec)
    assert found.shape == expected.shape == (62, 1, 44, 44)
    np.testing.assert_array_equal(np.sort(found.sum((1, 2, 3))), np.sort(expected.sum((1, 2, 3))))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"field": 43}, "field of 16 to 48, an even number, found 43"),
        ({"field": 50}, "field of 16 to 48, an even number, found 50"),
        ({"input_size": 8}, "input_size of 16 to 512, found 8"),
        ({"input_size": 44.0}, "input_size: expected int, found 44.0"),
    ],
)
def test_a_framing_that_cannot_be_is_refused(
    changes: dict[str, Any], said: str, recipe: Recipe
) -> None:
    with pytest.raises(UserError, match=said):
        Recipe.from_dict(recipe.as_dict() | changes)


def test_a_network_of_one_size_says_which(recipe: Recipe) -> None:
    with pytest.raises(UserError, match="expected input_size 48 with acn, found 44"):
        build_network(replace(recipe, architecture="acn", input_size=44))


def test_the_recipes_have_the_framing_of_their_documents() -> None:
    framings = {name: read_recipe(name).input for name in bundled_recipes()}
    assert {name for name, spec in framings.items() if (spec.size, spec.field) == (44, 44)} == {
        "cbam_resnet18",
        "cbam_resnet18.second",
        "cbam_resnet18.sixth",
        "cbam_resnet18_asoftmax",
        "iresnet18",
        "jaffe",
        "vgg",
    }
    assert (framings["ran"].size, framings["ran"].field) == (64, 48)
    assert (framings["deep_emotion"].size, framings["deep_emotion"].field) == (48, 48)
