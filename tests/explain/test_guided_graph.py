"""The exported backward pass equals torch's, network by network."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.card_file import embed_card
from models.cli.export_onnx import main as export_main
from models.explain.backward import guided_graph, write_guided
from models.explain.guided import HIGHEST, GuidedBackprop, guided_file
from models.export import _write_graph, parity_crops
from models.guided_export import write_checked_guided
from models.nets import ran
from models.nets.cbam_resnet import AttentionBlock
from models.nets.deep_emotion import DeepEmotion
from models.nets.guided import guided_gradient
from models.nets.mini_xception import MiniXception
from models.nets.network import Network
from models.nets.simple_cnn import SimpleCnn
from models.nets.spatial_transformer import warp
from models.precision import to_fp16
from models.runtime.card import Card, InputSpec, ModelError
from models.runtime.classifier import OnnxClassifier
from models.runtime.preprocess import to_input
from models.training.checkpoint import save_checkpoint
from models.training.loop import Trainer
from models.training.recipe import Recipe

pytestmark = pytest.mark.train

SPEC = InputSpec(size=48, mean=0.5, std=0.25)
MakeCard = Callable[[str, dict[str, str]], Card]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)
    logging.disable(logging.NOTSET)


class BothWarps(DeepEmotion):
    """Warp the picture and then its features too: the sequential and the parallel form in one."""

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        theta = self.localisation(x)
        logits = self.classifier(self.hidden(warp(self.features(warp(x, theta)), theta)))
        return logits, {"theta": theta}


class SmallTrunk(nn.Module):
    """Stand in for the trunk of a region attention network, with blocks of CBAM-ResNet."""

    features = 16

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 5, 4), nn.BatchNorm2d(16), nn.ReLU())
        self.blocks = nn.ModuleList(
            [
                AttentionBlock(16, 16, 1, "channel_first"),
                AttentionBlock(16, 16, 2, "channel_first"),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x, _, _ = block(x)
        return x.mean((2, 3))


@dataclass(frozen=True)
class Forward:
    """A network and its exported file, for tests that only read them."""

    network: Network
    path: Path

    def copy(self, folder: Path) -> Self:
        """Return both anew, to be changed or written beside."""
        path = folder / self.path.name
        path.write_bytes(self.path.read_bytes())
        return replace(self, network=deepcopy(self.network), path=path)


def settled(network: Network) -> Network:
    """Return the network in eval mode with running statistics and weights that have a say."""
    inputs = torch.from_numpy(to_input(parity_crops(SPEC), SPEC))
    network.train()
    with torch.no_grad():
        network(inputs)
        for name, parameter in network.named_parameters():
            if "regression.2" in name:  # the identity leaves nothing to differentiate
                parameter.add_(0.03 * torch.randn_like(parameter))
    return network.eval()


@pytest.fixture(scope="module")
def forward(
    make_card: MakeCard, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Forward]:
    """Return how to get a network by name with its file; exporting one takes seconds."""

    @cache
    def make(name: str) -> Forward:
        torch.manual_seed(0)
        network = settled(NETWORKS[name]())
        path = tmp_path_factory.mktemp(name) / "net.onnx"
        _write_graph(network, SPEC, path, 18)
        outputs = [value.name for value in onnx.load(path).graph.output]
        embed_card(path, make_card("net", dict.fromkeys(outputs, "")))
        return Forward(network, path)

    return make


def apart(network: Network, path: Path, labels: list[int]) -> float:
    """Return how far the backward graph is from torch, in parts of the greatest gradient."""
    crops = parity_crops(SPEC)
    asked = [labels[number % len(labels)] for number in range(len(crops))]
    expected = guided_gradient(network, torch.from_numpy(to_input(crops, SPEC)), asked)
    classifier = OnnxClassifier(path, provider="CPU")
    found = GuidedBackprop(classifier).gradients(crops, asked)
    assert found.shape == (len(crops), 48, 48)
    greatest = float(expected.abs().max())
    assert greatest > 0
    assert (expected != 0).float().mean() > 0.2
    return float(np.abs(found - expected.numpy()[:, 0]).max()) / greatest


def small_ran() -> Network:
    ran.TRUNKS["small"] = SmallTrunk
    try:
        return ran.RegionAttentionNetwork(7, trunk="small")
    finally:
        del ran.TRUNKS["small"]


NETWORKS: dict[str, Callable[[], Network]] = {
    "mini_xception": lambda: MiniXception(7),
    "simple_cnn": lambda: SimpleCnn(7),
    "both_warps": lambda: BothWarps(7),
    "regions_and_cbam": small_ran,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_equals_the_guided_backward_pass_of_torch(
    name: str, forward: Callable[[str], Forward], tmp_path: Path
) -> None:
    given = forward(name).copy(tmp_path)
    file = write_checked_guided(given.network, given.path, parity_crops(SPEC))
    assert file == guided_file(given.path)
    for labels in ([HIGHEST], [0, 3, 6]):
        assert apart(given.network, given.path, labels) < 1e-4
    assert file.stat().st_size < 60_000


def test_guided_differs_from_the_plain_gradient() -> None:
    network = settled(NETWORKS["mini_xception"]())
    inputs = torch.from_numpy(to_input(parity_crops(SPEC), SPEC)).requires_grad_()
    (plain,) = torch.autograd.grad(network(inputs)[:, 1].sum(), inputs)
    guided = guided_gradient(network, inputs, [1] * len(inputs))
    assert (plain - guided).abs().max() > 0.1 * plain.abs().max()


def test_a_difference_from_torch_leaves_no_file(
    forward: Callable[[str], Forward], tmp_path: Path
) -> None:
    given = forward("simple_cnn").copy(tmp_path)
    with torch.no_grad():
        given.network.classifier.weight.mul_(1.01)
    with pytest.raises(ModelError, match="expected torch and the backward graph to agree"):
        write_checked_guided(given.network, given.path, parity_crops(SPEC))
    assert not guided_file(given.path).exists()


@pytest.mark.parametrize(
    ("jumps", "agree"),
    [({"single"}, True), ({"double", "moved"}, True), ({"single", "double"}, True),
     ({"single", "double", "moved"}, False)],
)  # fmt: skip
def test_where_rounding_decides_one_of_torchs_ways_is_enough(
    jumps: set[str],
    agree: bool,
    forward: Callable[[str], Forward],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As behind a ReLU whose input is 0 but for rounding."""
    unmoved = torch.from_numpy(to_input(parity_crops(SPEC), SPEC))

    def jumping(network: Network, inputs: Tensor, labels: list[int]) -> Tensor:
        found = guided_gradient(network, inputs, labels)
        same = torch.equal(inputs.float(), unmoved)
        way = "double" if found.dtype == torch.float64 else "single" if same else "moved"
        if way in jumps:
            found[2] += 0.01 * found.abs().max()
        return found

    monkeypatch.setattr("models.guided_export.guided_gradient", jumping)
    given = forward("simple_cnn").copy(tmp_path)
    if agree:
        assert write_checked_guided(given.network, given.path, parity_crops(SPEC)).is_file()
        return
    with pytest.raises(ModelError, match="expected torch and the backward graph to agree"):
        write_checked_guided(given.network, given.path, parity_crops(SPEC))


