"""Take the weights of a network back out of its exported ONNX file.

The exporter folds each batch normalisation into the convolution before it and drops the scale and
shift that training needs. Both come back by looking at pictures: what the network says stays the
same, and each normalisation knows again what its input looks like.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from models.crops import one_crop
from models.export import TOLERANCE
from models.nets.network import Network
from models.nets.registry import find_architecture
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.preprocess import to_input
from models.training.predict import network_logits

ENOUGH = 1024
"""Pictures that statistics are taken from."""
_PREFIX = "network."


def unfold(path: Path, pixels: Tensor) -> tuple[Network, OnnxClassifier]:
    """Return the network of an ONNX file, ready to be trained on, and the file as it runs.

    pixels: (N, 1, 48, 48) uint8, training pictures. The network is in eval mode, on the CPU.
    Raises `UserError` for a file whose weights cannot be told from its values.
    """
    classifier = OnnxClassifier(path, provider="CPU")
    card = classifier.card
    options = card.recipe.get("network", {})
    network = find_architecture(card.architecture).build(len(card.labels), options).eval()
    some = pixels[:: max(1, len(pixels) // ENOUGH)][:ENOUGH, 0].cpu().numpy()
    crops = one_crop(some, card.input)
    inputs = torch.from_numpy(to_input(list(crops), card.input))
    with torch.inference_mode():
        folded = _take_over(network, _weights(path), _followed(network, inputs[:2]), path)
        _take_statistics(network, folded, inputs)
    found = network_logits(network, card.input)(crops[:8])
    expected = classifier.run(list(crops[:8]), mirror=False)["logits"]
    apart = float(np.abs(found - expected).max())
    if not apart <= TOLERANCE[card.precision] * max(1.0, float(np.abs(expected).max())):
        raise UserError(
            f"{path}: expected the file's own answers from its weights, found a difference of "
            f"{apart:.2g}: begin with the checkpoint it was made of"
        )
    return network, classifier


def _weights(path: Path) -> dict[str, Tensor]:
    """Return the file's values by the names of the network's, the last layer's too."""
    graph = onnx.load(path).graph
    stored = {entry.name: entry for entry in graph.initializer}
    values = {
        name.removeprefix(_PREFIX): torch.from_numpy(
            numpy_helper.to_array(entry).astype(np.float32)
        )
        for name, entry in stored.items()
        if name.startswith(_PREFIX) and entry.data_type != onnx.TensorProto.INT64
    }
    if "classifier.weight" not in values:
        # Unit vectors (AngularLinear) are worked out by the exporter and lose their name.
        makers = {name: node for node in graph.node for name in node.output}
        node = makers.get("logits")
        while node is not None and node.op_type == "Cast":
            node = makers.get(node.input[0])
        for name in node.input if node is not None else ():
            if name in stored:
                array = numpy_helper.to_array(stored[name]).astype(np.float32)
                values["classifier.weight"] = torch.from_numpy(array)
    return values


def _followed(network: Network, inputs: Tensor) -> dict[str, str]:
    """Return by the name of each normalisation that of the convolution it follows."""
    made: dict[int, tuple[str, Tensor]] = {}
    found: dict[str, str] = {}
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):

            def note(_: nn.Module, __: object, output: Tensor, name: str = name) -> None:
                made[id(output)] = (name, output)  # kept, so that no other takes its id

            hooks.append(module.register_forward_hook(note))
        elif isinstance(module, nn.BatchNorm2d):

            def look(_: nn.Module, given: tuple[Tensor], name: str = name) -> None:
                if id(given[0]) in made:
                    found[name] = made[id(given[0])][0]

            hooks.append(module.register_forward_pre_hook(look))
    network(inputs)
    for hook in hooks:
        hook.remove()
    return found


def _take_over(
    network: Network, values: dict[str, Tensor], followed: dict[str, str], path: Path
) -> list[str]:
    """Load the file's values; return the normalisations that were folded.

    These only shift until they have their statistics.
    """
    weights = network.state_dict()
    folded = []
    for norm, convolution in followed.items():
        if f"{norm}.weight" in values:
            continue
        shift = values.pop(f"{convolution}.weight_bias", None)
        if shift is None:
            shift = values.pop(f"{convolution}.bias", None)
        if shift is None:
            continue
        folded.append(norm)
        if f"{convolution}.bias" in weights:
            values[f"{convolution}.bias"] = torch.zeros_like(shift)
        values |= {
            f"{norm}.weight": torch.ones_like(shift),
            f"{norm}.bias": shift,
            f"{norm}.running_mean": torch.zeros_like(shift),
            f"{norm}.running_var": torch.full_like(shift, 1 - _norm(network, norm).eps),
        }
    for name, own in weights.items():
        value = values.get(name)
        if value is None and name.endswith("num_batches_tracked"):
            continue
        if value is None or value.shape != own.shape:
            found = "none" if value is None else f"one of {tuple(value.shape)}"
            raise UserError(
                f"{path}: expected a value {name} of {tuple(own.shape)}, found {found}: begin with "
                "the checkpoint it was made of, or with a file of fp32 or fp16"
            )
        weights[name] = value
    network.load_state_dict(weights)
    return folded


def _norm(network: Network, name: str) -> nn.BatchNorm2d:
    module = network.get_submodule(name)
    assert isinstance(module, nn.BatchNorm2d)
    return module


def _take_statistics(network: Network, folded: list[str], inputs: Tensor) -> None:
    """Give each folded normalisation the mean and variance of its input, all else the same."""
    sums: dict[str, list[Tensor]] = {}
    hooks = []
    for name in folded:

        def add(_: nn.Module, given: tuple[Tensor], name: str = name) -> None:
            values = given[0].double()
            parts = sums.setdefault(name, [torch.zeros(()), torch.zeros(())])
            parts[0] = parts[0] + values.mean((0, 2, 3)) * len(values)
            parts[1] = parts[1] + values.square().mean((0, 2, 3)) * len(values)

        hooks.append(_norm(network, name).register_forward_pre_hook(add))
    for batch in torch.split(inputs, 64):
        network(batch)
    for hook in hooks:
        hook.remove()
    for name, (total, squares) in sums.items():
        norm = _norm(network, name)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean = total / len(inputs)
        variance = squares / len(inputs) - mean.square()
        scale = torch.sqrt(variance + norm.eps)
        norm.bias.add_(mean)
        norm.weight.copy_(scale)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
