"""From a checkpoint of the landmark network to one ONNX file with its card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.card_file import drafted, embed_card, write_card
from models.data.faces_parquet import read_face_pictures, validation_part
from models.folding import fold_norms
from models.landmark_scores import CONDITIONS, confidences, jitter, marked_faces, score
from models.nets.landmarks68 import Landmarks68
from models.nets.network import count_parameters
from models.onnx_notes import clear_notes
from models.part_data import LANDMARKS, told
from models.precision import quiet
from models.runtime.errors import UserError
from models.runtime.files import checked_place
from models.runtime.landmark_crop import CROP, LOWERED, WIDER
from models.runtime.landmark_model import LandmarkModel
from models.runtime.part_card import PartCard
from models.timing import median_ms
from models.training.checkpoint import take_weights
from models.training.landmarks_run import landmark_checkpoint

__all__ = ["ExportedLandmarks", "export_landmarks"]

TOLERANCE = 2e-3
"""The most that a point, in parts of the crop, or a confidence may differ from torch."""

NAME = "landmarks68"
_OUTPUTS = {
    "points": "(N, 68, 2) float32, x and y in parts of the crop, its left upper corner being 0",
    "confidence": "(N,) float32, 0 to 1, that there is a face and that the points fit it",
}
# Confidences from which a fit counts: of a finder's face, of one that is followed, of one that the
# finder has lost. See the card's metrics for how many faces and squares without one pass each.
_LIMITS_OF_CONFIDENCE = {"new": 0.58, "followed": 0.38, "doubtful": 0.67}
_CHOSEN_FOR_ANOTHER = (
    "The confidences from which its points count were chosen for the network that comes with Mien; "
    "the figures, if it was measured, say how many faces and squares without one pass each here."
)


@dataclass(frozen=True, slots=True)
class ExportedLandmarks:
    """Hold what an export came to; milliseconds: for one face on one thread, in the median."""

    path: Path
    card: PartCard
    max_delta: float
    milliseconds: float


class _Whole(nn.Module):
    """Take uint8 crops, as the app cuts them."""

    def __init__(self, network: Landmarks68) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        points, confidence = self.network(crops.float() / 255)
        return points, confidence


def export_landmarks(
    checkpoint: Path, output: Path | None = None, data: Path | None = None
) -> ExportedLandmarks:
    """Write OUTPUT, by default `landmarks68.onnx` here, and its card beside it.

    Normalisation is folded into the convolutions, and the weights are stored in float16, in which
    the file is half as large; it computes in float32. data: a folder with faces_*.parquet, on whose
    people held back it is measured. Raises `UserError` if torch and ONNX Runtime do not agree;
    then nothing is written.
    """
    values = landmark_checkpoint(checkpoint)
    network = Landmarks68()
    take_weights(network, values["average"], checkpoint, NAME)
    output = checked_place(output or Path(f"{NAME}.onnx"), ".onnx")
    card = landmarks_card(values, network)
    with drafted(output) as draft:
        whole = _Whole(network.eval()).eval()
        _write_graph(_Whole(fold_norms(network)).eval(), draft)
        card = _with_card(draft, card)
        exported = _check(whole, draft, card)
        if data is not None:
            card = _with_card(draft, replace(card, metrics=_measured(draft, data)))
    return replace(exported, path=output, card=card)


def _write_graph(whole: _Whole, path: Path) -> None:
    example = torch.zeros(2, 1, CROP, CROP, dtype=torch.uint8)
    with quiet():
        torch.onnx.export(
            whole,
            (example,),
            path,
            input_names=["crops"],
            output_names=list(_OUTPUTS),
            dynamic_shapes=({0: torch.export.Dim("faces", min=1)},),
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    model = onnx.load(path)
    clear_notes(model)
    _halve(model.graph)
    onnx.save(model, path)


def _with_card(path: Path, card: PartCard) -> PartCard:
    """Write the card into the file and beside it; return it with the file's hash."""
    embed_card(path, card)
    return write_card(path, card)


