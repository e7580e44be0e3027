"""Find Training pictures that are PublicTest's photographs again, and what that does to figures.

    python benchmarks/near_copies.py --data fer2013.csv --models cbam_resnet18.fer2013

Trainings drop them since 30 November 2026, as they always dropped copies that are the same to the
last pixel; models that were trained before have learnt from them. `models.data.copies` says what
counts as a photograph again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from models.data.copies import NEAR, copies_of, likeness
from models.data.fer2013 import read_fer2013
from models.measure import truth_for
from models.runtime.store import load_model
from models.scoring import classifier_logits


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    parser.add_argument("--models", default="mini_xception.fer2013,mini_xception.ferplus")
    parser.add_argument("--bound", type=float, default=NEAR)
    arguments = parser.parse_args()
    faces = read_fer2013(arguments.data, None)
    validation = faces.split("PublicTest")
    training = faces.split("Training").pixels
    training = training[~copies_of(validation.pixels, training)]
    nearest = likeness(validation.pixels, training)
    for bound in (0.999, 0.99, arguments.bound):
        print(f"above {bound}: {int((nearest > bound).sum())} of {len(nearest):,}")
    twins = nearest > arguments.bound
    print("| model, mirror | n | all | again in Training | n | without them |")
    print("|---|---|---|---|---|---|")
    for name in arguments.models.split(","):
        model = load_model(name, mirror=True)
        truth = truth_for(validation, model.card.label_set)
        right = classifier_logits(model, validation.pixels, "mirror").argmax(1) == truth
        asked = truth >= 0
        parts = [right[asked], right[asked & twins], right[asked & ~twins]]
        whole, again, rest = (f"{100 * part.mean():.2f} %" for part in parts)
        print(f"| `{name}` | {len(parts[0]):,} | {whole} | {again} | {len(parts[1])} | {rest} |")


if __name__ == "__main__":
    main()
