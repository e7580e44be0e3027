"""The face finder's network, and what it is taught."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from models.finder_scores import overlaps
from models.nets.face_finder import CHANNELS, STRIDES, FaceFinderNet
from models.training.finder_loss import Targets, assign, decode, finder_loss
from tests.faces.conftest import draw_face

pytestmark = pytest.mark.train
SIDE = 128


def targets(boxes: list[list[float]], counts: list[bool], picture: list[int]) -> Targets:
    corners = torch.tensor(boxes).reshape(-1, 4)
    middle, size = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    spread = torch.tensor([[-0.2, -0.1], [0.2, -0.1], [0.0, 0.1], [-0.15, 0.3], [0.15, 0.3]])
    points = middle[:, None] + spread * size[:, None]
    return Targets(torch.tensor(picture), corners, points, torch.tensor(counts))


def silent(pictures: int = 1) -> list[Tensor]:
    """Return answers that say "no face" and boxes of 3 strides everywhere."""
    levels = []
    for stride in STRIDES:
        level = torch.zeros(pictures, (SIDE // stride) ** 2, CHANNELS)
        level[..., :2] = -6
        level[..., 2:4] = 0.5
        level[..., 4:6] = 1.1
        levels.append(level)
    return levels


def perfect(aims: Targets, faces: Tensor, cells: Tensor) -> list[Tensor]:
    """Return answers that are right at these cells."""
    levels = silent()
    starts = [0, *torch.cumsum(torch.tensor([len(level[0]) for level in levels]), 0).tolist()]
    for face, cell in zip(faces.tolist(), cells.tolist()):
        number = max(n for n in range(3) if cell >= starts[n])
        stride = STRIDES[number]
        column, row = (
            (cell - starts[number]) % (SIDE // stride),
            (cell - starts[number]) // (SIDE // stride),
        )
        corner = torch.tensor([column, row]) * stride
        box, values = aims.boxes[face], levels[number][0, cell - starts[number]]
        values[:2] = 12
        values[2:4] = ((box[:2] + box[2:]) / 2 - corner) / stride
        values[4:6] = torch.log((box[2:] - box[:2]) / stride)
        values[6:] = ((aims.points[face] - corner) / stride).flatten()
    return levels


def test_it_is_small_and_answers_at_every_cell() -> None:
    network = FaceFinderNet().eval()
    assert sum(p.numel() for p in network.parameters()) <= 100_000
    with torch.inference_mode():
        levels = network(torch.rand(2, 3, 96, 160))
    assert [level.shape for level in levels] == [(2, 240, 16), (2, 60, 16), (2, 15, 16)]


def test_it_begins_by_saying_that_there_is_no_face() -> None:
    network = FaceFinderNet().eval()
    with torch.inference_mode():
        levels = network(torch.rand(1, 3, 64, 64))
    assert all(level[..., 0].sigmoid().max() < 0.2 for level in levels)


def test_numbers_become_pixels_as_opencv_makes_them() -> None:
    levels = silent()
    levels[1][0, 9] = torch.tensor([0.0, 0, 0.5, 0.25, 1, 2, *([0.5, 1.0] * 5)])
    cells = decode(levels, SIDE, SIDE)
    cell = 256 + 9  # of stride 16: column 1, row 1
    width, height = 16 * torch.e, 16 * torch.e**2
    expected = [24 - width / 2, 20 - height / 2, 24 + width / 2, 20 + height / 2]
    torch.testing.assert_close(cells.boxes[0, cell], torch.tensor(expected))
    torch.testing.assert_close(cells.points[0, cell, 0], torch.tensor([24.0, 32.0]))
    torch.testing.assert_close(cells.centres[cell], torch.tensor([24.0, 24.0]))


@pytest.mark.parametrize(("side", "levels"), [(12, {0}), (30, {0}), (70, {1}), (120, {1, 2})])
def test_a_face_is_answered_for_by_near_cells_of_its_size(side: float, levels: set[int]) -> None:
    middle = 66.0
    box = [middle - side / 2, middle - side / 2, middle + side / 2, middle + side / 2]
    cells = decode(silent(), SIDE, SIDE)
    faces, chosen = assign(cells, targets([box], [True], [0]))
    assert 1 <= len(chosen) <= 10
    assert faces.tolist() == [0] * len(chosen)
    starts = torch.tensor([0, 256, 320])
    assert {int((starts <= cell).sum()) - 1 for cell in chosen} <= levels
    away = (cells.centres[chosen] - middle).abs().amax(1)
    assert (away <= side / 2 + 16).all()


def test_two_faces_never_share_a_cell_and_pictures_are_kept_apart() -> None:
    aims = targets([[20, 20, 60, 60], [24, 22, 66, 60], [20, 20, 60, 60]], [True] * 3, [0, 0, 1])
    faces, chosen = assign(decode(silent(2), SIDE, SIDE), aims)
    assert len(set(chosen.tolist())) == len(chosen)
    assert set(faces.tolist()) == {0, 1, 2}
    assert ((chosen >= 336) == (faces == 2)).all()


def test_a_face_larger_than_the_picture_is_still_answered_for() -> None:
    faces, _ = assign(decode(silent(), SIDE, SIDE), targets([[-60, 40, 300, 420]], [True], [0]))
    assert len(faces)


def test_right_answers_cost_almost_nothing_and_wrong_ones_more() -> None:
    aims = targets([[20, 20, 60, 70], [80, 10, 100, 34]], [True, True], [0, 0])
    levels, known = silent(), 0
    while True:  # the better the boxes, the more cells a face takes
        faces, cells = assign(decode(levels, SIDE, SIDE), aims)
        levels = perfect(aims, faces, cells)
        if len(cells) <= known:
            break
        known = len(cells)
    right, parts = finder_loss(levels, aims, SIDE)
    assert right < 0.5
    assert parts[2] < 0.05
    assert parts[3] < 0.05
    moved = [level.clone() for level in levels]
    for level in moved:
        level[..., 2:4] += 0.5
    assert finder_loss(moved, aims, SIDE)[1][2] > parts[2] + 0.2
    turned = [level.clone() for level in levels]
    for level in turned:
        level[..., 6:] += 0.5
    assert finder_loss(turned, aims, SIDE)[1][3] > parts[3] + 0.2
    assert finder_loss(silent(), aims, SIDE)[0] > right + 3


def test_what_a_doubtful_face_is_said_to_be_costs_nothing() -> None:
    loud = silent()
    for level in loud:
        level[..., 0] = 4
    free = finder_loss(loud, targets([[0, 0, SIDE, SIDE]], [False], [0]), SIDE)[0]
    dear = finder_loss(loud, targets([[0, 0, 1, 1]], [False], [0]), SIDE)[0]
    assert free == 0
    assert dear > 100


def test_the_loss_reaches_every_weight() -> None:
    torch.manual_seed(0)
    network = FaceFinderNet().train()
    aims = targets([[10, 10, 40, 46], [30, 30, 120, 126]], [True, True], [0, 1])
    loss, _ = finder_loss(network(torch.rand(2, 3, SIDE, SIDE)), aims, SIDE)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert torch.isfinite(weights.grad).all(), name


def test_it_learns_a_face_and_then_finds_it() -> None:
    torch.manual_seed(0)
    picture, face = draw_face(np.random.default_rng(0), side=96, size=44)
    corners = np.concatenate([face[:2], face[:2] + face[2:4]])
    aims = Targets(
        torch.zeros(1, dtype=torch.int64),
        torch.from_numpy(corners[None]),
        torch.from_numpy(face[4:14].reshape(1, 5, 2)),
        torch.tensor([True]),
    )
    network = FaceFinderNet().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3)
    pixels = torch.from_numpy(picture)[None].permute(0, 3, 1, 2).float() / 255
    for _ in range(60):
        loss, _ = finder_loss(network(pixels), aims, 96)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    cells = decode(network(pixels), 96, 96)
    best = int((cells.presence + cells.overlap)[0].argmax())
    assert cells.presence[0, best] > 0
    found = cells.boxes[0, best].detach().numpy()[None].astype(np.float32)
    assert overlaps(found, corners[None])[0, 0] > 0.7
    away = cells.points[0, best].detach() - torch.from_numpy(face[4:14].reshape(5, 2))
    assert away.abs().max() < 5
