"""From a checkpoint to one ONNX file with its card."""

from __future__ import annotations

import os
import tempfile
import time
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

from models.crops import crop_views, cut
from models.data.face_set import FaceSet, clean_training
from models.measure import measure, truth_for
from models.nets.network import Network, count_parameters
from models.nets.registry import find_architecture
from models.precision import quiet, to_fp16, to_int8
from models.runtime.card import METADATA_KEY, Card, InputSpec, file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.runtime.preprocess import to_input
from models.training.checkpoint import load_checkpoint
from models.training.metrics import fit_temperature
from models.training.predict import build_network
from models.training.recipe import Recipe

TOLERANCE = {"fp32": 1e-4, "fp16": 5e-2, "int8": 1.5}
"""The most that a logit may differ between torch and ONNX Runtime, by precision."""

OUTPUTS = {
    "logits": "(N, C) before the temperature and the softmax",
    "cam": "(N, C, h, w) class activation maps; their mean over h and w is the logit",
    "theta": "(N, 2, 3) affine map of the spatial transformer, from where it looks to the crop",
    "warped": "(N, 1, h, w) the normalised crop as the spatial transformer sees it",
    "length": "(N, 1) length of the feature vector; a logit is it times cos(theta)",
    "self": "(N, R) self-attention weight of each region, 0 to 1, the whole face first",
    "region": "(N, R) weight of each region in the decision, summing to 1",
    "square": "(N, R, 4) left, top, right, bottom of each region in parts of the crop's side",
    **{f"channel{n}": f"(N, channels) channel weights of block {n}, 0 to 1" for n in range(1, 9)},
    **{f"spatial{n}": f"(N, 1, h, w) spatial weights of block {n}, 0 to 1" for n in range(1, 9)},
}

PICTURES = (
    "FER2013, Training split (Goodfellow et al. 2013, arXiv 1307.0414; pictures from the web, for "
    "research)"
)
VOTES = "FER+ votes (Barsoum et al. 2016, arXiv 1608.01041; MIT)"

LIMITS = (
    "It names the apparent expression of a face in a picture, not what a person feels.",
    "Trained on faces found by web search, most of them acted, Western and well lit; it errs more "
    "on others, on turned or covered faces, and where glasses look like frowning brows.",
    "Rare expressions (disgust, contempt, fear) are named far less reliably: see the recalls.",
)


@dataclass(frozen=True, slots=True)
class Exported:
    """Hold what an export came to; delta in logits, milliseconds for one crop on one thread."""

    path: Path
    card: Card
    max_delta: float
    same_labels: bool
    milliseconds: float


def load_network(checkpoint: Path, label_set: str | None) -> tuple[Network, Recipe, str]:
    """Return the averaged network of a checkpoint, cut down to one label set, in eval mode."""
    return _cut_network(load_checkpoint(checkpoint), checkpoint, label_set)


def _cut_network(
    values: dict[str, Any], checkpoint: Path, label_set: str | None
) -> tuple[Network, Recipe, str]:
    recipe = Recipe.from_dict(values["recipe"])
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
    try:
        trained.load_state_dict(values["average"])
    except RuntimeError as error:
        raise UserError(
            f"{checkpoint}: expected the weights of {recipe.architecture}, found others: "
            "the checkpoint was made by another version of this network"
        ) from error
    first = sum(len(LABEL_SETS[name]) for name in sets[: sets.index(label_set)])
    count = len(LABEL_SETS[label_set])
    network = find_architecture(recipe.architecture).build(count, recipe.network)
    weights = trained.state_dict()
    for name in [name for name in weights if name.startswith("classifier.")]:
        weights[name] = weights[name][first : first + count]
    network.load_state_dict(weights)
    return network.eval(), recipe, label_set


