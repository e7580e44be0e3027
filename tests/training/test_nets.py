from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nets.mini_xception import Halving, MiniXception
from models.nets.network import count_parameters
from models.nets.registry import ARCHITECTURES, find_architecture
from models.runtime.errors import UserError

pytestmark = pytest.mark.train


def test_mini_xception_has_the_published_number_of_parameters() -> None:
    values, trainable = count_parameters(MiniXception(7))
    assert values == 58_423
    assert trainable == 56_951


def test_mini_xception_has_the_published_shape_after_every_stage() -> None:
    network = MiniXception(7).eval()
    shapes = []
    x = torch.zeros(2, 1, 48, 48)
    for stage in (network.stem[:3], network.stem[3:], *network.trunk, network.classifier):
        x = stage(x)
        shapes.append(tuple(x.shape))
    assert shapes == [
        (2, 8, 46, 46),
        (2, 8, 44, 44),
        (2, 16, 22, 22),
        (2, 32, 11, 11),
        (2, 64, 6, 6),
        (2, 128, 3, 3),
        (2, 7, 3, 3),
    ]


def test_mini_xception_separates_its_convolutions_without_biases() -> None:
    network = MiniXception(7)
    depthwise = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
    assert [m.groups for m in depthwise] == [8, 16, 16, 32, 32, 64, 64, 128]
    biased = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
    assert biased == [network.classifier]
    assert not any(isinstance(m, nn.Linear) for m in network.modules())


def test_mini_xception_picks_pixels_in_training_as_its_stride_does() -> None:
    """The two ways are one convolution, and large pictures train in channels-last order."""
    torch.manual_seed(0)
    module = Halving(8, 16).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for side in (9, 60):
        x = torch.rand(2, 8, side, side).contiguous(memory_format=torch.channels_last)
        picked = module.train()(x)
        picked.sum().backward()
        torch.testing.assert_close(picked, module.eval()(x))


def test_the_mean_of_the_activation_map_is_the_logit() -> None:
    torch.manual_seed(0)
    network = MiniXception(8).eval()
    logits, attention = network.attend(torch.rand(3, 1, 48, 48))
    assert attention["cam"].shape == (3, 8, 3, 3)
    torch.testing.assert_close(attention["cam"].mean((2, 3)), logits)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("labels", [7, 8])
def test_every_architecture_keeps_the_seam(name: str, labels: int) -> None:
    architecture = find_architecture(name)
    torch.manual_seed(0)
    network = architecture.build(labels).eval()
    side = architecture.only_size or 44
    x = torch.rand(3, 1, side, side)
    with torch.inference_mode():
        logits, attention = network.attend(x)
        assert logits.shape == (3, labels)
        assert all(len(maps) == 3 for maps in attention.values())
        torch.testing.assert_close(network(x), logits)
        torch.testing.assert_close(network(x[1:2]), logits[1:2])
    assert next(iter(network.classifier.parameters())).shape[0] == labels
    assert architecture.name == name


def test_an_unknown_architecture_names_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"mini_xception.*found 'mini_exception'"):
        find_architecture("mini_exception")
