from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.live.watch import Watch

Image = NDArray[np.uint8]


def scene(seed: int) -> Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def noisy(image: Image, seed: int) -> Image:
    noise = np.random.default_rng(seed).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_two_shots_are_told_apart_and_a_moving_camera_is_not_a_cut() -> None:
    watch = Watch()
    wide = scene(0)
    for shift in range(0, 60, 12):
        watch.look(np.roll(wide, shift, axis=1))
        assert not watch.cut
    cuts = []
    for _ in range(2):
        watch.look(scene(1))
        cuts.append(watch.cut)
    assert cuts == [True, False]


def test_light_that_goes_on_is_no_cut() -> None:
    watch = Watch()
    image = scene(0)
    watch.look((image * 0.4).astype(np.uint8))
    watch.look(image)
    assert not watch.cut


def test_a_dark_room_is_no_film_of_cuts() -> None:
    watch = Watch()
    for seed in range(6):
        watch.look(noisy(np.full((480, 640), 3, np.uint8), seed))
        assert not watch.cut


def test_noise_is_no_movement_but_a_head_that_moves_is() -> None:
    image = scene(2)
    moved = image.copy()
    cv2.circle(moved, (300, 240), 40, 255, -1)
    watch = Watch()
    changed = []
    for seed, picture in enumerate((image, image, moved)):
        watch.look(noisy(picture, seed))
        changed.append(watch.changed)
        if seed == 0:
            watch.searched()
    assert changed == [True, False, True]


def test_after_a_reset_nothing_was_searched() -> None:
    watch = Watch()
    watch.look(scene(0))
    watch.searched()
    watch.reset()
    watch.look(scene(0))
    assert watch.changed
    assert not watch.cut


def test_slow_movement_adds_up_until_the_next_search() -> None:
    watch = Watch()
    changed = []
    for step in range(12):
        image = np.full((480, 640), 90, np.uint8)
        image[200:280, 100 : 180 + step] = 110
        watch.look(image)
        if step == 0:
            watch.searched()
        changed.append(watch.changed)
    assert not changed[1]
    assert changed[-1]


@pytest.mark.parametrize("shape", [(480, 640), (481, 639), (97, 129), (20, 3000), (1, 1)])
def test_pictures_of_any_size_are_watched_alike(shape: tuple[int, int]) -> None:
    def seen(image: Image) -> Image:
        return np.asarray(cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)

    watch = Watch()
    changed = []
    for picture in (scene(3), scene(3), np.zeros_like(scene(3))):
        watch.look(seen(picture))
        changed.append(watch.changed)
        watch.searched()
        assert not watch.cut
    assert changed == [True, False, shape != (1, 1)]
