"""From a checkpoint of the face finder to one ONNX file with its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.card_file import drafted, embed_card, write_card
from models.finder_settings import MeasuredFinder, measure_finder
from models.folding import fold_norms
from models.nets.face_finder import CHANNELS, STRIDES, FaceFinderNet
from models.onnx_notes import clear_notes
from models.part_data import FINDER, told
from models.precision import quiet
from models.runtime.errors import UserError
from models.runtime.face_detector import YUNET, FaceDetector
from models.runtime.files import checked_place
from models.runtime.part_card import PartCard
from models.timing import median_ms
from models.training.checkpoint import load_checkpoint, take_weights
from models.training.finder_recipe import TASK

__all__ = ["ExportedFinder", "export_finder"]

TOLERANCE = 1e-3
"""The most that an output may differ between torch and OpenCV."""
MOST_BYTES = 350_000
_OPSET = 18
_SETTINGS = YUNET | {"score": 0.7}
_CHECKED = ((320, 256), (640, 480), (96, 160))

_OUTPUTS = {
    "obj": "(1, H W / s^2, 1) at strides s of 8, 16, 32: that a face is centred here, 0 to 1",
    "cls": "(1, ..., 1) expected intersection over union of box and face, 0 to 1",
    "bbox": "(1, ..., 4) centre x, y in strides from the cell's corner, log of width, height",
    "kps": "(1, ..., 10) x, y of right eye, left eye, nose tip, right and left mouth corner",
}


@dataclass(frozen=True, slots=True)
class ExportedFinder:
    """Hold what an export came to; delta of the outputs, milliseconds for 640x480."""

    path: Path
    card: PartCard
    max_delta: float
    milliseconds: float


def export_finder(
    checkpoint: Path, *, output: Path | None = None, data: Path | None = None
) -> ExportedFinder:
    """Write OUTPUT, by default `face_finder.onnx` here, and its card beside it.

    data: faces to choose the lowest score on, to fit FER2013's square to the box, and to measure;
    the held-back part alone is used. Raises `UserError` if torch and OpenCV do not agree or the
    file is too large; then nothing is written.
    """
    values = load_checkpoint(checkpoint)
    if values["recipe"].get("task") != TASK:
        raise UserError(f"{checkpoint}: expected a checkpoint of {TASK}, found another network's")
    network = FaceFinderNet().eval()
    take_weights(network, values["average"], checkpoint, TASK)
    output = checked_place(output or Path(f"{TASK}.onnx"), ".onnx")
    with drafted(output) as draft:
        _write_graph(network, draft)
        measured = measure_finder(draft, data) if data is not None else None
        card = _card(values, network, measured)
        embed_card(draft, card)
        _check_size(draft)
        delta, milliseconds = _check(network, draft)
        card = write_card(draft, card)
    return ExportedFinder(output, card, delta, milliseconds)


class _Exportable(nn.Module):
    """Take BGR of 0 to 255 and answer as FaceDetectorYN wants it."""

    def __init__(self, network: FaceFinderNet) -> None:
        super().__init__()
        self.network = fold_norms(network)
        first = next(layer for layer in self.network.modules() if isinstance(layer, nn.Conv2d))
        first.weight.data /= 255

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        levels = self.network(picture)
        return (
            *(torch.sigmoid(level[:, :, 1:2]) for level in levels),
            *(torch.sigmoid(level[:, :, :1]) for level in levels),
            *(level[:, :, 2:6] for level in levels),
            *(level[:, :, 6:CHANNELS] for level in levels),
        )


def _write_graph(network: FaceFinderNet, path: Path) -> None:
    rows, columns = torch.export.Dim("rows", min=1), torch.export.Dim("columns", min=1)
    with quiet():
        torch.onnx.export(
            _Exportable(network).eval(),
            (torch.zeros(1, 3, 96, 128),),
            path,
            input_names=["input"],
            output_names=output_names(),
            dynamic_shapes=({2: 32 * rows, 3: 32 * columns},),
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    model = onnx.load(path)
    clear_notes(model)
    del model.graph.value_info[:]  # every reader finds the shapes between by itself
    onnx.save(model, path)


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError(
            f"expected a file of at most {MOST_BYTES:,} bytes, found {size:,}: nothing was written"
        )


def _card(
    values: dict[str, Any], network: FaceFinderNet, measured: MeasuredFinder | None
) -> PartCard:
    history, made_with = values["history"], values["environment"]
    data, licence, limits = told(FINDER, values.get("sources"))
    return PartCard(
        kind="finder",
        name=TASK,
        title="Mien's face finder",
        paper="without anchors, as YOLOX (Ge et al., arXiv 2107.08430); outputs as YuNet (Wu, Peng "
        "and Yu 2023, Machine Intelligence Research 20)",
        input="(1, 3, H, W) float32 BGR, 0 to 255; H and W multiples of 32",
        outputs=_OUTPUTS,
        parameters=sum(p.numel() for p in network.parameters()),
        settings=_SETTINGS if measured is None else {**_SETTINGS, **measured.settings},
        metrics=() if measured is None else measured.metrics,
        recipe=values["recipe"],
        training={
            "epoch": values["epoch"],
            "seconds": round(sum(entry["seconds"] for entry in history)),
            "average_precision_on_mosaics": round(history[-1]["average_precision"], 4),
            **made_with,
        },
        data=data,
        licence=licence,
        limits=limits,
    )


def _check(network: FaceFinderNet, path: Path) -> tuple[float, float]:
    """Compare torch with OpenCV on drawn pictures; return the largest difference and the time."""
    reader = cv2.dnn.readNetFromONNX(str(path))
    exportable = _Exportable(network).eval()
    names = output_names()
    apart = []
    for width, height in _CHECKED:
        blob = cv2.dnn.blobFromImage(_drawn(width, height))
        with torch.inference_mode():
            expected = exportable(torch.from_numpy(blob))
        reader.setInput(blob)
        for name, one, other in zip(names, expected, reader.forward(names), strict=True):
            if other.reshape(-1).shape != one.reshape(-1).shape:
                raise UserError(f"expected {one.shape} for {name} of OpenCV, found {other.shape}")
            apart.append(np.abs(one.numpy().ravel() - other.ravel()).max())
    worst = float(np.max(apart))  # not max(), which passes over what is no number
    if not worst <= TOLERANCE:
        raise UserError(
            f"expected torch and OpenCV to agree within {TOLERANCE}, found {worst:.2g}: nothing "
            "was written"
        )
    return worst, milliseconds_of(FaceDetector(path, score=0.7, overlap=0.3))


def output_names() -> list[str]:
    """Return the outputs in the order that OpenCV's FaceDetectorYN reads them."""
    return [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]


def milliseconds_of(detector: FaceDetector, size: tuple[int, int] = (640, 480)) -> float:
    """Return the median time of a search on a drawn picture, on one thread."""
    picture = _drawn(*size)
    return median_ms(lambda: detector.find(picture), seconds=1.0, runs=50)


def _drawn(width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture of blurred noise with a few ellipses, the same each time."""
    rng = np.random.default_rng(width)
    picture = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    picture = cv2.resize(picture, (width, height)).astype(np.uint8, copy=False)
    for _ in range(4):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.ellipse(picture, middle, (height // 8, height // 6), 0, 0, 360, (140, 170, 220), -1)
    return picture
