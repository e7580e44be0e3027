"""From a checkpoint to one ONNX file with its card."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.card_file import drafted, embed_card, write_card
from models.card_making import dated, describe, measured
from models.crops import one_crop
from models.data.face_set import FaceSet, clean_training
from models.explain.guided import guided_file
from models.guided_export import write_checked_guided
from models.measure import truth_for
from models.nets.network import Network
from models.nets.registry import find_architecture
from models.onnx_notes import clear_notes
from models.precision import quiet, to_fp16, to_int8
from models.runtime.card import Card, InputSpec
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.files import checked_place
from models.runtime.labels import LABEL_SETS
from models.runtime.preprocess import to_input
from models.timing import median_ms
from models.training.checkpoint import load_checkpoint, take_weights
from models.training.predict import build_network
from models.training.recipe import Recipe, recipe_of

TOLERANCE = {"fp32": 1e-4, "fp16": 5e-2, "int8": 1.5}
"""The most that a logit may differ between torch and ONNX Runtime, by precision.

Networks that measure angles have long features and large logits, so where the largest is above
`_LARGE` this grows with it.
"""
_LARGE = 10.0
_TAKEN_AWAY = (
    "took away {}, the backward pass of the model that was there before: add --guided for one of "
    "the new model"
)
MAP_TOLERANCE = {"fp32": 1e-4, "fp16": 5e-2, "int8": 0.5}
"""The most that an output beside the logits may differ, in parts of its greatest value."""


def tolerated(precision: str, logits: NDArray[np.float32]) -> float:
    """Return the most that these logits may differ between two ways to work them out."""
    return TOLERANCE[precision] * max(1.0, float(np.abs(logits).max()) / _LARGE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Hold what is known of a model beside its checkpoint.

    name: on the card, by default `<architecture>.<label set>`. begun_from: in place of what the
    checkpoint says, where it does not say so or says it wrongly. known: an earlier card; figures
    that come out the same keep its dates.
    """

    name: str | None = None
    begun_from: str = ""
    known: Card | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """Hold what an export came to; delta in logits, milliseconds for one crop on one thread.

    notes: what its data were too few to tell, and what was taken away, in a sentence each.
    """

    path: Path
    card: Card
    max_delta: float
    same_labels: bool
    milliseconds: float
    notes: tuple[str, ...] = ()


def load_network(checkpoint: Path, label_set: str | None) -> tuple[Network, Recipe, str]:
    """Return the averaged network of a checkpoint, cut down to one label set, in eval mode."""
    return _cut_network(load_checkpoint(checkpoint), checkpoint, label_set)


def _cut_network(
    values: dict[str, Any], checkpoint: Path, label_set: str | None
) -> tuple[Network, Recipe, str]:
    recipe = recipe_of(values, checkpoint)
    sets = list(recipe.labels)
    if label_set is None:
        if len(sets) > 1:
            raise UserError(
                f"{checkpoint} was trained for {' and '.join(sets)}: choose with --labels"
            )
        label_set = sets[0]
    if label_set not in sets:
        raise UserError(f"{checkpoint}: expected labels of {', '.join(sets)}, found {label_set!r}")
    trained = build_network(recipe)
    take_weights(trained, values["average"], checkpoint, recipe.architecture)
    first = sum(len(LABEL_SETS[name]) for name in sets[: sets.index(label_set)])
    count = len(LABEL_SETS[label_set])
    network = find_architecture(recipe.architecture).build(count, recipe.network)
    weights = trained.state_dict()
    for name in [name for name in weights if name.startswith("classifier.")]:
        weights[name] = weights[name][first : first + count]
    network.load_state_dict(weights)
    return network.eval(), recipe, label_set


def parity_crops(spec: InputSpec) -> list[NDArray[np.uint8]]:
    """Return the stored crops that every export is checked on, as a model of this input sees them.

    They are (size, size) uint8 gray.
    """
    data = (resources.files("models") / "parity_crops.png").read_bytes()
    strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert strip is not None
    side = strip.shape[0]
    tiles = [strip[:, left : left + side] for left in range(0, strip.shape[1], side)]
    return list(one_crop(np.stack(tiles).astype(np.uint8, copy=False), spec))


