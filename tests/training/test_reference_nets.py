"""The networks of the papers: their size, their shapes, what they say of where they look."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nets.cbam import ORDERS, Cbam, Order
from models.nets.cbam_resnet import CbamResnet18
from models.nets.deep_emotion import Acn, DeepEmotion, DeepEmotionParallel
from models.nets.iresnet import IResNet18
from models.nets.network import Network, count_parameters
from models.nets.simple_cnn import SimpleCnn
from models.nets.spatial_transformer import warp
from models.nets.vgg import Vgg

pytestmark = pytest.mark.train


def _convolutions(network: nn.Module) -> int:
    """Count the convolutions on the way from picture to class; shortcuts apart."""
    return sum(
        isinstance(layer, nn.Conv2d) and "shortcut" not in name and "attention" not in name
        for name, layer in network.named_modules()
    )


def test_simple_cnn_is_the_published_one() -> None:
    network = SimpleCnn(7)
    assert count_parameters(network)[1] == 641_463
    assert _convolutions(network) == 10  # nine and the classifying one
    assert not any(isinstance(layer, nn.Linear) for layer in network.modules())


@pytest.mark.parametrize("build", [DeepEmotion, DeepEmotionParallel])
def test_deep_emotion_has_the_printed_layers(build: type[DeepEmotion]) -> None:
    network = build(7)
    assert count_parameters(network)[1] == 66_877
    assert network.features(torch.rand(2, 1, 48, 48)).shape == (2, 10, 9, 9)
    assert network.localisation.features(torch.rand(2, 1, 48, 48)).flatten(1).shape == (2, 640)


def test_acn_adds_a_fifth_convolution_for_four_labels() -> None:
    network = Acn(4)
    assert count_parameters(network)[1] == 67_634
    assert network.features(torch.rand(2, 1, 48, 48)).shape == (2, 10, 9, 9)
    assert network(torch.rand(2, 1, 48, 48)).shape == (2, 4)


def test_an_untrained_transformer_looks_at_the_whole_picture() -> None:
    picture = torch.rand(2, 1, 48, 48)
    _, attention = DeepEmotion(7).eval().attend(picture)
    torch.testing.assert_close(attention["warped"], picture, atol=1e-5, rtol=0)
    assert attention["theta"].tolist() == [[[1, 0, 0], [0, 1, 0]]] * 2


def test_warp_equals_torch_and_moves_where_theta_says() -> None:
    maps = torch.rand(2, 3, 9, 9)
    theta = torch.tensor([[[0.8, 0.1, 0.2], [-0.1, 0.7, 0.0]]]).repeat(2, 1, 1)
    grid = nn.functional.affine_grid(theta, [2, 3, 9, 9], align_corners=False)
    expected = nn.functional.grid_sample(maps, grid, align_corners=False)
    torch.testing.assert_close(warp(maps, theta), expected, atol=1e-5, rtol=0)

    right = torch.tensor([[[1.0, 0.0, 2 / 9], [0.0, 1.0, 0.0]]])
    moved = warp(maps[:1], right)
    torch.testing.assert_close(moved[..., :-1], maps[:1, ..., 1:], atol=1e-5, rtol=0)


def test_the_parallel_form_classifies_warped_features() -> None:
    """Theta decides the parallel form's logits, though its features see the whole picture."""
    network = DeepEmotionParallel(7).eval()
    picture = torch.rand(1, 1, 48, 48)
    before = network(picture)
    with torch.no_grad():
        last = network.localisation.regression[-1]
        assert isinstance(last, nn.Linear)
        last.bias.mul_(0.5)
    assert not torch.allclose(network(picture), before)


@pytest.mark.parametrize("order", ORDERS)
def test_cbam_resnet_is_the_published_one(order: Order) -> None:
    network = CbamResnet18(7, order=order).eval()
    assert count_parameters(network)[1] == 11_259_088
    assert _convolutions(network) == 17
    with torch.no_grad():
        _, attention = network.attend(torch.rand(1, 1, 44, 44))
    assert attention["spatial1"].shape == (1, 1, 44, 44)
    assert attention["spatial8"].shape == (1, 1, 6, 6)
    assert attention["channel8"].shape == (1, 512)
    assert 0 <= float(attention["spatial4"].min()) <= float(attention["spatial4"].max()) <= 1


def test_a_narrower_cbam_resnet_has_as_many_layers() -> None:
    network = CbamResnet18(7, width=32).eval()
    assert count_parameters(network)[1] == 2_818_800
    assert _convolutions(network) == 17
    with torch.no_grad():
        logits, attention = network.attend(torch.rand(2, 1, 44, 44))
    assert logits.shape == (2, 7)
    assert attention["channel8"].shape == (2, 256)


def test_the_orders_of_cbam_differ_in_what_each_attention_reads() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 32, 6, 6)
    refined = {}
    weights = Cbam(32).state_dict()
    for order in ORDERS:
        module = Cbam(32, order)
        module.load_state_dict(weights)
        refined[order], channel, spatial = module(x)
        torch.testing.assert_close(refined[order], x * channel * spatial)
    assert not torch.allclose(refined["channel_first"], refined["spatial_first"])
    assert not torch.allclose(refined["channel_first"], refined["parallel"])


@pytest.mark.parametrize(("depth", "convolutions"), [(13, 10), (16, 13), (19, 16)])
def test_vgg_has_the_convolutions_of_its_depth(depth: int, convolutions: int) -> None:
    network = Vgg(7, depth=depth).eval()
    assert _convolutions(network) == convolutions
    with torch.no_grad():
        _, attention = network.attend(torch.rand(1, 1, 44, 44))
    assert attention["cam"].shape == (1, 7, 2, 2)
    if depth == 19:
        assert count_parameters(network)[1] == 20_032_327


def test_iresnet18_has_two_blocks_a_stage() -> None:
    network = IResNet18(7).eval()
    assert count_parameters(network)[1] == 11_181_447
    assert _convolutions(network) == 17
    with torch.no_grad():
        _, attention = network.attend(torch.rand(1, 1, 44, 44))
    assert attention["cam"].shape == (1, 7, 3, 3)


@pytest.mark.parametrize(
    "network",
    [SimpleCnn(7), CbamResnet18(7), Vgg(7, depth=13), IResNet18(7)],
    ids=["simple_cnn", "cbam", "vgg", "iresnet18"],
)
def test_the_mean_of_the_activation_map_is_the_logit(network: Network) -> None:
    with torch.no_grad():
        logits, attention = network.eval().attend(torch.rand(2, 1, 48, 48))
    torch.testing.assert_close(attention["cam"].mean((2, 3)), logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("build", [SimpleCnn, DeepEmotion, DeepEmotionParallel, CbamResnet18])
def test_dropout_acts_in_training_and_only_there(build: type[Network]) -> None:
    torch.manual_seed(0)
    network = build(7)
    picture = torch.rand(4, 1, 48, 48)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0
    network.train()
    assert not torch.equal(network(picture), network(picture))
    network.eval()
    assert torch.equal(network(picture), network(picture))
