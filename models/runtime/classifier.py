"""Run an exported model in ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.runtime.base_rates import AS_MEASURED, BaseRates, reweighted
from models.runtime.card import METADATA_KEY, Card, ModelError, file_facts, read_card
from models.runtime.errors import UserError
from models.runtime.files import is_file
from models.runtime.prediction import Prediction
from models.runtime.preprocess import softmax, to_input

PROVIDERS = {
    "CUDA": "CUDAExecutionProvider",
    "DirectML": "DmlExecutionProvider",
    "CoreML": "CoreMLExecutionProvider",
    "CPU": "CPUExecutionProvider",
}
"""The providers by the names shown, in the order tried."""


class OnnxClassifier:
    """Say the expression of face crops by an ONNX file that agrees with its card.

    provider: "auto" or a name of `PROVIDERS`. threads: of ONNX Runtime's own pool; one is enough
    for a small network and leaves the machine to others. mirror: average the logits with those of
    the mirrored crop. base_rates: how common each expression is taken to be. Not to be shared
    between threads.
    Raises `ModelError` for a file that is missing, damaged, without a card or not what it says.
    """

    def __init__(
        self,
        path: Path,
        *,
        provider: str = "auto",
        threads: int = 1,
        mirror: bool = True,
        base_rates: BaseRates = AS_MEASURED,
    ) -> None:
        self.path = path
        beside = _read_card_beside(path)
        self._session = open_session(path, provider, threads)
        inside = _read_card_inside(self._session, path)
        self.card = inside if beside is None else beside
        if self.card.without_file() != inside:
            raise ModelError(
                f"{path.with_suffix('.json').name}: expected the card that is inside {path.name}, "
                "found another: keep the two files that were exported together"
            )
        _check_shapes(self._session, self.card, path)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._mirror = mirror
        self.base_rates = base_rates
        self.rate_weights = self._weights()
        """By what the network's own probabilities are multiplied (C,), None where they stay."""
        self._warm_up()

    @property
    def labels(self) -> tuple[str, ...]:
        return self.card.labels

    @property
    def input_size(self) -> int:
        return self.card.input.size

    @property
    def input_field(self) -> int:
        return self.card.input.field

    @property
    def unsure_below(self) -> float:
        """Return the confidence below which a face is unsure; 0 where the card has no rule."""
        rule = self.card.unsure.get(self.crops)
        return rule.threshold if rule is not None else 0.0

    @property
    def neutral_logs(self) -> NDArray[np.float64] | None:
        """Return the card's mean log-probabilities of neutral faces (C,), None without them.

        They are those of the network's own probabilities, before `rate_weights`. Where neutral is
        left out nobody knows what it said of that.
        """
        if "neutral" in self.base_rates.left_out:
            return None
        logs = self.card.neutral.get(self.crops)
        return np.array(logs) if logs else None

    @property
    def crops(self) -> str:
        """Return "mirror" where each crop's mirror image counts too, else "one"."""
        return "mirror" if self._mirror else "one"

    @property
    def provider(self) -> str:
        """Return the provider really in use, as shown to users."""
        first = self._session.get_providers()[0]
        return next((name for name, key in PROVIDERS.items() if key == first), first)

    def _weights(self) -> NDArray[np.float64] | None:
        measured = self.card.base_rates.get(self.crops)
        try:
            return self.base_rates.weights(self.labels, measured)
        except UserError as error:
            raise ModelError(f"{self.path.name}: {error}") from error

    def run(
        self, crops: Sequence[NDArray[np.uint8]], *, mirror: bool
    ) -> dict[str, NDArray[np.float32]]:
        """Return every output for N crops: logits (N, C), and the attention maps unscaled.

        mirror: averages logits and class activation maps (mirrored back) with those of the
        mirrored crops; other outputs stay those of the crops as they are.
        """
        batch = to_input(crops, self.card.input)
        if mirror:
            batch = np.concatenate([batch, batch[..., ::-1]])
        values = self._session.run(self._outputs, {"crops": batch})
        found = dict(zip(self._outputs, values, strict=True))
        if not mirror:
            return found
        count = len(crops)
        averaged = {name: value[:count] for name, value in found.items()}
        averaged["logits"] = (found["logits"][:count] + found["logits"][count:]) / 2
        if "cam" in found:
            averaged["cam"] = (found["cam"][:count] + found["cam"][count:, ..., ::-1]) / 2
        return averaged

    def _warm_up(self) -> None:
        """Run once: the first run allocates, and a graph that cannot run says so only here."""
        blank = np.zeros((self.input_size, self.input_size), np.uint8)
        try:
            self.classify([blank])
        except Exception as error:  # ONNX Runtime raises kinds of its own, one for each cause
            raise ModelError(
                f"{self.path.name}: expected a model that runs, found one that fails "
                f"({_reason(error)}): copy or export it again"
            ) from error

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Return one prediction a crop, all crops in one batch; crops are (S, S) uint8 gray.

        Raises `ModelError` where the network's numbers are not finite: no later number that was
        averaged with them would be either.
        """
        if not crops:
            return []
        found = self.run(crops, mirror=self._mirror)
        temperature = self.card.temperature["mirror" if self._mirror else "one"]
        logits = found.pop("logits")
        if not np.isfinite(logits).all():
            raise ModelError(
                f"{self.path.name}: expected finite logits, found others: choose another provider "
                "or model"
            )
        probabilities = reweighted(softmax(logits, temperature), self.rate_weights)
        return [
            Prediction(
                probabilities=probabilities[row],
                labels=self.card.labels,
                attention={name: maps[row] for name, maps in found.items()},
                left_out=self.base_rates.left_out,
            )
            for row in range(len(crops))
        ]


def available_providers() -> list[str]:
    """Return the names of the providers that this machine really has, best first."""
    present = set(ort.get_available_providers())
    return [name for name, key in PROVIDERS.items() if key in present]


def _read_card_beside(path: Path) -> Card | None:
    """Return the JSON card beside a file, its hash checked; None if there is none."""
    if not is_file(path):
        raise ModelError(f"expected a model, found no file {path}: choose an .onnx file")
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return None
    card = read_card(beside)
    if card.file is None:
        raise ModelError(
            f"{beside.name}: expected the hash of {path.name}, found none: export again"
        )
    facts = file_facts(path)
    if facts.sha256 != card.file.sha256:
        raise ModelError(
            f"{path.name}: expected the file that its card describes ({card.file.bytes:,} bytes, "
            f"sha256 {card.file.sha256[:12]}…), found another ({facts.bytes:,} bytes, "
            f"{facts.sha256[:12]}…): copy or export it again"
        )
    return card


def _read_card_inside(session: ort.InferenceSession, path: Path) -> Card:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path.name}: expected a model card inside the file, found none: only models exported "
            "by fer-export-onnx say their labels and preprocessing"
        )
    return Card.from_json(text, f"{path.name}, card")


def open_session(path: Path, provider: str, threads: int) -> ort.InferenceSession:
    available = available_providers()
    if provider != "auto" and provider not in available:
        raise ModelError(
            f"expected a provider of {', '.join(available)} on this machine, found {provider!r}"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised; warnings are of no use to a user
    names = available if provider == "auto" else [provider, "CPU"]
    try:
        return ort.InferenceSession(
            str(path), options, providers=list(dict.fromkeys(PROVIDERS[name] for name in names))
        )
    except Exception as error:  # ONNX Runtime raises kinds of its own, one for each cause
        raise ModelError(
            f"{path.name}: expected an ONNX model, found one that ONNX Runtime cannot load "
            f"({_reason(error)}): copy or export it again"
        ) from error


def _reason(error: Exception) -> str:
    """Return what ONNX Runtime says, without its codes and what follows the first line.

    It says such as "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from FILE failed:
    Protobuf parsing failed.": the cause comes last.
    """
    said = re.split(r" : |failed:", str(error))[-1].strip().rstrip(".")
    return said.splitlines()[0][:120] if said else type(error).__name__


def _check_shapes(session: ort.InferenceSession, card: Card, path: Path) -> None:
    inputs = {value.name: value.shape for value in session.get_inputs()}
    outputs = {value.name: value.shape for value in session.get_outputs()}
    size = card.input.size
    if (
        list(inputs) != ["crops"]
        or list(inputs["crops"][1:]) != [1, size, size]
        or isinstance(inputs["crops"][0], int)  # a fixed number of faces
    ):
        raise ModelError(
            f"{path.name}: expected an input crops of (N, 1, {size}, {size}) as its card says, "
            f"found {inputs}: export the model again"
        )
    if set(outputs) != set(card.outputs) or "logits" not in outputs:
        raise ModelError(
            f"{path.name}: expected the outputs {', '.join(card.outputs)} as its card says, "
            f"found {', '.join(outputs)}: export the model again"
        )
    if list(outputs["logits"][1:]) != [len(card.labels)]:
        raise ModelError(
            f"{path.name}: expected one logit for each of the {len(card.labels)} labels of its "
            f"card, found {outputs['logits'][1:]}: export the model again"
        )