def export(
    checkpoint: Path,
    *,
    output: Path | None,
    label_set: str | None = None,
    precision: str = "fp32",
    opset: int = 18,
    faces: FaceSet | None = None,
    origin: Origin | None = None,
    ten_crop: bool = False,
    guided: bool = False,
    graph: Path | None = None,
) -> Exported:
    """Write OUTPUT and the card beside it; by default `<architecture>.<label set>.onnx` here.

    faces: to fit the temperatures and measure on PublicTest, and to calibrate int8 on Training.
    ten_crop: measure with ten crops too. guided: write the graph of guided backpropagation too;
    without it an older one is taken away, since it was another model's.
    graph: an fp32 export of this checkpoint, to make another precision of it without tracing the
    network again. Raises `UserError` if torch and ONNX Runtime do not agree; then nothing is
    written.
    """
    origin = origin or Origin()
    values = load_checkpoint(checkpoint)
    values["begun_from"] = origin.begun_from or values.get("begun_from", "")
    network, recipe, label_set = _cut_network(values, checkpoint, label_set)
    name = origin.name or f"{recipe.architecture}.{label_set}"
    output = checked_place(output or Path(f"{name}.onnx"), ".onnx")
    spec = recipe.input
    calibration = _calibration(faces, spec) if precision == "int8" else None
    _check_faces(faces, label_set)
    with drafted(output) as draft:
        _write_graph(network, spec, draft, opset, graph)
        _shrink(draft, precision, calibration)
        card = replace(describe(values, network, recipe, label_set, precision), name=name)
        embed_card(draft, card)
        notes: tuple[str, ...] = ()
        if faces is not None:
            card, notes = measured(draft, card, faces, ten_crop=ten_crop)
            card = dated(card, origin.known)
            embed_card(draft, card)
        exported = _check(network, draft, card)
        card = write_card(draft, card)
        if guided:
            write_checked_guided(network, draft, parity_crops(spec))
    if not guided and guided_file(output).is_file():
        guided_file(output).unlink()
        notes = (*notes, _TAKEN_AWAY.format(guided_file(output)))
    return replace(exported, path=output, card=card, notes=notes)


def _check_faces(faces: FaceSet | None, label_set: str) -> None:
    if faces is not None and not (truth_for(faces.split("PublicTest"), label_set) >= 0).any():
        raise UserError(
            "expected PublicTest pictures to measure on, found none: use the whole file"
        )


def _shrink(path: Path, precision: str, calibration: NDArray[np.float32] | None) -> None:
    if precision == "fp16":
        to_fp16(path)
    elif calibration is not None:
        to_int8(path, calibration)


class _Exportable(nn.Module):
    """Return logits and attention as a flat tuple, as the exporter wants it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        logits, attention = self.network.attend(crops)
        return logits, *attention.values()


def _write_graph(
    network: Network, spec: InputSpec, path: Path, opset: int, made: Path | None = None
) -> None:
    """Write the network as ONNX, or copy the file that was made of it before."""
    if made is not None:
        shutil.copyfile(made, path)
        return
    example = torch.zeros(2, 1, spec.size, spec.size)
    names = ["logits", *network.attend(example)[1]]
    try:
        with quiet():
            torch.onnx.export(
                _Exportable(network).eval(),
                (example,),
                path,
                input_names=["crops"],
                output_names=names,
                dynamic_shapes=({0: torch.export.Dim("faces", min=1)},),
                opset_version=opset,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter raises kinds of its own, one for each stage
        reason = f"{error}".partition("\n")[0][:160]
        raise UserError(f"expected opset {opset} to hold this network, found: {reason}") from error
    model = onnx.load(path)
    # Where the exporter cannot reach an opset it says so in a note and writes another.
    written = max(entry.version for entry in model.opset_import if not entry.domain)
    if written != opset:
        raise UserError(
            f"expected an opset that torch can export this network to, found {opset}: "
            f"give --opset {written}"
        )
    clear_notes(model)
    onnx.save(model, path)


def _calibration(faces: FaceSet | None, spec: InputSpec) -> NDArray[np.float32]:
    if faces is None:
        raise UserError("int8 is calibrated on training pictures, expected --data, found none")
    training, _ = clean_training(faces)
    if not len(training):
        raise UserError("int8 is calibrated on training pictures, found none: use the whole file")
    rows = np.random.default_rng(0).choice(len(training), min(512, len(training)), replace=False)
    return to_input(list(one_crop(training.pixels[rows], spec)), spec)


def _check(network: Network, path: Path, card: Card) -> Exported:
    """Compare torch with ONNX Runtime on the stored crops; raise `UserError` if they differ."""
    crops = parity_crops(card.input)
    with torch.inference_mode():
        logits, maps = network.attend(torch.from_numpy(to_input(crops, card.input)))
    expected = logits.numpy()
    classifier = OnnxClassifier(path, provider="CPU")
    outputs = classifier.run(crops, mirror=False)
    found = outputs["logits"]
    delta = float(np.abs(found - expected).max())
    same = bool((found.argmax(1) == expected.argmax(1)).all())
    allowed = tolerated(card.precision, expected)
    # Smaller numbers may turn a label that hung in the balance; PublicTest says what that costs.
    if not (delta <= allowed and (same or card.precision != "fp32")):
        raise UserError(
            f"expected torch and ONNX Runtime to agree within {allowed:.2g} on the stored crops, "
            f"found a difference of {delta:.2g} and "
            f"{'the same' if same else 'other'} labels: nothing was written"
        )
    for name, values in maps.items():
        _check_map(name, values.numpy(), outputs[name], MAP_TOLERANCE[card.precision])
    took = median_ms(lambda: classifier.run(crops[:1], mirror=False), seconds=1.0)
    return Exported(path, card, max_delta=delta, same_labels=same, milliseconds=took)


def _check_map(
    name: str, expected: NDArray[np.float32], found: NDArray[np.float32], allowed: float
) -> None:
    """Raise `UserError` where an output differs by more than this part of its greatest value."""
    apart = float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1e-12)
    if not apart <= allowed:
        raise UserError(
            f"expected torch and ONNX Runtime to agree on {name} within {allowed:.2g} of its "
            f"greatest value on the stored crops, found a difference of {apart:.2g}: nothing was "
            "written"
        )
