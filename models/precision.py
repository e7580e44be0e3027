"""Smaller numbers in an ONNX file."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from models.runtime.errors import UserError

PRECISIONS = ("fp32", "fp16", "int8")
_LOAD = """
import onnxruntime, sys
onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
"""


def to_fp16(path: Path) -> None:
    """Store and compute in float16; input and outputs stay float32.

    Raises `UserError` for a graph that ONNX Runtime cannot load so.
    """
    with quiet():
        onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path)
    _check_loads(path)


def _check_loads(path: Path) -> None:
    """Raise `UserError` if ONNX Runtime ends the process that loads a file.

    1.32 does on a CPU for some graphs in float16, those of several regions among them.
    """
    apart = [sys.executable, "-c", _LOAD, str(path)]
    done = subprocess.run(apart, capture_output=True, check=False)  # noqa: S603 - a file of ours
    if done.returncode != 0:
        raise UserError(
            "expected a network that ONNX Runtime can load in fp16, found one on which it fails: "
            "choose fp32 or int8"
        )


def to_int8(path: Path, calibration: NDArray[np.float32]) -> None:
    """Quantise weights and activations to int8 by the ranges seen on inputs (N, 1, S, S)."""
    prepared = path.with_name(f"{path.stem}.prepared.onnx")
    with quiet():
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            _Batches(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Seven bits: where a processor has no VNNI, sums of two products with eight overflow.
            reduce_range=True,
        )
    prepared.unlink()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' notes on their own inner workings from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Hand calibration inputs to ONNX Runtime, 32 at a time."""

    def __init__(self, inputs: NDArray[np.float32]) -> None:
        self._left = iter(np.split(inputs, range(32, len(inputs), 32)))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._left, None)
        return None if batch is None else {"crops": batch}