def parity_crops(size: int) -> list[NDArray[np.uint8]]:
    """Return the stored crops that every export is checked on, (size, size) uint8 gray."""
    data = (resources.files("models") / "parity_crops.png").read_bytes()
    strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert strip is not None
    side = strip.shape[0]
    tiles = [strip[:, left : left + side] for left in range(0, strip.shape[1], side)]
    return [
        cv2.resize(tile, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for tile in tiles
    ]


def export(
    checkpoint: Path,
    *,
    output: Path | None,
    label_set: str | None = None,
    precision: str = "fp32",
    opset: int = 18,
    faces: FaceSet | None = None,
) -> Exported:
    """Write OUTPUT and the card beside it; by default `<architecture>.<label set>.onnx` here.

    faces: FER2013, to fit the temperatures and measure on PublicTest, and to calibrate int8 on
    Training. Raises `UserError` if torch and ONNX Runtime do not agree; then nothing is written.
    """
    values = load_checkpoint(checkpoint)
    network, recipe, label_set = _cut_network(values, checkpoint, label_set)
    name = f"{recipe.architecture}.{label_set}"
    output = output or Path(f"{name}.onnx")
    if output.suffix != ".onnx":
        raise UserError(f"expected a file name that ends in .onnx, found {output.name!r}")
    if not output.parent.is_dir():
        raise UserError(f"expected a folder to write to, found none at {output.parent}: make it")
    architecture = find_architecture(recipe.architecture)
    spec = InputSpec(size=architecture.input_size, mean=recipe.mean, std=recipe.std)
    calibration = _calibration(faces, spec) if precision == "int8" else None
    if faces is not None and not (truth_for(faces.split("PublicTest"), label_set) >= 0).any():
        raise UserError(
            "expected PublicTest pictures to measure on, found none: use the whole file"
        )
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as folder:
        draft = Path(folder) / output.name
        _write_graph(network, spec, draft, opset)
        if precision == "fp16":
            to_fp16(draft)
        elif calibration is not None:
            to_int8(draft, calibration)
        card = _card(values, network, recipe, label_set, precision, spec)
        embed_card(draft, card)
        if faces is not None:
            card = _measured(draft, card, faces)
            embed_card(draft, card)
        exported = _check(network, draft, card)
        card = replace(card, file=replace(file_facts(draft), name=output.name))
        beside = draft.with_suffix(".json")
        beside.write_text(card.to_json(), encoding="utf-8")
        for file in (draft, beside):
            os.replace(file, output.with_suffix(file.suffix))  # noqa: PTH105
    return replace(exported, path=output, card=card)


class _Exportable(nn.Module):
    """Return logits and attention as a flat tuple, as the exporter wants it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        logits, attention = self.network.attend(crops)
        return logits, *attention.values()


def _write_graph(network: Network, spec: InputSpec, path: Path, opset: int) -> None:
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
    # Where in the Python source each node comes from: a quarter of the file, and local paths.
    graph = model.graph
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info):
        part.ClearField("metadata_props")
    onnx.save(model, path)


def embed_card(path: Path, card: Card) -> None:
    """Write the card, and the usual plain keys beside it, into the file's metadata."""
    model = onnx.load(path)
    values = {
        METADATA_KEY: card.without_file().to_json(),
        "labels": ",".join(card.labels),
        "preprocessing": f"gray {card.input.size}x{card.input.size}, "
        f"(gray / 255 - {card.input.mean}) / {card.input.std}",
        "temperature": str(card.temperature["one"]),
    }
    onnx.helper.set_model_props(model, values)
    onnx.save(model, path)


def _calibration(faces: FaceSet | None, spec: InputSpec) -> NDArray[np.float32]:
    if faces is None:
        raise UserError(
            "int8 is calibrated on training pictures, expected --data with FER2013, found none"
        )
    training, _ = clean_training(faces)
    if not len(training):
        raise UserError("int8 is calibrated on training pictures, found none: use the whole file")
    rows = np.random.default_rng(0).choice(len(training), min(512, len(training)), replace=False)
    return to_input(list(training.pixels[rows]), spec)


def _card(
    values: dict[str, Any],
    network: Network,
    recipe: Recipe,
    label_set: str,
    precision: str,
    spec: InputSpec,
) -> Card:
    architecture = find_architecture(recipe.architecture)
    parameters, trainable = count_parameters(network)
    attention = network.attend(torch.zeros(1, 1, spec.size, spec.size))[1]
    training: dict[str, Any] = {
        "epoch": values["epoch"],
        "epochs": recipe.epochs,
        "chosen_on": "PublicTest",
        "seconds": round(sum(entry["seconds"] for entry in values["history"])),
        "begun_from": values.get("begun_from", ""),
        **values["environment"],
    }
    return Card(
        name=f"{recipe.architecture}.{label_set}",
        title=architecture.title,
        architecture=recipe.architecture,
        paper=architecture.paper,
        label_set=label_set,
        labels=LABEL_SETS[label_set],
        input=spec,
        outputs={name: OUTPUTS[name] for name in ("logits", *attention)},
        precision=precision,
        parameters=parameters,
        trainable=trainable,
        temperature={"one": 1.0, "mirror": 1.0},
        metrics=(),
        recipe=recipe.as_dict(),
        training=training,
        data=(PICTURES, VOTES) if "ferplus" in recipe.labels else (PICTURES,),
        licence="MIT for the weights; the pictures they were trained on are for research",
        limits=LIMITS,
    )


def _measured(path: Path, card: Card, faces: FaceSet) -> Card:
    """Return the card with temperatures and metrics of the file itself on PublicTest."""
    validation = faces.split("PublicTest")
    truth = truth_for(validation, card.label_set)
    used = truth >= 0
    classifier = OnnxClassifier(path, provider="CPU")
    temperatures, metrics = {}, []
    for crops in ("one", "mirror"):
        logits = run_in_batches(classifier, validation, mirror=crops == "mirror")
        temperatures[crops] = round(fit_temperature(logits[used], truth[used]), 4)
        metrics.append(
            measure(
                logits,
                truth,
                temperature=temperatures[crops],
                label_set=card.label_set,
                split="PublicTest",
                crops=crops,
            )
        )
    return replace(card, temperature=temperatures, metrics=tuple(metrics))


def run_in_batches(
    classifier: OnnxClassifier, faces: FaceSet, *, mirror: bool
) -> NDArray[np.float32]:
    """Return the logits (N, C) of a face set, one crop or its mirror averaged in."""
    size = classifier.input_size
    (whole,) = crop_views(faces.pixels.shape[1], size, "none")
    crops = list(cut(faces.pixels, whole, size))
    return np.concatenate(
        [
            classifier.run(crops[start : start + 256], mirror=mirror)["logits"]
            for start in range(0, len(crops), 256)
        ]
    )


def _check(network: Network, path: Path, card: Card) -> Exported:
    """Compare torch with ONNX Runtime on the stored crops; raise `UserError` if they differ."""
    crops = parity_crops(card.input.size)
    with torch.inference_mode():
        expected = network(torch.from_numpy(to_input(crops, card.input))).numpy()
    classifier = OnnxClassifier(path, provider="CPU")
    found = classifier.run(crops, mirror=False)["logits"]
    delta = float(np.abs(found - expected).max())
    same = bool((found.argmax(1) == expected.argmax(1)).all())
    if not (delta <= TOLERANCE[card.precision] and same):
        raise UserError(
            f"expected torch and ONNX Runtime to agree within {TOLERANCE[card.precision]} on the "
            f"stored crops, found a difference of {delta:.2g} and "
            f"{'the same' if same else 'other'} labels: nothing was written"
        )
    times: list[float] = []
    while len(times) < 200 and sum(times) < 1.0:
        started = time.perf_counter()
        classifier.run(crops[:1], mirror=False)
        times.append(time.perf_counter() - started)
    milliseconds = float(np.median(times) * 1e3)
    return Exported(path, card, max_delta=delta, same_labels=same, milliseconds=milliseconds)
