"""The attention overlay: maps on the face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from app.overlays import AttentionOverlay, Viewport
from app.overlays.attention import CROP_CELLS, coloured
from app.overlays.maps import attention_map
from models.runtime.labels import FERPLUS

if TYPE_CHECKING:
    from tests.live_program.conftest import Easel

# Attention


def test_the_map_of_the_shown_label_is_scaled_by_its_greatest_value(easel: Easel) -> None:
    cam = np.zeros((8, 1, 3), np.float32)
    cam[FERPLUS.index("happiness")] = [[-4, 1, 2]]
    cam[FERPLUS.index("anger")] = [[9, 0, 0]]
    values = attention_map(easel.face(cam=cam))
    assert values is not None
    assert values.dtype == np.float32
    assert values.tolist() == [[0, 0.5, 1]]
    unsure = easel.face(label="unsure", labels=FERPLUS, confidence=0.3, cam=cam)
    assert attention_map(unsure) is None, "the likeliest label's map has nothing positive"


def test_maps_without_a_label_are_shown_as_they_are(easel: Easel) -> None:
    face = easel.face()
    face.prediction.attention["spatial"] = np.array([[0, 2], [4, 1]], np.float32)
    values = attention_map(face, "spatial")
    assert values is not None
    assert values.tolist() == [[0, 0.5], [1, 0.25]]
    assert attention_map(face) is None
    assert (easel.drawn([AttentionOverlay("spatial")], face) != easel.grey()).any()
    assert np.array_equal(easel.drawn([AttentionOverlay()], face), easel.grey())


@pytest.mark.parametrize("values", [np.zeros((8, 3, 3)), -np.ones((8, 3, 3)), np.ones((8, 0, 0))])
def test_a_map_without_positive_values_draws_nothing(
    easel: Easel, values: NDArray[np.float64]
) -> None:
    face = easel.face(cam=values.astype(np.float32))
    assert np.array_equal(easel.drawn([AttentionOverlay()], face), easel.grey())


@pytest.mark.parametrize("mirrored", [False, True])
def test_attention_lies_on_its_part_of_the_face(easel: Easel, mirrored: bool) -> None:
    face = easel.face((200, 150), 180, cam=easel.cam("happiness", 2, 1), angle=0.4)
    canvas = easel.drawn([AttentionOverlay()], face, mirrored=mirrored)
    strength = np.abs(canvas.astype(int) - 128).sum(axis=2).astype(float)
    y, x = np.indices(strength.shape)
    seen = np.array([(x * strength).sum(), (y * strength).sum()]) / strength.sum()
    cell = face.crop_to_frame @ (23.5, 39.5, 1)
    expected = Viewport(1, mirrored, 400).to_canvas(cell)
    assert seen == pytest.approx(expected, abs=180 / 12)


def test_attention_is_soft_and_lets_the_face_through() -> None:
    painted = coloured(np.ones((3, 3), np.float32))
    opacity = painted[..., 3].astype(int)
    assert 0.5 < opacity.max() / 255 < 0.7
    rim = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert rim.max() < 5
    assert np.abs(np.diff(opacity, axis=1)).max() < 32
    on_crop = opacity[CROP_CELLS, CROP_CELLS]
    assert on_crop.shape == (80, 80)
    assert np.ptp(on_crop) == 0, "as bright at the crop's edge and corners as in its middle"
    half = coloured(np.full((3, 3), 0.5, np.float32))[48, 48, 3]
    assert half == pytest.approx(opacity[48, 48] / 2, abs=2)
