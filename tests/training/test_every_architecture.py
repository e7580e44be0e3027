"""Every registered architecture, from its first step to the faces of the app."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.faces import make_finder
from app.faces.landmarks import Landmarker, make_landmarker
from app.live.pipeline import Pipeline
from app.messages import Frame
from app.sources.actor import ActorSource
from models.data.face_set import FaceSet
from models.export import export, load_network, parity_crops
from models.nets.registry import ARCHITECTURES
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import LABEL_SETS
from models.runtime.preprocess import to_input
from models.training.checkpoint import save_checkpoint
from models.training.examples import make_examples
from models.training.exported import unfold
from models.training.loop import Trainer
from models.training.recipe import Augmentation, Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Case:
    """What an architecture is trained on here, and what it says beside its logits."""

    labels: str
    attention: set[str]
    recipe: dict[str, Any]


_BLOCKS = {f"{kind}{number}" for kind in ("channel", "spatial") for number in range(1, 9)}
_LOOK = {"theta", "warped"}
CASES = {
    "mini_xception": Case("ferplus", {"cam"}, {}),
    "simple_cnn": Case("fer2013", {"cam"}, {}),
    "deep_emotion": Case("fer2013", _LOOK, {}),
    "deep_emotion_parallel": Case("ferplus", _LOOK, {}),
    "acn": Case("fer2013-4", _LOOK, {}),
    "cbam_resnet18": Case(
        "fer2013",
        {"cam", "length", *_BLOCKS},
        {
            "network": {"width": 16},  # a quarter: the whole one takes half a minute
            "loss": "a_softmax",
            "input_size": 44,
            "field": 44,
        },
    ),
    "iresnet18": Case("ferplus", {"cam"}, {"input_size": 44, "field": 44}),
    "vgg": Case("fer2013", {"cam"}, {"network": {"depth": 13}, "input_size": 44, "field": 44}),
    "ran": Case(
        "ferplus",
        {"self", "region", "square"},
        {"network": {"trunk": "mini_xception"}, "region_margin": 0.1},
    ),
}


@cache
def landmarker() -> Landmarker:
    """Return the one landmarker of these tests."""
    return make_landmarker()


@pytest.fixture(scope="module")
def frame() -> Frame:
    """Return a frame of the demo actor."""
    with ActorSource(paced=False) as source:
        found = source.read()
    assert found is not None
    return found


def test_every_architecture_has_a_case() -> None:
    assert CASES.keys() == ARCHITECTURES.keys()


@pytest.mark.parametrize("name", CASES)
def test_it_trains_exports_and_reads_faces(
    name: str, faces: FaceSet, frame: Frame, tmp_path: Path
) -> None:
    case = CASES[name]
    trainer = trained(name, case, faces)
    without = [
        parameter_name
        for parameter_name, parameter in trainer.network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []

    save_checkpoint(tmp_path / "last.pt", {**trainer.state(), "environment": {}})
    exported = export(tmp_path / "last.pt", output=tmp_path / "model.onnx")
    classifier = OnnxClassifier(exported.path, provider="CPU")
    spec = exported.card.input
    assert (spec.size, spec.field) == (trainer.recipe.input_size, trainer.recipe.field)
    crops = parity_crops(spec)
    network, _, _ = load_network(tmp_path / "last.pt", None)
    with torch.inference_mode():
        logits, attention = network.attend(torch.from_numpy(to_input(crops, spec)))
    found = classifier.run(crops, mirror=False)
    assert found.keys() == {"logits", *case.attention}
    for output, expected in {"logits": logits, **attention}.items():
        np.testing.assert_allclose(found[output], expected, atol=1e-4, rtol=1e-4, err_msg=output)

    few = torch.from_numpy(faces.pixels[:16]).unsqueeze(1)  # statistics of many take long
    again, _ = unfold(exported.path, few)
    with torch.inference_mode():
        taken = again(torch.from_numpy(to_input(crops, spec)))
    np.testing.assert_allclose(taken, logits, atol=1e-3, rtol=1e-3)

    result = Pipeline(make_finder("haar"), landmarker(), classifier).process(frame)
    (face,) = result.faces
    assert face.prediction is not None
    assert face.prediction.labels == LABEL_SETS[case.labels]
    assert face.prediction.probabilities.shape == (len(LABEL_SETS[case.labels]),)
    assert face.prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert face.prediction.attention.keys() == case.attention


def trained(name: str, case: Case, faces: FaceSet) -> Trainer:
    """Return a trainer after two steps on four pictures."""
    values = {"architecture": name, "labels": {case.labels: 1.0}, "epochs": 2, "batch_size": 4}
    recipe = replace(
        Recipe.from_dict(values | case.recipe),
        augmentation=Augmentation(flip=0),
        learning_rate=1e-3,
    )
    trainer = Trainer(recipe, CPU)
    # Rows 24 to 31 are one picture of every kind; these four are in every label set.
    examples = make_examples(faces.select(np.array([24, 25, 27, 28])), trainer.label_sets, CPU)
    for _ in range(2):
        assert np.isfinite(trainer.train_epoch(examples))
    return trainer
