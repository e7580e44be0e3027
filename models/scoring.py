"""Run a model, exported or a checkpoint, on pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.crops import Tta, crop_views, cut
from models.measure import RULES
from models.runtime.base_rates import BaseRates
from models.runtime.card import InputSpec, ModelError, file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.files import user_path
from models.runtime.labels import LABEL_SETS
from models.runtime.store import bundled, load_model
from models.timing import median_ms

TTA_OF: dict[str, Tta] = {"one": "none", "mirror": "flip", "ten-crop": "ten-crop"}
"""The crops of a card, as they are asked for."""
EVERY_BUNDLED = ("all", "bundled")
_PIXELS_A_BATCH = 256 * 48 * 48
_LATENCY_SECONDS = 3.0

Logits = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Takes crops (N, S, S) uint8 of the input size, returns logits (N, C) float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Hold a model ready to run.

    temperature: by crops ("one", "mirror"), None for a checkpoint, which has none. logits: takes
    crops (N, S, S) uint8 as `input` says, returns (N, C) float32. base_rates: as on its card.
    """

    name: str
    file: Path
    sha256: str
    label_set: str
    labels: tuple[str, ...]
    input: InputSpec
    temperature: dict[str, float] | None
    logits: Logits
    base_rates: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def temperature_for(self, tta: Tta) -> float:
        """Return the temperature fitted with these crops; for ten, where it is not known, one's."""
        if self.temperature is None:
            return 1.0
        return self.temperature[self._fitted(tta)]

    def rate_weights(self, rates: BaseRates, tta: Tta) -> NDArray[np.float64] | None:
        """Return by what probabilities (C,) are multiplied for base rates, None for no change."""
        try:
            return rates.weights(self.labels, self.base_rates.get(self._fitted(tta)))
        except UserError as error:
            raise ModelError(f"{self.name}: {error}") from error

    def _fitted(self, tta: Tta) -> str:
        """Return the crops that the temperature for these was fitted with, as the card has them."""
        known = self.temperature or {}
        name = next(crops for crops, known_as in TTA_OF.items() if known_as == tta)
        return name if name in known else "one"

    def temperature_note(self, tta: Tta) -> str:
        """Say where the temperature comes from."""
        if self.temperature is None:
            return "1, since a checkpoint has none: its confidences are not calibrated"
        words = {"mirror": "one crop and its mirror image", "ten-crop": "ten crops"}
        crops = words.get(self._fitted(tta), "one crop")
        return f"{self.temperature_for(tta):.3f}, from the model's card, fitted with {crops}"


def expand_names(names: Sequence[str]) -> list[str]:
    """Return the models named, "all" or "bundled" replaced by every bundled one, each once."""
    expanded: list[str] = []
    for name in names:
        if name not in EVERY_BUNDLED:
            expanded.append(name)
            continue
        entries = bundled()
        if not entries:
            raise ModelError(
                f"expected bundled models for {name!r}, found none: give an .onnx file or a .pt"
            )
        expanded += [entry.name for entry in entries]
    return list(dict.fromkeys(expanded))


def open_model(name: str, *, label_set: str | None = None, threads: int = 1) -> Model:
    """Load a bundled model by name, an .onnx file or a .pt checkpoint, to run on the CPU.

    label_set: which, for a checkpoint trained for several. Raises `UserError` for one that cannot
    be loaded, that has no such label set or whose label set there is no rule for.
    """
    if name.lower().endswith(".pt"):
        return _open_checkpoint(user_path(name), label_set, threads)
    classifier = load_model(name, provider="CPU", threads=threads)
    card = classifier.card
    if card.label_set not in RULES:
        raise ModelError(
            f"{name}: expected a model for {' or '.join(RULES)}, found {card.label_set!r}: "
            "evaluate it on data with labels of its own"
        )
    if label_set not in (None, card.label_set):
        raise ModelError(
            f"{name}: expected a model for {label_set}, found one for {card.label_set}: leave it "
            "or --labels out"
        )
    return Model(
        name=classifier.path.stem,
        file=classifier.path,
        sha256=file_facts(classifier.path).sha256,
        label_set=card.label_set,
        labels=card.labels,
        input=card.input,
        temperature=card.temperature,
        base_rates=card.base_rates,
        logits=lambda crops: classifier.run(list(crops), mirror=False)["logits"],
    )


def _open_checkpoint(path: Path, label_set: str | None, threads: int) -> Model:
    import torch

    from models.export import load_network
    from models.training.predict import network_logits

    network, recipe, chosen = load_network(path, label_set)
    alone = network_logits(network, recipe.input)

    def logits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        torch.set_num_threads(threads)
        return alone(crops)

    return Model(
        name=path.stem,
        file=path,
        sha256=file_facts(path).sha256,
        label_set=chosen,
        labels=LABEL_SETS[chosen],
        input=recipe.input,
        temperature=None,
        logits=logits,
    )


def score(
    model: Model,
    pixels: NDArray[np.uint8],
    tta: Tta,
    on_batch: Callable[[int], object] = lambda _: None,
) -> NDArray[np.float32]:
    """Return the logits (N, C) of pictures (N, S, S) uint8 gray, averaged over their crops.

    on_batch: told how many pictures are done with each batch.
    """
    return score_crops(model.logits, model.input, pixels, tta, on_batch)


def classifier_logits(
    classifier: OnnxClassifier, pixels: NDArray[np.uint8], crops: str
) -> NDArray[np.float32]:
    """Do as `score` for an exported file; crops: as a card names them, "one" or "mirror", say."""

    def logits(some: NDArray[np.uint8]) -> NDArray[np.float32]:
        return classifier.run(list(some), mirror=False)["logits"]

    return score_crops(logits, classifier.card.input, pixels, TTA_OF[crops])


def score_crops(
    logits: Logits,
    spec: InputSpec,
    pixels: NDArray[np.uint8],
    tta: Tta,
    on_batch: Callable[[int], object] = lambda _: None,
) -> NDArray[np.float32]:
    """Do as `score` for anything that gives the logits of crops."""
    views = crop_views(pixels.shape[1], spec.field, tta)
    batch = max(1, _PIXELS_A_BATCH // spec.size**2)
    parts = []
    for start in range(0, len(pixels), batch):
        some = pixels[start : start + batch]
        parts.append(np.mean([logits(cut(some, view, spec.size)) for view in views], axis=0))
        on_batch(len(some))
    if not parts:
        raise UserError("expected pictures to run a model on, found none: choose another split")
    return np.concatenate(parts).astype(np.float32)


def latency(model: Model) -> float:
    """Return the milliseconds for one crop: the median of 200 runs, or of those 3 seconds allow."""
    crop = np.full((1, model.input.size, model.input.size), 128, np.uint8)
    return median_ms(lambda: model.logits(crop), _LATENCY_SECONDS)
