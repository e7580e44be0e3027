"""Training on from an exported file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.cli.train import main
from models.data.face_set import FaceSet
from models.export import export
from models.runtime.errors import UserError
from models.runtime.preprocess import to_input
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.exported import unfold
from models.training.loop import Trainer
from models.training.recipe import Recipe
from models.training.start import network_of
from models.training.warm_start import begin_from

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def file(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the exported FER+ half of the whole run."""
    output = tmp_path_factory.mktemp("exported") / "model.onnx"
    return export(trained / "last.pt", output=output, label_set="ferplus").path


@pytest.fixture(scope="module")
def pixels(faces: FaceSet) -> Tensor:
    """Return the training pictures, (N, 1, 48, 48) uint8."""
    return torch.from_numpy(faces.split("Training").pixels).unsqueeze(1)


def test_it_says_what_the_file_says_in_training_too(file: Path, pixels: Tensor) -> None:
    network, classifier = unfold(file, pixels)
    crops = list(pixels[:, 0].numpy())
    inputs = torch.from_numpy(to_input(crops, classifier.card.input))
    expected = classifier.run(crops, mirror=False)["logits"]
    with torch.inference_mode():
        np.testing.assert_allclose(network(inputs), expected, atol=1e-4)
        # Over these very pictures batch statistics are the ones taken over.
        np.testing.assert_allclose(network.train()(inputs), expected, atol=1e-3)


def test_a_training_begins_with_it(file: Path, pixels: Tensor, recipe: Recipe) -> None:
    trainer = Trainer(recipe, CPU)
    drawn = trainer.network.classifier.weight[:7].clone()
    trainer.sources = ["fer2013"]
    begin_from(trainer, file, pixels)
    network, _ = unfold(file, pixels)
    assert torch.equal(trainer.network.classifier.weight[:7], drawn)
    assert torch.equal(trainer.network.classifier.weight[7:], network.classifier.weight)
    assert torch.equal(trainer.average.network.classifier.weight[7:], network.classifier.weight)
    assert trainer.begun_from.startswith("mini_xception for ferplus, epoch 12 of 12, commit ")
    assert trainer.sources == ["fer2013", "ferplus"]


def test_the_other_label_set_comes_from_the_file_beside_it(
    trained: Path, pixels: Tensor, recipe: Recipe, tmp_path: Path
) -> None:
    for name in ("fer2013", "ferplus"):
        export(trained / "last.pt", output=tmp_path / f"net.{name}.onnx", label_set=name)
    trainer = Trainer(recipe, CPU)
    begin_from(trainer, tmp_path / "net.ferplus.onnx", pixels)
    expected = load_checkpoint(trained / "last.pt")["average"]["classifier.weight"]
    torch.testing.assert_close(trainer.network.classifier.weight.data, expected)
    assert trainer.begun_from.startswith("mini_xception for ferplus and fer2013, epoch 12 of 12")
    # What another training made, or what cannot be read, is left where it is.
    beside = tmp_path / "net.fer2013.onnx"
    values = load_checkpoint(trained / "last.pt")
    first = next(iter(values["average"]))
    values["average"][first] = values["average"][first] * 1.5
    save_checkpoint(tmp_path / "other.pt", values)
    export(tmp_path / "other.pt", output=beside, label_set="fer2013")
    for _ in range(2):
        again = Trainer(recipe, CPU)
        drawn = again.network.classifier.weight[:7].clone()
        begin_from(again, tmp_path / "net.ferplus.onnx", pixels)
        assert torch.equal(again.network.classifier.weight[:7], drawn)
        assert again.begun_from.startswith("mini_xception for ferplus, epoch 12 of 12")
        beside.write_bytes(b"no model")


def test_a_region_network_looks_with_it(file: Path, pixels: Tensor, recipe: Recipe) -> None:
    regions = replace(recipe, architecture="ran", network={"trunk": "mini_xception"})
    trainer = Trainer(regions, CPU)
    before = trainer.network.classifier.weight.clone()
    begin_from(trainer, file, pixels)
    network, _ = unfold(file, pixels)
    theirs = network.state_dict()
    taken = [name for name in trainer.network.state_dict() if name.startswith("trunk.")]
    assert len(taken) == len([name for name in theirs if not name.startswith("classifier.")])
    for name in taken:
        own = trainer.network.state_dict()[name]
        assert torch.equal(own, theirs[name.removeprefix("trunk.")]), name
    assert torch.equal(trainer.network.classifier.weight, before)
    with pytest.raises(UserError, match="expected a checkpoint of ran, found one of mini_xcep"):
        begin_from(Trainer(replace(regions, network={"trunk": "cbam_resnet18"}), CPU), file, pixels)


def test_the_command_trains_on_from_a_file(
    file: Path,
    data: Path,
    recipe: Recipe,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    trained: Path,
) -> None:
    gentle = replace(recipe, epochs=1, labels={"ferplus": 1.0}, learning_rate=1e-5, ema=0.0)
    name, out = write_recipe(gentle, tmp_path), tmp_path / "run"
    arguments = [name, "--data", str(data), "--out", str(out), "--from", str(file)]
    assert main([*arguments, "--device", "cpu", "--threads", "1"]) == 0
    values = load_checkpoint(out / "last.pt")
    before = load_checkpoint(trained / "last.pt")["history"][-1]["ferplus"]
    assert values["history"][-1]["ferplus"] >= before - 0.1
    assert values["sources"] == ["fer2013", "ferplus"]
    assert network_of(file)["architecture"] == "mini_xception"


def test_a_file_of_whole_numbers_is_refused(
    trained: Path, faces: FaceSet, pixels: Tensor, tmp_path: Path
) -> None:
    output = tmp_path / "small.onnx"
    export(trained / "last.pt", output=output, label_set="ferplus", precision="int8", faces=faces)
    with pytest.raises(UserError, match="or with a file of fp32 or fp16"):
        unfold(output, pixels)
