"""The mean maps of each expression over a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.cli.explain_figure import CELL, Part, Row, Sheet
from app.cli.explain_models import Crop, ModelColumns, mean_face
from app.cli.explain_paint import gray_picture
from app.errors import SettingsError
from app.palette import display_order
from models.crops import one_crop
from models.data.face_set import FaceSet
from models.data.read import read_dataset
from models.runtime.labels import LABEL_SETS


def average_sheet(
    models: list[ModelColumns],
    data: Path,
    *,
    votes: Path | None,
    split: str,
    pictures: int,
    on_notice: Callable[[str], None],
) -> Sheet:
    """Return a figure with a row for each expression, as in Minaee et al., arXiv 1902.01019.

    data: as `read_dataset` takes it, labelled as each model is. pictures: the most of each
    expression, drawn by a seed; only those that the model names so too are averaged. Raises
    `SettingsError` for a split that is not there, `UserError` for data that cannot be read.
    """
    label_sets = {model.label_set for model in models}
    faces = {name: read_dataset(data, votes=votes, label_set=name).faces for name in label_sets}
    parts = {name: each.select(each.splits == split) for name, each in faces.items()}
    if not any(len(each) for each in parts.values()):
        known = sorted({str(name) for each in faces.values() for name in each.splits})
        raise SettingsError(
            f'{data} has the splits {", ".join(known)}, not "{split}"; choose one with --split.'
        )
    rows = []
    for label in display_order(dict.fromkeys(each for model in models for each in model.labels)):
        drawn = {name: _drawn(each, name, label, pictures) for name, each in parts.items()}
        shown = [pixels for pixels in drawn.values() if len(pixels)]
        if not shown:
            on_notice(f"There is no picture of {label} in {split}; it was left out.")
            continue
        cells = tuple(_part(model, drawn[model.label_set], label) for model in models)
        rows.append(Row(label, gray_picture(mean_face(list(shown[0])), CELL), cells))
    legend = (
        f"Mean maps over pictures of {data.name}, {split}, that people and the model name so, on "
        "their mean face; each is scaled by itself.",
        "The numbers say how many of the pictures, drawn by a seed, the model names so too.",
    )
    return Sheet("mean face", tuple(model.group() for model in models), tuple(rows), legend)


def _part(model: ModelColumns, pixels: Crop, label: str) -> Part:
    if not len(pixels):
        return Part("", "", tuple(None for _ in model.methods))
    return model.average(list(one_crop(pixels, model.input)), label)


def _drawn(faces: FaceSet, label_set: str, label: str, pictures: int) -> Crop:
    """Return at most so many pictures (N, S, S) of one label, chosen by a seed."""
    labels = LABEL_SETS[label_set]
    if label not in labels:
        return np.empty((0, *faces.pixels.shape[1:]), np.uint8)
    rows = np.flatnonzero(faces.labels == labels.index(label))
    chosen = np.sort(np.random.default_rng(0).permutation(rows)[:pictures])
    return np.asarray(faces.pixels[chosen])