def _measured(path: Path, data: Path) -> tuple[dict[str, Any], ...]:
    """Return figures of the file itself on the people held back."""
    model = LandmarkModel(path)
    pictures = validation_part(read_face_pictures(data))
    faces = marked_faces(pictures)
    if not faces:
        raise UserError(
            f"expected faces with 68 landmarks among the people held back, found none in {data}: "
            "give a folder with faces_people.parquet"
        )
    on_faces, on_others = confidences(partial(model.fit, twice=True), pictures)
    told: list[dict[str, Any]] = []
    for looks, fit in (("one look", model.fit), ("two looks", partial(model.fit, twice=True))):
        for condition in CONDITIONS:
            figures = score(f"{NAME}, {looks}", fit, faces, condition, "validation")
            told.append(figures.as_dict())
        trembling = round(jitter(fit, faces[::4]), 4)
        told.append({"split": "validation", "looks": looks, "jitter": trembling})
    for name, limit in _LIMITS_OF_CONFIDENCE.items():
        told.append(
            {
                "split": "validation",
                "confidence": f"{name}, from {limit}",
                "faces": round(float((on_faces >= limit).mean()), 4),
                "squares without a face": round(float((on_others >= limit).mean()), 4),
                "n": [len(on_faces), len(on_others)],
            }
        )
    return tuple(told)


def _halve(graph: onnx.GraphProto) -> None:
    """Store large weights in float16; ONNX Runtime widens them once, when it loads the file."""
    casts = []
    for weights in graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.ndim > 1 and values.size >= 64:
            name = weights.name
            weights.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.16"))
            casts.append(
                onnx.helper.make_node("Cast", [f"{name}.16"], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def landmarks_card(values: dict[str, Any], network: Landmarks68) -> PartCard:
    _, parameters = count_parameters(network)
    sources = values.get("sources")
    data, licence, limits = told(LANDMARKS, sources)
    return PartCard(
        kind="landmarks",
        name=NAME,
        title="68 landmarks on a 64-pixel crop",
        paper="blocks of Liu et al., arXiv 2201.03545; points as the middles of heat maps: Sun et "
        "al., arXiv 1711.08229; narrow heat maps: Nibali et al., arXiv 1801.07372",
        input=f"crops (N, 1, {CROP}, {CROP}) uint8 gray: the square of FER2013's framing, "
        f"{WIDER} times as wide, its middle {LOWERED} of the side lower",
        outputs=_OUTPUTS,
        parameters=parameters,
        settings={"size": CROP, "wider": WIDER, "lowered": LOWERED, **_LIMITS_OF_CONFIDENCE},
        metrics=(),
        recipe=values["recipe"],
        training={
            "epoch": values["epoch"],
            "epochs": values["recipe"]["epochs"],
            "seconds": round(sum(entry["seconds"] for entry in values["history"])),
            **values["environment"],
        },
        data=data,
        licence=licence,
        limits=limits if sources is None else (*limits, _CHOSEN_FOR_ANOTHER),
    )


def _check(whole: _Whole, path: Path, card: PartCard) -> ExportedLandmarks:
    """Compare torch with ONNX Runtime on made-up crops; raise `UserError` if they differ."""
    model = LandmarkModel(path)
    crops = _made_up_crops(16)
    with torch.inference_mode():
        expected = whole(torch.from_numpy(crops))
    found = model.run(crops)
    apart = [
        np.abs(value - wanted.numpy()).max() for value, wanted in zip(found, expected, strict=True)
    ]
    delta = float(np.max(apart))  # not max(), which passes over what is no number
    if not delta <= TOLERANCE:
        raise UserError(
            f"expected torch and ONNX Runtime to agree within {TOLERANCE}, found a difference of "
            f"{delta:.2g}: nothing was written"
        )
    took = median_ms(lambda: model.run(crops[:1]), seconds=1.0)
    return ExportedLandmarks(path, card, delta, took)


def _made_up_crops(count: int) -> NDArray[np.uint8]:
    """Return crops with structure at several scales, the same ones each time."""
    rng = np.random.default_rng(0)
    total = np.zeros((count, 1, CROP, CROP))
    for cells in (4, 8, 16, 32):
        coarse = rng.normal(0, 1, (count, 1, cells, cells))
        total += np.kron(coarse, np.ones((CROP // cells, CROP // cells))) * (8 / cells)
    return np.clip(128 + 30 * total, 0, 255).astype(np.uint8)
