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
from models.export import tolerated
from models.nets.network import Network
from models.nets.registry import find_architecture
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.preprocess import to_input
from models.training.predict import network_logits

ENOUGH = 1024
"""Pictures that statistics are taken from."""
_PREFIX = "network."
_COARSER = 10  # than an export: the normalisations were worked out anew, which rounds otherwise
_HALF = ".16"  # ends the names of what the landmark network's export stores in float16


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
    take_back(network, path, inputs)
    found = network_logits(network, card.input)(crops[:8])
    expected = classifier.run(list(crops[:8]), mirror=False)["logits"]
    apart = float(np.abs(found - expected).max())
    if not apart <= _COARSER * tolerated(card.precision, expected):
        raise UserError(
            f"{path}: expected the file's own answers from its weights, found a difference of "
            f"{apart:.2g}: begin with the checkpoint it was made of"
        )
    return network, classifier


@torch.inference_mode()
def take_back(network: nn.Module, path: Path, inputs: Tensor) -> None:
    """Give a network in eval mode the weights of the ONNX file that was made of its like.

    inputs: a batch as the network takes it, of pictures that it is to be trained on. Raises
    `UserError` for a file whose weights cannot be told from its values.
    """
    followed, slopes = _applied(network, inputs[:2])
    folded = _take_over(network, _File(path).weights(slopes), followed, path)
    _take_statistics(network, folded, inputs)


class _File:
    """Hold the graph of an ONNX file and find a network's values in it."""

    def __init__(self, path: Path) -> None:
        self._graph = onnx.load(path).graph
        self._stored = {entry.name: entry for entry in self._graph.initializer}
        self._makers = {name: node for node in self._graph.node for name in node.output}

    def weights(self, slopes: list[str]) -> dict[str, Tensor]:
        """Return the values by the names of the network's.

        What the exporter turns, reshapes or works out loses its name: slopes, weights of a linear
        layer over regions, and unit vectors (AngularLinear). slopes: the names of the slopes of
        the network's PReLUs, in the order in which they are applied.
        """
        values = {
            name.removeprefix(_PREFIX).removesuffix(_HALF): self._value(name)
            for name, entry in self._stored.items()
            if name.startswith(_PREFIX) and entry.data_type != onnx.TensorProto.INT64
        }
        bends = [node for node in self._graph.node if node.op_type == "PRelu"]
        named = {name: self._value(node.input[1]).flatten() for name, node in zip(slopes, bends)}
        return {**self._products(), **self._last(), **named, **values}

    def _value(self, name: str) -> Tensor:
        return torch.from_numpy(numpy_helper.to_array(self._stored[name]).astype(np.float32))

    def _products(self) -> dict[str, Tensor]:
        """Return the matrices that stand, turned, before the addition of a named bias."""
        found = {}
        for node in self._graph.node:
            biases = [name for name in node.input if name.startswith(_PREFIX)]
            makers = [self._makers[name] for name in node.input if name in self._makers]
            if node.op_type != "Add" or not biases or makers[0].op_type != "MatMul":
                continue
            for name in makers[0].input:
                if name in self._stored:
                    weight = biases[0].removeprefix(_PREFIX).removesuffix("bias") + "weight"
                    found[weight] = self._value(name).T
        return found

    def _last(self) -> dict[str, Tensor]:
        """Return the matrix that the logits are made with."""
        node = self._makers.get("logits")
        while node is not None and node.op_type == "Cast":
            node = self._makers.get(node.input[0])
        inputs = node.input[:2] if node is not None else ()
        stored = [name for name in inputs if name in self._stored]
        return {"classifier.weight": self._value(stored[0])} if stored else {}


def _applied(network: nn.Module, inputs: Tensor) -> tuple[dict[str, str], list[str]]:
    """Run a network; return by each normalisation the convolution it follows, and its slopes."""
    made: dict[int, tuple[str, Tensor]] = {}
    followed: dict[str, str] = {}
    slopes: list[str] = []
    hooks = []

    def watch(name: str, module: nn.Module) -> None:
        def after(_: nn.Module, __: object, output: Tensor) -> None:
            made[id(output)] = (name, output)  # kept, so that no other takes its id

        def before(_: nn.Module, given: tuple[Tensor]) -> None:
            if isinstance(module, nn.PReLU):
                slopes.append(f"{name}.weight")
            elif id(given[0]) in made:
                followed[name] = made[id(given[0])][0]

        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(after))
        elif isinstance(module, nn.BatchNorm2d | nn.PReLU):
            hooks.append(module.register_forward_pre_hook(before))

    for name, module in network.named_modules():
        watch(name, module)
    network(inputs)
    for hook in hooks:
        hook.remove()
    return followed, slopes


def _take_over(
    network: nn.Module, values: dict[str, Tensor], followed: dict[str, str], path: Path
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


def _norm(network: nn.Module, name: str) -> nn.BatchNorm2d:
    module = network.get_submodule(name)
    assert isinstance(module, nn.BatchNorm2d)
    return module


def _take_statistics(network: nn.Module, folded: list[str], inputs: Tensor) -> None:
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
        variance = (squares / len(inputs) - mean.square()).clamp(min=0)
        scale = torch.sqrt(variance + norm.eps)
        norm.bias.add_(mean)
        norm.weight.copy_(scale)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
