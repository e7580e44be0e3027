"""What an evaluation of one or more models came to, as values and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crops import Tta
from models.data.copies import copies_of
from models.data.face_set import SPLITS, FaceSet, Split
from models.evaluate import Evaluation, Figures, McNemar, mcnemar
from models.explain.faithfulness import Faithfulness
from models.explain.note import as_json as faithfulness_as_json
from models.image_list import Selection
from models.measure import rule_for
from models.robustness import Robustness
from models.robustness import as_json as robustness_as_json
from models.runtime.base_rates import AS_MEASURED, BaseRates, said

_FER2013_SPLITS: dict[Split, str] = {
    "Training": "models learn from it, so its figures say nothing of new pictures",
    "PublicTest": "checkpoints and temperatures are chosen on it, so its figures flatter a little",
    "PrivateTest": "nothing is chosen on it",
}
"""What fer-train and fer-export-onnx use each split of FER2013 for."""
_OTHER_SPLITS: dict[Split, str] = {
    "Training": "its pictures to train on, which a model that fer-train made of it knows",
    "PublicTest": "its pictures to choose on",
    "PrivateTest": "its pictures to test on",
    "all": "published without a split; a model that fer-train made of it knows nine tenths",
}
_COPIED: dict[Split, str] = {
    "Training": "the Training split",
    "PublicTest": "PublicTest, by which checkpoints and temperatures are chosen",
}


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """Say what the models were measured on.

    faces: the pictures of the split, or those of them that the list names. copies: of
    `copies_elsewhere`. data_sha256: None for a folder. date: ISO. base_rates: how common each
    expression is taken to be.
    """

    data: str
    data_sha256: str | None
    split: Split
    tta: Tta
    faces: FaceSet
    copies: dict[Split, NDArray[np.bool_]]
    images: Selection | None
    date: str
    base_rates: BaseRates = AS_MEASURED

    @property
    def split_note(self) -> str:
        """Say what the split is for."""
        known = _FER2013_SPLITS if self.faces.source == "fer2013" else _OTHER_SPLITS
        return known.get(self.split, _OTHER_SPLITS[self.split])

    @property
    def copied(self) -> NDArray[np.bool_] | None:
        """Return which faces (N,) models saw elsewhere, None where that is not known."""
        return np.any([*self.copies.values()], axis=0) if self.copies else None

    @property
    def copies_note(self) -> str:
        """Say in words what the copies came to."""
        if self.split == "Training":
            return "the Training split itself is measured, so copies of it are not counted"
        if not self.copies:
            return "not known, since the data has no Training pictures"
        return "; ".join(
            f"{int(mask.sum()):,} of {len(self.faces):,} pictures are, pixel for pixel, also in "
            f"{_COPIED[name]}"
            for name, mask in self.copies.items()
        )

    @property
    def rates_note(self) -> str:
        """Say which base rates the models go by, "" for those they were measured with."""
        return said(self.base_rates)

    def rule_for(self, label_set: str) -> str:
        """Say how the truth is decided for models of this label set."""
        return rule_for(self.faces.source, label_set)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Hold one model's evaluation. crops, temperature_note: in words. latency_ms: of one crop.

    explanations: how faithful each is, empty where that was not asked for. robustness: on spoilt
    pictures, None where that was not.
    """

    name: str
    file: str
    sha256: str
    label_set: str
    rule: str
    crops: str
    temperature_note: str
    latency_ms: float
    evaluation: Evaluation
    explanations: tuple[Faithfulness, ...] = ()
    robustness: Robustness | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold the paired test of two models of one label set."""

    first: str
    second: str
    label_set: str
    outcome: McNemar


def compare(results: list[Result]) -> list[Comparison]:
    """Return a paired test for each two models that name the same labels."""
    return [
        Comparison(
            first=one.name,
            second=other.name,
            label_set=one.label_set,
            outcome=mcnemar(one.evaluation.hits, other.evaluation.hits),
        )
        for one, other in combinations(results, 2)
        if one.label_set == other.label_set
    ]


def by_label_set(results: list[Result]) -> dict[str, list[Result]]:
    """Return the results of each label set, in their order; only those can be compared."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.label_set, []).append(result)
    return groups


