"""What the face finder is taught: which cells answer for a face, and how wrong they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.nets.face_finder import STRIDES

__all__ = ["Cells", "Targets", "assign", "decode", "finder_loss"]

_REACH = 2
"""Cells to each side of a face's centre that may answer for it: 2.5 strides, as YOLOX."""
# Sides of faces, in pixels, that a level answers for; where two overlap the cost decides.
_SIZES = ((0.0, 56.0), (36.0, 136.0), (88.0, 1e9))
_MOST_CELLS = 10
_IMPOSSIBLE = 1e6
_BOX_WEIGHT, _POINT_WEIGHT = 5.0, 10.0
_POINT_BETA = 0.02


@dataclass(frozen=True, slots=True)
class Targets:
    """Hold the faces of a batch.

    picture: (F,) int64, which of the batch. boxes: (F, 4) float32 left, top, right, bottom in
    pixels. points: (F, 5, 2) pixels. counts: (F,) bool, False for what is neither face nor
    background.
    """

    picture: Tensor
    boxes: Tensor
    points: Tensor
    counts: Tensor


@dataclass(frozen=True, slots=True)
class Cells:
    """Hold the network's answers in pixels, all levels in a row.

    presence, overlap: (N, A) logits. boxes: (N, A, 4) left, top, right, bottom. points:
    (N, A, 5, 2). centres: (A, 2) of the cells. shapes: rows and columns of each level.
    """

    presence: Tensor
    overlap: Tensor
    boxes: Tensor
    points: Tensor
    centres: Tensor
    shapes: tuple[tuple[int, int], ...]


def decode(outputs: list[Tensor], height: int, width: int) -> Cells:
    """Bring the raw numbers of a (height, width) input to pixels, as OpenCV does."""
    corners, strides, shapes = [], [], []
    for stride, level in zip(STRIDES, outputs, strict=True):
        rows, columns = height // stride, width // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        corners.append(torch.stack([x, y], 2).reshape(-1, 2) * stride)
        strides.append(torch.full((rows * columns, 1), stride))
        shapes.append((rows, columns))
        assert level.shape[1] == rows * columns
    values = torch.cat(outputs, 1).float()
    corner = torch.cat(corners).to(values)
    stride_of = torch.cat(strides).to(values)
    middle = corner + values[..., 2:4] * stride_of
    half = torch.exp(values[..., 4:6].clamp(max=6)) * stride_of / 2
    points = values[..., 6:].reshape(*values.shape[:2], 5, 2) * stride_of[:, None] + corner[:, None]
    return Cells(
        presence=values[..., 0],
        overlap=values[..., 1],
        boxes=torch.cat([middle - half, middle + half], -1),
        points=points,
        centres=corner + stride_of / 2,
        shapes=tuple(shapes),
    )