def test_a_float16_model_is_followed_back_with_its_own_weights(
    forward: Callable[[str], Forward], tmp_path: Path, make_card: MakeCard
) -> None:
    given = forward("mini_xception").copy(tmp_path)
    network, path = given.network, given.path
    before = path.stat().st_size
    to_fp16(path)
    embed_card(path, make_card("net", {"logits": "", "cam": ""}))
    assert path.stat().st_size < 0.7 * before
    write_guided(path)
    assert guided_file(path).stat().st_size < 60_000
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    assert apart(network, path, [2]) < 0.05


def test_both_files_can_be_moved_together(
    forward: Callable[[str], Forward], tmp_path: Path
) -> None:
    given = forward("both_warps").copy(tmp_path)
    write_guided(given.path)
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in (given.path, guided_file(given.path)):
        file.rename(moved / file.name)
    assert apart(given.network, moved / given.path.name, [1]) < 1e-4


def node_model(kind: str, opset: int = 18) -> onnx.ModelProto:
    """Return a model of one operator and a mean."""
    slope = numpy_helper.from_array(np.full((1, 1, 1), 0.1, np.float32), "slope")
    axes = numpy_helper.from_array(np.array([2, 3], np.int64), "axes")
    inputs = ["crops", "slope"] if kind == "PRelu" else ["crops"]
    graph = helper.make_graph(
        [
            helper.make_node(kind, inputs, ["bent"]),
            helper.make_node("ReduceMean", ["bent", "axes"], ["logits"], keepdims=0),
        ],
        "one",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["faces", 1, 48, 48])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["faces", 1])],
        [slope, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


@pytest.mark.parametrize(("kind", "said"), [("PRelu", "nothing to guide by"), ("Tanh", "Tanh:")])
def test_an_operator_without_a_rule_is_named(kind: str, said: str) -> None:
    with pytest.raises(ModelError, match=rf"^one\.onnx: expected .* found {kind}.*") as error:
        guided_graph(node_model(kind), "one.onnx")
    assert said in str(error.value)


def test_an_old_operator_set_is_refused() -> None:
    with pytest.raises(ModelError, match="export it with --opset 18"):
        guided_graph(node_model("Relu", opset=17), "one.onnx")


def test_what_is_no_exported_model_is_refused(tmp_path: Path) -> None:
    other = node_model("Relu")
    other.graph.input[0].name = "pixels"
    with pytest.raises(ModelError, match="expected a model of fer-export-onnx"):
        guided_graph(other, "one.onnx")
    (tmp_path / "one.onnx").write_text("no model")
    with pytest.raises(ModelError, match="expected an ONNX model"):
        write_guided(tmp_path / "one.onnx")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Return the checkpoint of an untrained mini-Xception."""
    recipe = Recipe.from_dict(
        {
            "architecture": "mini_xception",
            "labels": {"fer2013": 1.0},
            "epochs": 1,
            "batch_size": 4,
            "learning_rate": 1e-3,
        }
    )
    trainer = Trainer(recipe, torch.device("cpu"))
    settled(trainer.network)
    path = tmp_path / "last.pt"
    save_checkpoint(path, {**trainer.state(), "environment": {}})
    return path


def test_the_command_writes_it_with_a_model_or_for_one_that_is_there(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "mine.onnx"
    assert export_main([str(checkpoint), "-o", str(model), "--guided"]) == 0
    classifier = OnnxClassifier(model, provider="CPU")
    assert GuidedBackprop(classifier).gradients(parity_crops(SPEC)[:1], [0]).any()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["last.pt", "mine.guided.onnx", "mine.json", "mine.onnx"]
    first = guided_file(model).read_bytes()
    guided_file(model).unlink()
    assert export_main([str(model), "--guided"]) == 0
    assert guided_file(model).read_bytes() == first
    assert capsys.readouterr().out.count("guided backpropagation") == 2


def test_the_command_says_what_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "none.onnx"
    assert export_main([str(model), "--guided"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def values_of(path: Path) -> dict[str, NDArray[Any]]:
    """Return the constants of a file, those that lie in another one read from there."""
    graph = onnx.load(path).graph
    return {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}


def test_weights_are_shared_and_not_copied(
    forward: Callable[[str], Forward], tmp_path: Path
) -> None:
    path = forward("mini_xception").copy(tmp_path).path
    write_guided(path)
    bare = onnx.load(guided_file(path), load_external_data=False).graph.initializer
    shared = {entry.name for entry in bare if entry.data_location == TensorProto.EXTERNAL}
    own, theirs = values_of(guided_file(path)), values_of(path)
    assert len(shared) >= 20
    for name in shared:
        np.testing.assert_array_equal(own[name], theirs[name])
