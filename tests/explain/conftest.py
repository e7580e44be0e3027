"""A model made by hand that looks at one known patch for each label, and pictures for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.runtime.card import METADATA_KEY, Card, InputSpec, file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import FER2013

if find_spec("torch") is None or find_spec("onnx") is None:
    collect_ignore_glob = ["test_*.py"]  # the models of these tests are written with onnx

SIDE, CELL = 48, 16
CELLS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 2)]
"""Row and column, in cells of 16 pixels, of the only patch that each label depends on."""

MakeModel = Callable[..., Path]


def _card(name: str, outputs: dict[str, str]) -> Card:
    """Return a card without the facts of a file."""
    return Card(
        name=name,
        title="Patches",
        architecture="patches",
        paper="none",
        label_set="fer2013",
        labels=FER2013,
        input=InputSpec(size=SIDE, mean=0.5, std=0.25),
        outputs=outputs,
        precision="fp32",
        parameters=1,
        trainable=1,
        temperature={"one": 1.0, "mirror": 1.0},
        metrics=(),
        recipe={},
        training={"epoch": 1},
        data=("patches",),
        licence="MIT",
        limits=("It is a test.",),
    )


@pytest.fixture(scope="session")
def make_card() -> Callable[[str, dict[str, str]], Card]:
    """Return how to make a card without the facts of a file."""
    return _card


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Return how to write patches.onnx, with its card and with or without its backward graph."""

    def make(name: str = "patches", *, guided: bool = True, gain: float = 30.0) -> Path:
        from models.explain.backward import write_guided

        path = tmp_path / f"{name}.onnx"
        _write_patches(path, gain)
        if guided:
            write_guided(path)
        return path

    return make


def _write_patches(path: Path, gain: float) -> None:
    """Write a model whose label n is the likelier the brighter its own cell is above middle gray.

    cam: relu of the mean of each cell, kept in the label's cell alone.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    labels = len(FER2013)
    weight = np.full((labels, 1, CELL, CELL), 1 / CELL**2, np.float32)
    own = np.zeros((1, labels, 3, 3), np.float32)
    for label, (row, column) in enumerate(CELLS):
        own[0, label, row, column] = gain
    nodes = [
        helper.make_node("Conv", ["crops", "weight"], ["means"], strides=[CELL, CELL]),
        helper.make_node("Relu", ["means"], ["bright"]),
        helper.make_node("Mul", ["bright", "own"], ["cam"]),
        helper.make_node("ReduceMean", ["cam", "axes"], ["logits"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "patches",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["faces", 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["faces", labels]),
            helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["faces", labels, 3, 3]),
        ],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(own, "own"),
            numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = _card(path.stem, {"logits": "(N, C)", "cam": "(N, C, 3, 3)"})
    helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.save(model, path)
    beside = replace(card, file=file_facts(path))
    path.with_suffix(".json").write_text(beside.to_json(), encoding="utf-8")


@pytest.fixture(scope="session")
def draw_patch() -> Callable[..., NDArray[np.uint8]]:
    """Return how to draw a gray crop with noise and one bright patch: that of a label."""
    return _draw_patch


def _draw_patch(label: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    crop = rng.integers(60, 120, (SIDE, SIDE), dtype=np.uint8)
    crop[_cell_of(label)] = rng.integers(190, 250, (CELL, CELL), dtype=np.uint8)
    return crop


@pytest.fixture(scope="session")
def cell_of() -> Callable[[int], tuple[slice, slice]]:
    """Return how to get the rows and columns of a label's patch."""
    return _cell_of


def _cell_of(label: int) -> tuple[slice, slice]:
    row, column = CELLS[label]
    return (
        slice(row * CELL, (row + 1) * CELL),
        slice(column * CELL, (column + 1) * CELL),
    )


@pytest.fixture
def classifier(make_model: MakeModel) -> OnnxClassifier:
    """Return the model of patches, with its backward graph beside it."""
    return OnnxClassifier(make_model(), provider="CPU", mirror=False)