def spoilt(group: list[Result]) -> dict[str, Robustness]:
    """Return by name how robust the models are, of those that were measured."""
    return {result.name: result.robustness for result in group if result.robustness is not None}


def copies_elsewhere(
    faces: FaceSet, chosen: FaceSet, split: Split
) -> dict[Split, NDArray[np.bool_]]:
    """Return which chosen faces of a split have the pixels of one that models saw before, (N,).

    By where that one is: Training, and for PrivateTest also PublicTest, by which checkpoints and
    temperatures are chosen. A split of which there are no pictures is left out.
    """
    before = SPLITS[: SPLITS.index(split)] if split in SPLITS else SPLITS[:1]
    return {
        name: copies_of(faces.pixels[faces.splits == name], chosen.pixels)
        for name in before
        if (faces.splits == name).any()
    }


def as_json(setting: Setting, results: list[Result], comparisons: list[Comparison]) -> Any:
    """Return plain values: `models` by name, `comparisons`, and what was measured on."""
    images = setting.images
    return {
        "data": {
            "file": setting.data,
            "source": setting.faces.source,
            "sha256": setting.data_sha256,
            "pictures": len(setting.faces),
            "copies_of_training": _count(setting.copies.get("Training")),
            "copies_of_public_test": _count(setting.copies.get("PublicTest")),
            "images": None
            if images is None
            else {
                "list": images.source,
                "listed": images.listed,
                "used": len(images.rows),
                "repeated": images.repeated,
                "compared": images.compared,
                "disagreeing": images.disagreeing,
                "elsewhere": list(images.elsewhere),
                "unresolved": list(images.unresolved),
            },
        },
        "split": setting.split,
        "tta": setting.tta,
        "base_rates": str(setting.base_rates),
        "date": setting.date,
        "models": {result.name: _model(setting, result) for result in results},
        "comparisons": [
            {
                "models": [entry.first, entry.second],
                "label_set": entry.label_set,
                **asdict(entry.outcome),
            }
            for entry in comparisons
        ],
    }


def _count(mask: NDArray[np.bool_] | None) -> int | None:
    return None if mask is None else int(mask.sum())


def _model(setting: Setting, result: Result) -> dict[str, Any]:
    evaluation = result.evaluation
    apart = evaluation.deduplicated
    faithful = [faithfulness_as_json(entry) for entry in result.explanations]
    return {
        "file": result.file,
        "sha256": result.sha256,
        "date": setting.date,
        "label_set": result.label_set,
        "labels": list(evaluation.labels),
        "split": setting.split,
        "rule": result.rule,
        "tta": setting.tta,
        "crops": result.crops,
        "temperature": round(evaluation.temperature, 5),
        "temperature_note": result.temperature_note,
        "latency_ms": round(result.latency_ms, 3),
        **_figures(evaluation.whole),
        "deduplicated": None if apart is None else _figures(apart),
        **({"explanations": faithful} if faithful else {}),
        **({"robustness": robustness_as_json(result.robustness)} if result.robustness else {}),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    """Return the figures rounded to what their number of pictures can tell."""
    return {
        "n": figures.n,
        "accuracy": round(figures.accuracy, 5),
        "accuracy_interval": [round(end, 5) for end in figures.accuracy_interval],
        "macro_f1": round(figures.macro_f1, 5),
        "mean_recall": round(figures.mean_recall, 5),
        "per_class_recall": {
            label: round(part, 5) for label, part in figures.per_class_recall.items()
        },
        "ece": round(figures.ece, 5),
        "nll": round(figures.nll, 5),
        "confusion": [list(row) for row in figures.confusion],
    }
