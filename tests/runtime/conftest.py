"""A model made by hand: one convolution, seven labels, a whole card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.runtime.card import METADATA_KEY, Card, InputSpec, Metric, file_facts
from models.runtime.labels import FER2013

MakeModel = Callable[..., Path]


@pytest.fixture
def card() -> Card:
    """Return a card without the facts of a file."""
    metric = Metric(
        split="PublicTest",
        rule="every picture",
        crops="one",
        n=10,
        accuracy=0.5,
        macro_f1=0.4,
        nll=1.5,
        ece=0.05,
        recall={"anger": 0.5},
        date="2026-01-31",
    )
    return Card(
        name="stripes.fer2013",
        title="Stripes",
        architecture="stripes",
        paper="none",
        label_set="fer2013",
        labels=FER2013,
        input=InputSpec(size=48, mean=0.5, std=0.25),
        outputs={"logits": "(N, C)", "cam": "(N, C, 3, 3)"},
        precision="fp32",
        parameters=1799,
        trainable=1799,
        temperature={"one": 2.0, "mirror": 0.5},
        metrics=(metric, replace(metric, crops="mirror", accuracy=0.6)),
        recipe={"epochs": 1},
        training={"epoch": 1},
        data=("stripes",),
        licence="MIT",
        limits=("It is a test.",),
    )


@pytest.fixture
def make_model(tmp_path: Path, card: Card) -> MakeModel:
    """Return how to write stripes.onnx and its card; the arguments are what is to be amiss."""

    def make(name: str = "stripes", *, beside: Card | None = card, **changes: Any) -> Path:
        path = tmp_path / f"{name}.onnx"
        _write_onnx(path, **({"inside": card} | changes))
        if beside is not None:
            whole = replace(beside, file=file_facts(path))
            path.with_suffix(".json").write_text(whole.to_json(), encoding="utf-8")
        return path

    return make


def _write_onnx(
    path: Path,
    *,
    inside: Card | None,
    labels: int = 7,
    side: int = 48,
    batch: int | str = "faces",
    crops: str = "crops",
    cam: str = "cam",
    seed: int = 0,
) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 0.1, (labels, 1, 16, 16)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", [crops, "weight"], [cam], strides=[16, 16]),
        helper.make_node("GlobalAveragePool", [cam], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "stripes",
        [helper.make_tensor_value_info(crops, TensorProto.FLOAT, [batch, 1, side, side])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, labels]),
            helper.make_tensor_value_info(
                cam, TensorProto.FLOAT, [batch, labels, side // 16, side // 16]
            ),
        ],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if inside is not None:
        helper.set_model_props(model, {METADATA_KEY: inside.without_file().to_json()})
    onnx.save(model, path)


@pytest.fixture
def crops() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return five different pictures."""
    rng = np.random.default_rng(1)
    return list(rng.integers(0, 256, (5, 48, 48), dtype=np.uint8))
