from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from models.runtime.errors import UserError
from models.training.losses import check_finite, distribution_loss, split_heads
from models.training.schedule import one_cycle

pytestmark = pytest.mark.train


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_network_that_was_lost_is_not_measured(loss: float) -> None:
    check_finite(0.7, "epoch 3, validation")
    with pytest.raises(UserError, match=r"^epoch 3, validation: expected a loss that is a number"):
        check_finite(loss, "epoch 3, validation")


def test_with_one_hot_targets_it_is_the_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(9, 7), torch.randint(7, (9,))
    found = distribution_loss(logits, F.one_hot(labels, 7).float())
    torch.testing.assert_close(found, F.cross_entropy(logits, labels))


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_smoothing_is_that_of_torch(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(9, 7), torch.randint(7, (9,))
    found = distribution_loss(logits, F.one_hot(labels, 7).float(), smoothing)
    torch.testing.assert_close(found, F.cross_entropy(logits, labels, label_smoothing=smoothing))


def test_soft_targets_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    targets = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert float(distribution_loss(logits, targets)) == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_rows_of_zeros_do_not_count(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(4, 8), torch.zeros(4, 8)
    targets[:2, 3] = 1
    found = distribution_loss(logits, targets, smoothing)
    torch.testing.assert_close(found, distribution_loss(logits[:2], targets[:2], smoothing))


def test_a_batch_that_teaches_nothing_has_loss_and_gradient_zero() -> None:
    logits = torch.randn(4, 8, requires_grad=True)
    loss = distribution_loss(logits, torch.zeros(4, 8))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_low_precision_logits_are_reckoned_in_float32() -> None:
    logits = torch.randn(4, 8).bfloat16()
    targets = torch.eye(8)[:4]
    assert distribution_loss(logits, targets).dtype == torch.float32
    torch.testing.assert_close(
        distribution_loss(logits, targets), distribution_loss(logits.float(), targets)
    )


def test_heads_are_cut_in_the_order_of_the_label_sets() -> None:
    outputs = torch.arange(15.0).expand(2, 15)
    heads = split_heads(outputs, ["ferplus", "fer2013"])
    assert list(heads) == ["ferplus", "fer2013"]
    assert heads["ferplus"][0].tolist() == list(range(8))
    assert heads["fer2013"][1].tolist() == list(range(8, 15))


def test_the_rate_rises_to_one_and_falls_to_nothing() -> None:
    rates = [one_cycle(step, 200, 0.15) for step in range(200)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates.index(max(rates)) == 30
    assert max(rates) == pytest.approx(1.0)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert 0 < rates[-1] < 1e-3


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.15), (1, 0.0), (2, 1.0), (5, 0.0)])
def test_a_run_of_a_few_steps_has_rates_too(steps: int, warmup: float) -> None:
    rates = [one_cycle(step, steps, warmup) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
