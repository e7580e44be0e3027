"""Fit the small network that knows covered faces: `app/faces/cover.onnx`.

    python benchmarks/fit_cover.py --data fer2013.csv

It sees training faces of FER2013 of which most are given a drawn cover (a mask, a hand, hair, dark
glasses) and learns how much of each eye, the nose and the mouth is covered. PublicTest faces, half
of them covered, tell how well it does. Takes some 15 minutes on one free core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from app.faces.cover import FILE, SIDE, cover_input
from models.data.face_set import FaceSet, clean_training
from models.data.fer2013 import read_fer2013
from models.data.ferplus import majority
from models.onnx_notes import clear_notes
from models.runtime.files import written_whole

PLACES = {
    "left eye": (slice(13, 25), slice(7, 23)),
    "right eye": (slice(13, 25), slice(25, 41)),
    "nose": (slice(20, 34), slice(16, 32)),
    "mouth": (slice(31, 45), slice(12, 36)),
}
WHOLE = 48
Picture = NDArray[Any]
Shape = NDArray[Any]


class Covers:
    """Draw faces and covers from one stream of random numbers."""

    def __init__(self, faces: NDArray[np.uint8], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self._faces = faces

    def batch(self, count: int, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs (N, 1, 24, 24) and the covered part of each place (N, 4)."""
        looks, truth = [], np.zeros((count, len(PLACES)), np.float32)
        for row in range(count):
            face = self._faces[self.random.integers(len(self._faces))].astype(np.float32)
            if self.random.random() < share:
                face, truth[row] = self.covered(face)
            looks.append(cover_input(self.varied(face)))
        return torch.from_numpy(np.stack(looks))[:, None], torch.from_numpy(truth)

    def covered(self, face: Picture) -> tuple[Picture, NDArray[np.float32]]:
        """Return a face with a cover and how much of each place it hides."""
        shape = self._shape()
        truth = np.array([(shape[place] > 0).mean() for place in PLACES.values()], np.float32)
        blur = self.random.uniform(0.4, 1.2)
        opacity = cv2.GaussianBlur(shape, (0, 0), blur).astype(np.float32) / 255
        return face * (1 - opacity) + self._texture() * opacity, truth

    def varied(self, face: Picture) -> NDArray[np.uint8]:
        """Return a face as another camera and other landmarks would have given it."""
        random = self.random
        turn = cv2.getRotationMatrix2D(
            (23.5, 23.5), random.normal(0, 6), float(np.exp(random.normal(0, 0.06)))
        )
        turn[:, 2] += random.normal(0, 1.8, 2)
        face = cv2.warpAffine(face, turn, (WHOLE, WHOLE), borderMode=cv2.BORDER_REPLICATE)
        if random.random() < 0.3:
            face = cv2.GaussianBlur(face, (0, 0), random.uniform(0.5, 1.5))
        bright = (np.clip(face, 0, 255) / 255) ** np.exp(random.normal(0, 0.25))
        noisy = bright * 255 * random.uniform(0.5, 1.1) + random.normal(0, 3, face.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def _shape(self) -> Shape:
        random, shape = self.random, np.zeros((WHOLE, WHOLE), np.uint8)

        def oval(x: float, y: float, wide: float, high: float, lean: float) -> None:
            cv2.ellipse(shape, (int(x), int(y)), (int(wide), int(high)), lean, 0, 360, 255, -1)

        def polygon(points: list[tuple[float, float]]) -> None:
            cv2.fillPoly(shape, [np.array(points).astype(np.int32)], 255)

        lean = random.uniform(-40, 40)
        kind = random.integers(6)
        if kind == 0:  # a mask over nose and mouth
            top, left, right = random.uniform(22, 30), random.uniform(-2, 6), random.uniform(42, 50)
            polygon([
                (left, top + random.uniform(-3, 5)), (24, top - random.uniform(0, 5)),
                (right, top + random.uniform(-3, 5)), (random.uniform(38, 46), 49), (24, 54),
                (random.uniform(2, 10), 49),
            ])  # fmt: skip
        elif kind == 1:  # a hand before the mouth
            oval(random.uniform(16, 32), random.uniform(34, 44), random.uniform(8, 18),
                 random.uniform(6, 12), lean)  # fmt: skip
        elif kind == 2:  # hair or a hand over one eye
            side = random.uniform(4, 18) if random.random() < 0.5 else random.uniform(30, 44)
            oval(side, random.uniform(12, 24), random.uniform(8, 14), random.uniform(7, 16), lean)
        elif kind == 3:  # dark glasses
            top = random.uniform(14, 20)
            cv2.rectangle(
                shape,
                (int(random.uniform(0, 7)), int(top)),
                (int(random.uniform(41, 48)), int(top + random.uniform(7, 12))),
                255,
                -1,
            )
        elif kind == 4:  # something from the side
            edge = random.uniform(14, 24) + random.normal(0, 4, 2)
            polygon([(-5, -5), (edge[0], -5), (edge[1], 53), (-5, 53)])
            if random.random() < 0.5:
                shape = shape[:, ::-1].copy()
        else:
            oval(random.uniform(8, 40), random.uniform(10, 44), random.uniform(7, 16),
                 random.uniform(7, 16), random.uniform(0, 180))  # fmt: skip
        return shape

    def _texture(self) -> Picture:
        random, size = self.random, (WHOLE, WHOLE)
        down, across = np.mgrid[:WHOLE, :WHOLE].astype(np.float32)
        kind, base = random.integers(4), random.uniform(15, 240)
        if kind == 0:
            texture = np.full(size, base, np.float32)
        elif kind == 1:
            noise = random.normal(0, 1, size).astype(np.float32)
            texture = base + random.uniform(20, 120) * cv2.GaussianBlur(
                noise, (0, 0), random.uniform(1, 4)
            )
        elif kind == 2:  # skin, hair or background of somebody else
            other = self._faces[random.integers(len(self._faces))]
            y, x = random.integers(0, 24, 2)
            texture = cv2.resize(other[y : y + 24, x : x + 24], size).astype(np.float32)
        else:  # folds
            lean, dense = random.normal(0, 0.4), random.uniform(0.2, 0.9)
            waves = np.sin(dense * (down * np.cos(lean) + across * np.sin(lean)) + base)
            texture = base + random.uniform(5, 30) * waves
        shade = random.normal(0, 0.8, 2)
        lit = texture + shade[0] * (across - WHOLE / 2) + shade[1] * (down - WHOLE / 2)
        return np.asarray(lit, np.float32)


def make_network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * (SIDE // 4) ** 2, 32), nn.ReLU(), nn.Linear(32, len(PLACES)),
    )  # fmt: skip


def fit(covers: Covers, steps: int) -> nn.Sequential:
    torch.manual_seed(0)
    network = make_network()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for step in range(1, steps + 1):
        inputs, truth = covers.batch(128, 0.6)
        loss = nn.functional.binary_cross_entropy_with_logits(network(inputs), truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 500 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    return network.eval()


def area_under_curve(free: NDArray[np.float32], covered: NDArray[np.float32]) -> float:
    """Return how often a covered face has a higher value than a free one."""
    ranks = np.concatenate([free, covered]).argsort().argsort()
    above = ranks[len(free) :].sum() - len(covered) * (len(covered) - 1) / 2
    return float(above / (len(free) * len(covered)))


def export(network: nn.Sequential, file: Path) -> None:
    """Write the network whole or not at all; an older file stays until then."""
    with written_whole(file) as partial:
        torch.onnx.export(
            nn.Sequential(network, nn.Sigmoid()).eval(), (torch.zeros(2, 1, SIDE, SIDE),), partial,
            input_names=["looks"], output_names=["places"], opset_version=18, dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("faces", min=1)},), external_data=False,
            verbose=False,
        )  # fmt: skip
        model = onnx.load(partial)
        clear_notes(model)
        onnx.save(model, partial)


def clear_faces(faces: FaceSet) -> NDArray[np.uint8]:
    """Return pictures (N, 48, 48) on whose expression the people who voted agree: it is seen."""
    assert faces.votes is not None, "FER+ votes belong to the data"
    return faces.pixels[majority(faces.votes) >= 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    faces = read_fer2013(arguments.data, None)
    training, validation = clean_training(faces)[0], faces.split("PublicTest")
    network = fit(Covers(clear_faces(training), seed=1), arguments.steps)
    export(network, arguments.output)
    known = Covers(clear_faces(validation), seed=2)
    with torch.inference_mode():
        free, covered = (
            network(known.batch(2000, share)[0]).amax(1).numpy() for share in (0.0, 1.0)
        )
    print(f"PublicTest, drawn covers: area under the curve {area_under_curve(free, covered):.3f}")


if __name__ == "__main__":
    main()
