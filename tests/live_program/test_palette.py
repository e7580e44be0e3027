"""The colours: one a label everywhere, apart for all eyes, strong enough to be seen."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from app.palette import (
    DISPLAY_ORDER,
    EXPRESSION_COLOURS,
    EXPRESSION_COLOURS_LIGHT,
    bgr,
    colour,
    display_order,
)
from models.runtime.labels import FER2013, FERPLUS

# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]
    ),
    "no green": np.array(
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9690]]
    ),
    "no blue": np.array(
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]
    ),
}


def linear(text: str) -> NDArray[np.float64]:
    value = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    cones = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
    lab = np.array(
        [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    )
    result: NDArray[np.float64] = lab @ np.cbrt(cones @ np.clip(rgb, 0, 1))
    return result


def contrast(first: str, second: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(linear(text) @ weights) + 0.05 for text in (first, second))
    return high / low


@pytest.mark.parametrize("labels", [FER2013, FERPLUS])
def test_every_label_has_a_colour_of_its_own(labels: tuple[str, ...]) -> None:
    for light in (False, True):
        colours = {colour(label, light=light) for label in labels}
        assert len(colours) == len(labels)
        assert all(re.fullmatch("#[0-9A-F]{6}", text) for text in colours)


def test_bgr_is_the_same_colour_in_the_order_of_opencv() -> None:
    assert colour("anger") == "#D55E00"
    assert bgr("anger") == (0x00, 0x5E, 0xD5)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("light", [False, True])
def test_the_eight_lie_apart_for_every_eye(eye: str, light: bool) -> None:
    seen = {label: oklab(EYES[eye] @ linear(colour(label, light=light))) for label in DISPLAY_ORDER}
    for first, second in itertools.combinations(DISPLAY_ORDER, 2):
        # 0.02 is about what an eye just tells apart side by side; thin lines lie further apart.
        assert np.linalg.norm(seen[first] - seen[second]) > 0.06, (first, second)


def test_colours_show_on_their_backgrounds() -> None:
    for label, text in EXPRESSION_COLOURS.items():
        assert contrast(text, "#1D2229") >= 3, label
    for label, text in EXPRESSION_COLOURS_LIGHT.items():
        assert contrast(text, "#FFFFFF") >= 3, label


def test_other_labels_keep_a_quiet_colour() -> None:
    # Fixed values: the colour must be the same in every run, whatever Python's hash seed.
    assert colour("boredom") == "#A7A9C9"
    assert colour("boredom", light=True) == "#565A85"
    assert colour("boredom") not in EXPRESSION_COLOURS.values()


def test_display_order_does_not_depend_on_the_model() -> None:
    assert display_order(FERPLUS) == DISPLAY_ORDER
    assert display_order(FER2013) == DISPLAY_ORDER[:-1]
    assert display_order(("bored", "anger", "alert")) == ("anger", "bored", "alert")
