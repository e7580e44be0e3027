"""Every bundled model is what its card says."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.crops import one_crop
from models.runtime.card import InputSpec, file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import LABEL_SETS
from models.runtime.store import DEFAULT_MODEL, ModelEntry, bundled

EXPECTED = {"mini_xception.fer2013", "mini_xception.ferplus"}
GOLDEN = Path(__file__).parents[1] / "golden"
UPDATE = bool(os.environ.get("MIEN_UPDATE_GOLDEN"))

every = pytest.mark.parametrize("entry", bundled(), ids=lambda entry: entry.name)


def parity_crops(spec: InputSpec) -> list[NDArray[np.uint8]]:
    """Return the stored crops, as the export checks them, without torch."""
    data = (resources.files("models") / "parity_crops.png").read_bytes()
    strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert strip is not None
    tiles = np.split(strip, strip.shape[1] // strip.shape[0], axis=1)
    return list(one_crop(np.stack(tiles).astype(np.uint8), spec))


def test_the_expected_models_are_bundled() -> None:
    names = [entry.name for entry in bundled()]
    assert set(names) >= EXPECTED
    assert names[0] == DEFAULT_MODEL


@every
def test_the_file_is_the_one_described(entry: ModelEntry) -> None:
    assert entry.card.file == file_facts(entry.file)
    assert entry.card.name == entry.name == entry.file.stem


@every
def test_the_card_inside_equals_the_card_beside(entry: ModelEntry, tmp_path: Path) -> None:
    alone = tmp_path / entry.file.name
    alone.write_bytes(entry.file.read_bytes())
    assert OnnxClassifier(alone, provider="CPU").card == entry.card.without_file()


@every
def test_the_labels_are_those_of_the_label_set(entry: ModelEntry) -> None:
    assert entry.card.labels == LABEL_SETS[entry.card.label_set]


@every
@pytest.mark.train
def test_the_parameters_are_counted_right(entry: ModelEntry) -> None:
    from models.nets.network import count_parameters
    from models.nets.registry import find_architecture

    architecture = find_architecture(entry.card.architecture)
    network = architecture.build(len(entry.card.labels), entry.card.recipe["network"])
    assert (entry.card.parameters, entry.card.trainable) == count_parameters(network)


def test_a_mini_xception_is_small() -> None:
    small = [entry for entry in bundled() if entry.card.architecture == "mini_xception"]
    assert {len(entry.card.labels) for entry in small} == {7, 8}
    for entry in small:
        assert entry.file.stat().st_size <= 300_000
        assert entry.card.trainable == {7: 56_951, 8: 58_104}[len(entry.card.labels)]


@every
def test_the_figures_are_there_for_both_crops_and_make_sense(entry: ModelEntry) -> None:
    for crops in ("one", "mirror"):
        metric = entry.card.metric(crops)
        assert metric is not None
        assert metric.n > (2000 if entry.card.label_set == "fer2013-4" else 3000)
        assert 0.5 < metric.accuracy <= 1
        assert 0.3 < metric.macro_f1 <= 1
        assert 0 <= metric.ece < 0.1
        assert set(metric.recall) <= set(entry.card.labels)
        assert all(0 <= part <= 1 for part in metric.recall.values())
        assert 0.2 < entry.card.temperature[crops] < 5


@every
def test_it_says_where_it_comes_from(entry: ModelEntry) -> None:
    card = entry.card
    assert card.recipe["architecture"] == card.architecture
    assert card.training["chosen_on"] == "PublicTest"
    assert card.paper
    assert card.licence
    assert card.limits
    assert any("FER2013" in source for source in card.data)


@every
def test_the_weights_hold_no_local_paths(entry: ModelEntry) -> None:
    data = entry.file.read_bytes()
    for trace in (b"site-packages", b'.py"', b"/home/", b"Traceback"):
        assert trace not in data


@every
def test_it_says_what_it_said_when_it_was_bundled(entry: ModelEntry) -> None:
    """Compare with the stored answers; MIEN_UPDATE_GOLDEN=1 stores them anew."""
    found = {}
    for name in ("one", "mirror"):
        model = OnnxClassifier(entry.file, provider="CPU", mirror=name == "mirror")
        predictions = model.classify(parity_crops(model.card.input))
        found[name] = np.stack([prediction.probabilities for prediction in predictions])
    stored = GOLDEN / f"{entry.name}.npz"
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        np.savez(stored, one=found["one"], mirror=found["mirror"])
    # Small numbers differ a little from one kind of processor to another.
    tolerance = 1e-3 if entry.card.precision == "fp32" else 0.05
    with np.load(stored) as expected:
        for name, probabilities in found.items():
            np.testing.assert_allclose(probabilities, expected[name], atol=tolerance)
            assert (probabilities.argmax(axis=1) == expected[name].argmax(axis=1)).all()


@every
def test_several_faces_at_once_get_what_each_gets_alone(entry: ModelEntry) -> None:
    model = OnnxClassifier(entry.file, provider="CPU")
    crops = parity_crops(model.card.input)
    for crop, prediction in zip(crops, model.classify(crops), strict=True):
        alone = model.classify([crop])[0].probabilities
        np.testing.assert_allclose(alone, prediction.probabilities, atol=1e-4)


@every
@pytest.mark.parametrize("gray", [0, 128, 255])
def test_a_blank_crop_gets_numbers(entry: ModelEntry, gray: int) -> None:
    classifier = OnnxClassifier(entry.file, provider="CPU")
    blank = np.full((entry.card.input.size,) * 2, gray, np.uint8)
    for name, values in classifier.run([blank], mirror=False).items():
        assert np.isfinite(values).all(), name