def assign(cells: Cells, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return which faces and which cells belong together: (P,) rows of targets and of cells.

    SimOTA (YOLOX, arXiv 2107.08430, section 2.1; after OTA, arXiv 2103.14259): a face takes as
    many of the cells around its centre as their overlaps with it come to, those that cost least;
    a cell that two faces want goes to the one that costs less. Cells are numbered through the
    whole batch. Faces that do not count take none.
    """
    count = cells.presence.shape[1]
    chosen = torch.nonzero(targets.counts)[:, 0]
    boxes, picture = targets.boxes[chosen], targets.picture[chosen]
    near, allowed = _candidates(cells, boxes)
    flat = near + picture[:, None] * count
    found = cells.boxes.flatten(0, 1)[flat]
    overlaps = _overlap(found, boxes[:, None].expand_as(found)) * allowed
    presence = cells.presence.flatten()[flat]
    quality = cells.overlap.flatten()[flat]
    # Half the sum of the logarithms is the logarithm of the score, sqrt(presence * overlap).
    doubt = -(functional.logsigmoid(presence) + functional.logsigmoid(quality)) / 2
    cost = doubt - 3 * torch.log(overlaps.clamp_min(1e-6)) + _IMPOSSIBLE * ~allowed
    wanted = overlaps.topk(_MOST_CELLS, 1).values.sum(1).int().clamp_min(1)
    order = cost.argsort(1)
    place = torch.empty_like(order).scatter_(
        1, order, torch.arange(order.shape[1], device=order.device).expand_as(order).contiguous()
    )
    taken = (place < wanted[:, None]) & allowed
    face, column = torch.nonzero(taken, as_tuple=True)
    cell, price = flat[face, column], cost[face, column]
    cheapest = torch.full((cells.presence.numel(),), torch.inf, device=price.device)
    cheapest.scatter_reduce_(0, cell, price, "amin")
    kept = price <= cheapest[cell]
    return chosen[face[kept]], cell[kept]


def _candidates(cells: Cells, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cells around each face's centre on all levels and which may answer: (F, 75)."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = (boxes[:, 2:] - boxes[:, :2]).clamp_min(1).prod(1).sqrt()
    reach = torch.arange(-_REACH, _REACH + 1, device=boxes.device)
    across, down = reach.repeat(len(reach)), reach.repeat_interleave(len(reach))
    numbers, allowed, first = [], [], 0
    for stride, (rows, columns), (low, high) in zip(STRIDES, cells.shapes, _SIZES, strict=True):
        # A face cut off by the frame is answered for at the edge.
        column = (middle[:, 0] / stride).long().clamp(0, columns - 1)[:, None] + across
        row = (middle[:, 1] / stride).long().clamp(0, rows - 1)[:, None] + down
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        fits = ((side >= low) & (side < high))[:, None]
        x = (column + 0.5) * stride - middle[:, :1]
        y = (row + 0.5) * stride - middle[:, 1:]
        half = (boxes[:, 2:] - boxes[:, :2]) / 2
        covered = (x.abs() < half[:, :1]) & (y.abs() < half[:, 1:])
        own = ((across == 0) & (down == 0))[None]
        numbers.append(first + (row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1)))
        allowed.append(inside & fits & (covered | own))
        first += rows * columns
    return torch.cat(numbers, 1), torch.cat(allowed, 1)


def finder_loss(outputs: list[Tensor], targets: Targets, side: int) -> tuple[Tensor, Tensor]:
    """Return the loss of a batch of (side, side) pictures, and its parts without gradient.

    Parts: presence and overlap by cross-entropy, box by 1 - EIoU (Zhang et al., arXiv 2101.08158,
    equation 6), landmarks by a smooth L1 in parts of the face's side.
    """
    cells = decode(outputs, side, side)
    with torch.no_grad():
        face, cell = assign(cells, targets)
        truth = torch.zeros_like(cells.presence).flatten()
        truth[cell] = 1
        weight = (truth > 0) | ~_left_out(cells, targets)
    share = max(1, len(face))
    presence = functional.binary_cross_entropy_with_logits(
        cells.presence.flatten(), truth, weight.float(), reduction="sum"
    )
    boxes, points = targets.boxes[face], targets.points[face]
    found = cells.boxes.flatten(0, 1)[cell]
    overlaps = _overlap(found.detach(), boxes)
    overlap = functional.binary_cross_entropy_with_logits(
        cells.overlap.flatten()[cell], overlaps, reduction="sum"
    )
    box = (1 - _eiou(found, boxes)).sum()
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt()[:, None, None]
    wrong = (cells.points.flatten(0, 1)[cell] - points) / size
    landmarks = (
        functional.smooth_l1_loss(wrong, torch.zeros_like(wrong), beta=_POINT_BETA, reduction="sum")
        / 10
    )
    parts = torch.stack([presence, overlap, _BOX_WEIGHT * box, _POINT_WEIGHT * landmarks]) / share
    return parts.sum(), parts.detach()


def _left_out(cells: Cells, targets: Targets) -> Tensor:
    """Return which cells lie in a face that does not count, (N * A) bool."""
    pictures, count = cells.presence.shape
    out = torch.zeros(pictures, count, device=cells.presence.device)
    doubtful = torch.nonzero(~targets.counts)[:, 0]
    boxes = targets.boxes[doubtful]
    inside = (
        (cells.centres[None] >= boxes[:, None, :2]) & (cells.centres[None] < boxes[:, None, 2:])
    ).all(2)
    out.index_add_(0, targets.picture[doubtful], inside.to(out))
    return out.flatten() > 0


def _overlap(first: Tensor, second: Tensor) -> Tensor:
    """Return the intersection over union of boxes of the same shape (..., 4)."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    common = (high - low).clamp_min(0).prod(-1)
    both = _area(first) + _area(second) - common
    return common / both.clamp_min(1e-6)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1)


def _eiou(found: Tensor, true: Tensor) -> Tensor:
    """Return the efficient overlap: less the distances of centres, widths and heights."""
    low = torch.minimum(found[:, :2], true[:, :2])
    high = torch.maximum(found[:, 2:], true[:, 2:])
    around = (high - low).square().clamp_min(1e-6)
    apart = (found[:, :2] + found[:, 2:] - true[:, :2] - true[:, 2:]) / 2
    sizes = (found[:, 2:] - found[:, :2]) - (true[:, 2:] - true[:, :2])
    return (
        _overlap(found, true)
        - apart.square().sum(1) / around.sum(1)
        - (sizes.square() / around).sum(1)
    )
