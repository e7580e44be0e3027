"""A-Softmax: what the margin asks for, angle by angle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.data.face_set import FaceSet
from models.nets.cbam_resnet import AngularLinear
from models.training import loop
from models.training.angular import a_softmax_logits, annealed_lambda
from models.training.examples import make_examples
from models.training.recipe import Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


def psi(theta: Tensor, mixing: float = 0.0, length: float = 1.0) -> Tensor:
    """Return the logit of the true label, the first of two, at these angles."""
    cosine = torch.cos(theta.double())
    logits = length * torch.stack([cosine, torch.zeros_like(cosine)], 1)
    lengths = torch.full((len(theta), 1), length, dtype=torch.float64)
    labels = torch.zeros(len(theta), dtype=torch.int64)
    return a_softmax_logits(logits, lengths, labels, mixing)[:, 0]


@pytest.mark.parametrize(
    ("eighths", "expected"),
    [(0, 1), (1, 0), (2, -1), (3, -2), (4, -3), (5, -4), (6, -5), (7, -6), (8, -7)],
)
def test_psi_by_hand(eighths: int, expected: float) -> None:
    # cos(4 theta) at multiples of 22.5 degrees is 1, 0 or -1.
    found = psi(torch.tensor([eighths * math.pi / 8]))
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_psi_falls_without_a_jump_from_one_quarter_to_the_next() -> None:
    theta = torch.linspace(0, math.pi, 20_001, dtype=torch.float64)
    values = psi(theta)
    steps = values.diff()
    assert (steps < 1e-9).all()
    # Its slope is at most 4, so no step of pi / 20000 is longer than this.
    assert steps.abs().max() <= 4.001 * math.pi / 20_000


def test_a_longer_feature_scales_it() -> None:
    theta = torch.linspace(0.1, 3.0, 30)
    torch.testing.assert_close(psi(theta, length=7.0), 7 * psi(theta))


def test_it_is_never_above_the_plain_logit() -> None:
    theta = torch.linspace(0, math.pi, 500)
    for mixing in (0.0, 5.0, 100.0):
        assert (psi(theta, mixing) <= torch.cos(theta.double()) + 1e-9).all()


def test_much_mixing_is_plain_softmax_and_a_little_is_half_way() -> None:
    torch.manual_seed(0)
    head = AngularLinear(16, 7)
    features, labels = torch.randn(9, 16), torch.randint(7, (9,))
    logits, length = head(features), features.norm(dim=1, keepdim=True)
    found = a_softmax_logits(logits, length, labels, 1e8)
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=1e-5)
    bare = a_softmax_logits(logits, length, labels, 0.0)
    torch.testing.assert_close(
        a_softmax_logits(logits, length, labels, 1.0), (logits + bare) / 2, atol=1e-5, rtol=1e-5
    )


def test_only_the_logit_of_the_true_label_is_changed() -> None:
    torch.manual_seed(0)
    features = torch.randn(5, 16)
    labels = torch.tensor([0, 1, 2, 3, 0])
    logits = AngularLinear(16, 4)(features)
    found = a_softmax_logits(logits, features.norm(dim=1, keepdim=True), labels, 0.0)
    other = F.one_hot(labels, 4) == 0
    assert torch.equal(found[other], logits[other])
    assert (found[~other] < logits[~other]).all()


def test_the_gradient_is_that_of_the_function() -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    features = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, 0])

    def margins(features: Tensor, weight: Tensor) -> Tensor:
        logits = features @ F.normalize(weight, dim=1).T
        return a_softmax_logits(logits, features.norm(dim=1, keepdim=True), labels, 2.0)

    assert torch.autograd.gradcheck(margins, (features, weight))


def test_features_of_no_length_or_right_on_the_label_give_numbers() -> None:
    features = torch.zeros(2, 3)
    features[1, 0] = 5.0
    features.requires_grad_()
    logits = features @ torch.eye(3)
    length = features.norm(dim=1, keepdim=True)
    found = a_softmax_logits(logits, length, torch.tensor([0, 0]), 5.0)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert found.isfinite().all()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_the_mixing_falls_to_its_floor_by_the_middle_of_a_training() -> None:
    assert annealed_lambda(0) == 1500
    assert annealed_lambda(0.5 / 299) == pytest.approx(750)
    assert 5 < annealed_lambda(0.499) < 5.02
    assert annealed_lambda(0.5) == 5
    assert annealed_lambda(1) == 5


def test_a_training_of_few_steps_comes_to_the_margin_too(
    recipe: Recipe, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[float] = []

    def noted(done: float) -> float:
        parts.append(done)
        return 5.0

    monkeypatch.setattr(loop, "annealed_lambda", noted)
    changes = {"architecture": "cbam_resnet18", "loss": "a_softmax", "labels": {"fer2013": 1.0}}
    short = replace(recipe, **changes, epochs=2, batch_size=8)  # type: ignore[arg-type]
    examples = make_examples(faces.split("Training").select(np.arange(16)), ["fer2013"], CPU)
    trainer = loop.Trainer(short, CPU)
    for _ in range(2):
        trainer.train_epoch(examples)
    assert parts == [0, 0.25, 0.5, 0.75]


def test_training_with_the_margin_lowers_the_loss_and_narrows_the_angles() -> None:
    torch.manual_seed(0)
    labels = torch.arange(30) % 3
    faces = F.one_hot(labels, 3).float() @ torch.randn(3, 12) + 0.3 * torch.randn(30, 12)
    trunk, head = nn.Sequential(nn.Linear(12, 16), nn.Tanh()), AngularLinear(16, 3)
    optimiser = torch.optim.SGD([*trunk.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
    losses, angles = [], []
    for _ in range(40):
        features = trunk(faces)
        length = features.norm(dim=1, keepdim=True)
        logits = head(features)
        loss = F.cross_entropy(a_softmax_logits(logits, length, labels, 5.0), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
        true = logits.gather(1, labels[:, None]) / length
        angles.append(torch.acos(true.clamp(-1, 1)).mean().item())
    assert losses[-1] < losses[0] / 3
    assert angles[-1] < angles[0] / 2
