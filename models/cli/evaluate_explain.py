"""The part of fer-evaluate that measures how far explanations can be believed."""

from __future__ import annotations

import numpy as np

from models.cli.evaluate_table import print_table
from models.crops import one_crop
from models.explain.base import Runner
from models.explain.explainers import explainers_for
from models.explain.faithfulness import Faithfulness, measure_faithfulness
from models.explain.note import Note, write_note
from models.explain.table import HEADER, row
from models.results import Result, Setting
from models.runtime.errors import UserError
from models.runtime.store import load_model

PICTURES = 200
"""How many pictures are explained if no number is given."""
_SEED = 0


def check_explained(names: list[str]) -> None:
    """Raise `UserError` for a checkpoint, which has no attention outputs."""
    for name in names:
        if name.lower().endswith(".pt"):
            raise UserError(
                f"{name}: --explain expects an exported model, found a checkpoint: export it with "
                "fer-export-onnx --guided"
            )


def explain_model(
    name: str, setting: Setting, pictures: int, threads: int
) -> tuple[Faithfulness, ...]:
    """Measure every explanation of an exported model on pictures of the split, chosen by a seed."""
    from tqdm import tqdm

    classifier = load_model(name, provider="CPU", mirror=False)
    # The map of one block is part of the product of all, and is not measured by itself.
    explainers = [
        each
        for each in explainers_for(classifier, threads=threads)
        if not each.name.startswith("spatial")
    ]
    pixels = setting.faces.pixels
    rows = np.random.default_rng(_SEED).permutation(len(pixels))[:pictures]
    crops = list(one_crop(pixels[np.sort(rows)], classifier.card.input))
    with tqdm(
        total=len(crops) * len(explainers),
        desc=f"{classifier.path.stem}, explanations",
        leave=False,
        disable=None,
    ) as bar:
        return tuple(
            measure_faithfulness(
                Runner(classifier, threads=threads),
                explainers,
                crops,
                seed=_SEED,
                on_crop=bar.update,
            )
        )


def save_note(name: str, setting: Setting, result: Result) -> str:
    """Write what was measured beside the model, where the app reads it; return the path."""
    note = Note(setting.data, setting.split, setting.date, result.explanations)
    return str(write_note(load_model(name, provider="CPU").path, note))


def print_explanations(results: list[Result]) -> None:
    """Print a table for each model whose explanations were measured."""
    for result in results:
        if result.explanations:
            print(f"\nexplanations of {result.name}")
            print_table(HEADER, [row(entry) for entry in result.explanations])
