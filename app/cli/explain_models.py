"""What fer-explain shows of each model: its columns, and its part of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.cli.explain_figure import CELL, Column, Group, Part
from app.cli.explain_paint import Map, Picture, framed, gray_picture, overlaid, relief
from app.errors import SettingsError
from models.explain.attention import PICTURE, quadrilateral, reach_of
from models.explain.base import Explainer, Runner, scaled
from models.explain.explainers import explainers_for
from models.explain.guided import GuidedBackprop
from models.explain.note import read_note
from models.runtime.card import InputSpec
from models.runtime.labels import LABEL_SET_NAMES
from models.runtime.store import load_model

Crop = NDArray[np.uint8]
WARPED = "warped"
"""A column that is no map: the crop as a spatial transformer hands it on."""


class ModelColumns:
    """Explain faces by one model, in a column for each method.

    methods: names in the order wanted, None for all but single attention blocks; those that the
    model does not have are left out. on_notice: told of a damaged file.
    """

    def __init__(
        self, name: str, methods: Sequence[str] | None, on_notice: Callable[[str], None]
    ) -> None:
        classifier = load_model(name, provider="CPU", mirror=False)
        self._card = classifier.card
        self._runner = Runner(classifier)
        known = {each.name: each for each in explainers_for(classifier, on_problem=on_notice)}
        self.available = [*known]
        self._reach = reach_of(self._card.architecture)
        # Of a network that warps features, the picture warped alike is nothing that it uses.
        if WARPED in self._card.outputs and self._reach == PICTURE:
            self.available.insert(self.available.index("theta") + 1, WARPED)
        usual = [each for each in self.available if not each.startswith("spatial")]
        wanted = usual if methods is None else methods
        self.methods = [each for each in wanted if each in self.available]
        self._explainers: dict[str, Explainer] = known
        self._note = read_note(classifier.path)

    @property
    def name(self) -> str:
        return self._card.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self._card.labels

    @property
    def label_set(self) -> str:
        return self._card.label_set

    @property
    def input(self) -> InputSpec:
        return self._card.input

    def group(self) -> Group:
        """Return the heads of the model's columns."""
        set_name = LABEL_SET_NAMES.get(self._card.label_set, self._card.label_set)
        return Group(
            f"{self._card.title}, {set_name}",
            tuple(Column(self._title(name), self._remark(name)) for name in self.methods),
        )

    def part(self, crop: Crop, label: str | None) -> Part:
        """Explain one crop (S, S); label: what is explained, None for the model's own label."""
        probabilities = self._runner.probabilities([crop])[0]
        index = int(probabilities.argmax()) if label is None else self.labels.index(label)
        ranked = [number for number in np.argsort(-probabilities).tolist() if number != index]
        said = [
            f"{self.labels[number]} {probabilities[number]:.0%}" for number in (index, ranked[0])
        ]
        pictures = tuple(self._picture(name, crop, index) for name in self.methods)
        return Part(self.labels[index], ", ".join(said), pictures)

    def average(self, crops: Sequence[Crop], label: str) -> Part:
        """Return the mean maps of the crops that the model names `label`, on their mean face."""
        index = self.labels.index(label)
        named = self._runner.probabilities(crops).argmax(axis=1) == index
        right = [crop for crop, hit in zip(crops, named.tolist(), strict=True) if hit]
        empty = tuple(None for _ in self.methods)
        if not right:
            return Part(label, f"{label}, none of {len(crops)}", empty)
        totals = {name: np.zeros(right[0].shape, np.float64) for name in self.methods}
        for crop in right:
            for name in self.methods:
                totals[name] += self._map(name, crop, index)
        face = mean_face(right)
        pictures = tuple(
            gray_picture(np.asarray(np.round(total / len(right)), np.uint8), CELL)
            if name == WARPED
            else overlaid(face, scaled(total.astype(np.float32), len(total)), CELL)
            for name, total in totals.items()
        )
        return Part(label, f"{label}, {len(right)} of {len(crops)}", pictures)

    def _title(self, name: str) -> str:
        return "what the transformer hands on" if name == WARPED else self._explainers[name].title

    def _remark(self, name: str) -> str:
        measured = self._note.method(name) if self._note is not None else None
        return measured.doubt if measured is not None else ""

    def _picture(self, name: str, crop: Crop, index: int) -> Picture:
        if name == WARPED:
            return gray_picture(self._warped(crop), CELL)
        explainer = self._explainers[name]
        if isinstance(explainer, GuidedBackprop):
            return relief(explainer.gradients([crop], [index])[0], CELL)
        values = explainer.explain(crop, index)
        if name == "theta":
            theta = self._runner.run([crop])["theta"][0]
            return framed(crop, values, quadrilateral(theta, len(crop), self._reach), CELL)
        return overlaid(crop, values, CELL)

    def _map(self, name: str, crop: Crop, index: int) -> NDArray[np.float64]:
        values: Map | Crop = (
            self._warped(crop) if name == WARPED else self._explainers[name].explain(crop, index)
        )
        return values.astype(np.float64)

    def _warped(self, crop: Crop) -> Crop:
        spec = self.input
        values = (self._runner.run([crop])[WARPED][0, 0] * spec.std + spec.mean) * 255
        return np.asarray(np.round(np.clip(values, 0, 255)), np.uint8)


def open_models(
    names: Sequence[str], methods: Sequence[str] | None, on_notice: Callable[[str], None]
) -> list[ModelColumns]:
    """Open the models; raise `SettingsError` for a method that none of them has."""
    models = [ModelColumns(name, methods, on_notice) for name in names]
    available = list(dict.fromkeys(each for model in models for each in model.available))
    for wanted in methods or ():
        if wanted not in available:
            raise SettingsError(
                f'The methods were expected to be of {", ".join(available)}, not "{wanted}"; '
                f"choose of these."
            )
    return [model for model in models if model.methods]


def mean_face(crops: Sequence[Crop]) -> Crop:
    """Return the mean of crops (S, S), its contrast stretched to the whole range."""
    mean = np.mean(np.stack(crops), axis=0)
    low, high = np.percentile(mean, (1, 99))
    return np.asarray(np.clip((mean - low) / max(high - low, 1.0) * 255, 0, 255), np.uint8)
