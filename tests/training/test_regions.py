"""Region attention: the squares, how they are cut, and how they are weighed."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.nets.network import count_parameters
from models.nets.ran import RegionAttentionNetwork
from models.nets.regions import WHOLE, cut, fixed_regions, landmark_regions, random_regions
from models.training.losses import region_biased_loss

pytestmark = pytest.mark.train


class Glance(nn.Module):
    """A trunk of a moment: one layer on a shrunk picture."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(36, 512)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = torch.relu(self.layer(F.adaptive_avg_pool2d(x, 6).flatten(1)))
        return features


def network(regions: str = "fixed") -> RegionAttentionNetwork:
    torch.manual_seed(0)
    made = RegionAttentionNetwork(8, "iresnet18", regions)  # type: ignore[arg-type]
    made.trunk = Glance()
    return made


def test_the_published_form_has_30_752_842_parameters() -> None:
    assert count_parameters(RegionAttentionNetwork(8, "iresnet50"))[1] == 30_752_842


def test_where_no_region_is_believed_all_are_alike() -> None:
    network = RegionAttentionNetwork(8, "mini_xception").eval()
    with torch.inference_mode():
        for attention in (network.self_attention, network.relation_attention):
            assert isinstance(attention, torch.nn.Linear)
            attention.weight.zero_()
            attention.bias.fill_(-200)
        logits, told = network.attend(torch.zeros(2, 1, 48, 48))
    assert torch.isfinite(logits).all()
    torch.testing.assert_close(told["region"], torch.full((2, 6), 1 / 6))


def test_with_mini_xception_it_has_51_322_parameters() -> None:
    network = RegionAttentionNetwork(8, "mini_xception")
    assert count_parameters(network)[1] == 51_322
    logits, attention = network.attend(torch.zeros(2, 1, 48, 48))
    assert logits.shape == (2, 8)
    assert attention["region"].shape == (2, 6)


@pytest.mark.parametrize(
    "regions", [fixed_regions(), random_regions(), landmark_regions()], ids=["fixed", "rnd", "lm"]
)
def test_every_region_is_a_square_inside_the_crop_after_the_whole_face(
    regions: torch.Tensor,
) -> None:
    assert regions.shape == (6, 4)
    assert tuple(regions[0].tolist()) == WHOLE
    left, top, right, bottom = regions.unbind(1)
    torch.testing.assert_close(right - left, bottom - top)
    assert (regions >= 0).all()
    assert (regions <= 1).all()
    assert (right - left)[1:].max() < 1


def test_random_regions_are_of_the_sizes_said() -> None:
    torch.manual_seed(0)
    sides = torch.cat([(places := random_regions(9))[1:, 2] - places[1:, 0] for _ in range(50)])
    assert 0.7 <= sides.min() < 0.72
    assert 0.93 < sides.max() <= 0.95


def test_landmark_squares_hold_their_points() -> None:
    squares = landmark_regions() * 48
    points = [(15.0, 18.9), (32.7, 18.8), (23.8, 28.0), (16.5, 38.0), (31.5, 38.0)]
    for (left, top, right, bottom), (x, y) in zip(squares[1:].tolist(), points, strict=True):
        assert left < x < right
        assert top < y < bottom


def test_the_whole_face_is_cut_as_it_is() -> None:
    x = torch.rand(2, 1, 48, 48)
    torch.testing.assert_close(cut(x, torch.tensor([WHOLE])), x, atol=1e-5, rtol=0)


def test_cutting_a_quarter_is_slicing_and_resizing() -> None:
    x = torch.rand(3, 1, 48, 48)
    upper_left, upper_right = (0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5)
    found = cut(x, torch.tensor([upper_left, upper_right]))
    # At the cut a slice knows only its own edge; the rest is the same.
    sliced = F.interpolate(x[..., :24, :24], scale_factor=2, mode="bilinear")
    torch.testing.assert_close(found[:3, ..., :-1, :-1], sliced[..., :-1, :-1], atol=1e-5, rtol=0)
    sliced = F.interpolate(x[..., :24, 24:], scale_factor=2, mode="bilinear")
    torch.testing.assert_close(found[3:, ..., :-1, 1:], sliced[..., :-1, 1:], atol=1e-5, rtol=0)


