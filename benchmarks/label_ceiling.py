"""Say how far anything can come on FER2013: what ten other people's answers tell of its labels.

    python benchmarks/label_ceiling.py --data fer2013.csv --model cbam_resnet18.fer2013

The FER+ votes are ten people's answers to the same faces. A softmax regression learns on Training
which FER2013 label goes with which votes, and is asked on PublicTest. A second one sees what the
model says, too; it is fitted and asked on PublicTest in five folds, since the model knows its
training pictures, so its figure says what there is to know, and is no accuracy of a model.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data.face_set import FaceSet, clean_training
from models.data.fer2013 import read_fer2013
from models.data.ferplus import majority
from models.runtime.labels import LABEL_SETS
from models.runtime.store import load_model
from models.scoring import classifier_logits

FOLDS = 5
LABELS = LABEL_SETS["fer2013"]
VOTED = LABEL_SETS["ferplus"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    parser.add_argument("--model", default="cbam_resnet18.fer2013", help="one of FER2013's labels")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    faces = read_fer2013(arguments.data, None)
    training, validation = clean_training(faces)[0], faces.split("PublicTest")
    truth = torch.from_numpy(validation.labels.astype(np.int64))
    print(f"PublicTest, n = {len(truth):,}")
    same, asked = agreement(validation)
    print(f"the majority of the votes is the label: {same:.1%} of {asked:,} that have one of the 7")
    votes = shares(training), shares(validation)
    said = fitted(votes[0], torch.from_numpy(training.labels.astype(np.int64)))(votes[1])
    print(f"learnt from the votes: {told(said, truth)}")
    model = load_model(arguments.model, mirror=True)
    logits = torch.from_numpy(classifier_logits(model, validation.pixels, "mirror"))
    print(f"{arguments.model}, mirror: {told(logits, truth)}")
    both = torch.cat([votes[1], torch.log_softmax(logits, 1)], 1)
    print(f"both, in {FOLDS} folds: {told(in_folds(both, truth), truth)}")


def agreement(faces: FaceSet) -> tuple[float, int]:
    """Return how often the majority of the votes is the FER2013 label, and of how many faces."""
    assert faces.votes is not None, "FER+ votes belong to the data"
    found = majority(faces.votes)
    names = np.array([LABELS.index(name) if name in LABELS else -1 for name in VOTED])
    used = (found >= 0) & (names[found] >= 0)
    return float((names[found[used]] == faces.labels[used]).mean()), int(used.sum())


def shares(faces: FaceSet) -> Tensor:
    """Return the share of each answer (N, 10), its root and its square, (N, 30)."""
    votes: NDArray[Any] = np.asarray(faces.votes, np.float32)
    share = torch.from_numpy(votes / votes.sum(1, keepdims=True).clip(1))
    return torch.cat([share, share.sqrt(), share**2], 1)


def fitted(inputs: Tensor, truth: Tensor, steps: int = 400) -> nn.Module:
    """Return a softmax regression (N, F) -> (N, 7), with a small penalty on its weights."""
    regression = nn.Sequential(
        nn.BatchNorm1d(inputs.shape[1], affine=False, momentum=None),
        nn.Linear(inputs.shape[1], len(LABELS)),
    )
    regression(inputs)
    regression.eval()
    optimiser = torch.optim.LBFGS(
        regression.parameters(), max_iter=steps, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        error = nn.functional.cross_entropy(regression(inputs), truth)
        error = error + 1e-3 * sum((each**2).sum() for each in regression.parameters())
        error.backward()  # type: ignore[no-untyped-call]
        return error

    optimiser.step(loss)
    return regression.requires_grad_(False)


def in_folds(inputs: Tensor, truth: Tensor) -> Tensor:
    """Return what is said of each row by a regression that did not see its fold."""
    fold = torch.randperm(len(inputs)) % FOLDS
    said = torch.empty(len(inputs), len(LABELS))
    for each in range(FOLDS):
        held = fold == each
        said[held] = fitted(inputs[~held], truth[~held])(inputs[held])
    return said


def told(logits: Tensor, truth: Tensor) -> str:
    right = (logits.argmax(1) == truth).float().mean()
    loss = nn.functional.cross_entropy(logits, truth)
    return f"{right:.1%}, negative log-likelihood {loss:.3f}"


if __name__ == "__main__":
    main()
