"""Learning from teachers: what they say together, and a student that comes to agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data.face_set import FaceSet, clean_training
from models.export import load_network
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.distillation import Ensemble
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer
from models.training.losses import distillation_loss
from models.training.metrics import log_softmax
from models.training.predict import predict
from models.training.recipe import Augmentation, Distillation, Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SETS = ["fer2013", "ferplus"]
Teach = Callable[..., str]


@pytest.fixture
def examples(faces: FaceSet) -> Examples:
    return make_examples(clean_training(faces)[0], SETS, CPU)


@pytest.fixture
def teach(recipe: Recipe, tmp_path: Path, examples: Examples) -> Teach:
    """Return how to train a teacher for an epoch; it gives the path of its checkpoint."""

    def call(name: str, **changes: object) -> str:
        trainer = Trainer(replace(recipe, ema=0.0, **changes), CPU)  # type: ignore[arg-type]
        trainer.train_epoch(examples)
        path = tmp_path / f"{name}.pt"
        save_checkpoint(path, {**trainer.state(), "environment": {}})
        return str(path)

    return call


def test_an_ensemble_says_the_mean_at_its_temperature(teach: Teach, examples: Examples) -> None:
    # Each is fed as its own recipe says, and its heads may stand in another order.
    paths = (
        teach("one", seed=1),
        teach("two", seed=2, mean=0.3, std=0.5, labels={"ferplus": 1.0, "fer2013": 1.0}),
    )
    views = examples.pixels[:5] / 255
    for temperature in (1.0, 4.0):
        how = Distillation(paths, temperature=temperature)
        found = Ensemble(how, SETS, CPU).probabilities(views)
        assert list(found) == SETS
        for name in SETS:
            said = []
            for path, mean, std in zip(paths, (0.5078, 0.3), (0.2549, 0.5), strict=True):
                network = load_network(Path(path), name)[0]
                with torch.no_grad():
                    logits = network((views - mean) / std)
                said.append(logits)
            expected = torch.softmax((said[0] + said[1]) / 2 / temperature, 1)
            torch.testing.assert_close(found[name], expected)
            assert not torch.allclose(said[0], said[1], atol=1e-3)


def test_distillation_loss_by_hand() -> None:
    # The teacher is sure of the first of two; the student, softened by 2, gives it 3 in 4.
    logits = torch.tensor([[2 * np.log(3.0), 0.0]], dtype=torch.float64)
    found = distillation_loss(logits, torch.tensor([[1.0, 0.0]]), temperature=2.0)
    assert found.item() == pytest.approx(4 * np.log(4 / 3), rel=1e-6)
    even = distillation_loss(logits, torch.tensor([[0.75, 0.25]]), temperature=2.0)
    assert even.item() == pytest.approx(0, abs=1e-6)


def test_a_student_approaches_its_teacher_and_not_the_labels(
    recipe: Recipe, trained: Path, examples: Examples
) -> None:
    teacher = str(trained / "last.pt")
    how = Distillation((teacher,), weight=1.0, temperature=2.0)
    student = Trainer(
        replace(
            recipe,
            epochs=12,
            batch_size=8,
            ema=0.9,
            augmentation=Augmentation(flip=0),
            distillation=how,
        ),
        CPU,
    )
    # With the whole weight on the teacher, labels of other pictures do no harm.
    wrong = replace(
        examples, targets={name: each.roll(1, 0) for name, each in examples.targets.items()}
    )
    network, itself, _ = load_network(Path(teacher), "fer2013")
    said = log_softmax(predict(network, examples.pixels, itself))

    def apart() -> float:
        logits = predict(student.average.network, examples.pixels, student.recipe)[:, :7]
        return float((np.exp(said) * (said - log_softmax(logits))).sum(1).mean())

    before = apart()
    losses = [student.train_epoch(wrong) for _ in range(12)]
    assert losses[-1] < losses[0] / 2
    assert apart() < before / 2


def test_a_teacher_keeps_its_weights_and_statistics(
    recipe: Recipe, teach: Teach, examples: Examples
) -> None:
    path = teach("one")
    student = Trainer(replace(recipe, distillation=Distillation((path,))), CPU)
    student.train_epoch(examples)
    assert student._teachers is not None
    (teacher,) = student._teachers._teachers
    expected = load_checkpoint(Path(path))["average"]
    weights = teacher.network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in weights.items())


def test_the_margin_is_no_part_of_agreement(teach: Teach, examples: Examples) -> None:
    values = {"architecture": "cbam_resnet18", "labels": {"fer2013": 1.0}, "epochs": 1}
    base = replace(Recipe.from_dict(values), distillation=Distillation((teach("one"),), weight=1.0))
    found = []
    for loss in ("softmax", "a_softmax"):
        trainer = Trainer(replace(base, loss=loss), CPU)
        torch.manual_seed(0)  # the same units dropped
        with torch.no_grad():
            rows = torch.arange(2)
            batch = trainer._batch(examples, rows, torch.Generator().manual_seed(0))
            found.append(trainer._loss(batch, 1.0))
    torch.testing.assert_close(found[0], found[1])


def test_a_teacher_without_the_label_set_is_refused(recipe: Recipe, teach: Teach) -> None:
    path = teach("one", labels={"fer2013": 1.0})
    how = Distillation((path,))
    with pytest.raises(
        UserError,
        match="expected teachers for fer2013 and ferplus, found none for ferplus: add one or drop "
        "ferplus",
    ):
        Trainer(replace(recipe, distillation=how), CPU)
    Trainer(replace(recipe, labels={"fer2013": 1.0}, distillation=how), CPU)


def test_a_teacher_that_is_missing_or_of_another_version_is_named(
    recipe: Recipe, teach: Teach, tmp_path: Path
) -> None:
    absent = Distillation((str(tmp_path / "absent.pt"),))
    with pytest.raises(UserError, match=r"found no file .*absent\.pt"):
        Trainer(replace(recipe, distillation=absent), CPU)
    values = load_checkpoint(Path(teach("one")))
    values["average"].popitem()
    save_checkpoint(tmp_path / "old.pt", values)
    old = Distillation((str(tmp_path / "old.pt"),))
    with pytest.raises(UserError, match=r"old\.pt: expected the weights of mini_xception, found"):
        Trainer(replace(recipe, distillation=old), CPU)


def test_the_margin_is_asked_of_fer2013_and_not_of_votes(examples: Examples) -> None:
    labels = {"ferplus": 1.0, "fer2013": 1.0}
    base = Recipe.from_dict({"architecture": "cbam_resnet18", "labels": labels, "epochs": 1})
    found = {}
    for loss in ("softmax", "a_softmax"):
        trainer = Trainer(replace(base, loss=loss), CPU)
        generator = torch.Generator().manual_seed(0)
        batch = trainer._batch(examples, torch.arange(2), generator)
        for taught in labels:
            only = {name: y if name == taught else 0 * y for name, y in batch.targets.items()}
            torch.manual_seed(0)  # the same units dropped
            with torch.no_grad():
                found[taught, loss] = trainer._loss(replace(batch, targets=only), 1.0)
    torch.testing.assert_close(found["ferplus", "softmax"], found["ferplus", "a_softmax"])
    assert found["fer2013", "softmax"] < found["fer2013", "a_softmax"]