def test_cuts_come_region_by_region() -> None:
    x = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 1, 8, 8)
    found = cut(x, fixed_regions()[:2])
    torch.testing.assert_close(found[:, 0, 4, 4], torch.tensor([0.0, 1, 2, 0, 1, 2]))


def test_the_weights_sum_to_one_and_decide_the_logits() -> None:
    net = network().eval()
    x = torch.rand(3, 1, 48, 48)
    with torch.no_grad():
        logits, attention = net.attend(x)
        assert attention["region"].shape == attention["self"].shape == (3, 6)
        torch.testing.assert_close(attention["region"].sum(1), torch.ones(3))
        assert ((attention["self"] > 0) & (attention["self"] < 1)).all()
        assert attention["region"].std(1).min() > 0
        assert torch.equal(attention["square"], fixed_regions().expand(3, 6, 4))
        # Equations 3, 4, 6 and 7 for the last picture, region by region.
        features = [net.trunk(cut(x[2:], place[None]))[0] for place in fixed_regions()]
        alone = [torch.sigmoid(net.self_attention(each)) for each in features]
        summary = sum(
            (a * f for a, f in zip(alone, features, strict=True)), torch.zeros(512)
        ) / sum(alone)
        pairs = [torch.cat([each, summary]) for each in features]
        weights = [
            a * torch.sigmoid(net.relation_attention(pair))
            for a, pair in zip(alone, pairs, strict=True)
        ]
        total = torch.stack(weights).sum()
        seen = torch.stack([w * pair for w, pair in zip(weights, pairs, strict=True)]).sum(0)
        torch.testing.assert_close(attention["region"][2], torch.cat(weights) / total)
        torch.testing.assert_close(logits[2], net.classifier(seen / total))


def test_random_regions_are_drawn_in_training_alone() -> None:
    net = network("random")
    x = torch.rand(2, 1, 48, 48)
    first, second = (net.train().attend(x)[1]["square"] for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(first[0], first[1])
    assert torch.equal(net.eval().attend(x)[1]["square"][0], fixed_regions())
    for regions in ("fixed", "landmarks"):
        still = network(regions).train().attend(x)[1]["square"]
        assert torch.equal(still, network(regions).eval().attend(x)[1]["square"])


@pytest.mark.parametrize(
    ("alone", "expected"),
    [
        ([0.5, 0.7, 0.2], 0.0),  # a region weighs 0.2 more than the face: enough
        ([0.5, 0.2, 0.6], 0.0),  # exactly the margin
        ([0.5, 0.55, 0.2], 0.05),
        ([0.5, 0.3, 0.5], 0.1),
        # The face itself weighs most; it is not one of the regions, or this were 0.1.
        ([0.9, 0.2, 0.1], 0.8),
    ],
)
def test_the_region_biased_loss_by_hand(alone: list[float], expected: float) -> None:
    found = region_biased_loss(torch.tensor([alone]), margin=0.1)
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_the_region_biased_loss_is_a_mean_over_faces() -> None:
    alone = torch.tensor([[0.5, 0.55, 0.2], [0.9, 0.2, 0.1], [0.1, 0.9, 0.9]])
    assert region_biased_loss(alone, 0.1).item() == pytest.approx(0.85 / 3)


def test_the_region_biased_loss_raises_the_best_region_above_the_face() -> None:
    alone = torch.tensor([[0.5, 0.3, 0.4]], requires_grad=True)
    region_biased_loss(alone, 0.1).backward()  # type: ignore[no-untyped-call]
    assert alone.grad is not None
    assert alone.grad.tolist() == [[1.0, 0.0, -1.0]]
