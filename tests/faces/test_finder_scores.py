"""Finds are paired with faces as they should be, and finders compared on equal terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.finder_compare import Contender, contender_by_name, measure, time_of
from models.finder_scores import Found, Truth, average_precision, match, overlaps
from models.finder_sets import Example, squares, turns_of
from models.finder_settings import lowest_score
from models.finder_sheet import draw_sheet

Boxes = list[tuple[float, float, float, float]]


def found(boxes: Boxes, scores: list[float]) -> Found:
    return Found(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))


def truth(boxes: Boxes, counts: list[bool]) -> Truth:
    return Truth(np.array(boxes, np.float32).reshape(-1, 4), np.array(counts, bool))


A, B = (0, 0, 10, 10), (20, 0, 30, 10)


def test_overlap_is_intersection_over_union() -> None:
    near = np.array([[5, 0, 15, 10], A, B], np.float32)
    np.testing.assert_allclose(overlaps(np.array([A], np.float32), near), [[1 / 3, 1, 0]])


def test_each_face_is_found_once_by_the_surest_find() -> None:
    done = match(found([A, (1, 0, 11, 10), B], [0.6, 0.9, 0.8]), truth([A, B], [True, True]))
    # The second find of the first face is a false alarm, though it lies better.
    assert done.found_at.tolist() == pytest.approx([0.9, 0.8])
    assert done.finds.tolist() == [1, 2]
    assert sorted(zip(done.scores.tolist(), done.right.tolist())) == [
        (pytest.approx(0.6), False),
        (pytest.approx(0.8), True),
        (pytest.approx(0.9), True),
    ]


def test_a_find_beside_every_face_is_a_false_alarm() -> None:
    done = match(found([(100, 100, 110, 110)], [0.7]), truth([A], [True]))
    assert done.right.tolist() == [False]
    assert done.alarms.tolist() == [0]
    assert done.found_at.tolist() == [-1]


def test_a_doubtful_face_neither_helps_nor_hurts() -> None:
    doubtful = truth([A, B], [False, True])
    done = match(found([A, (2, 2, 8, 8), B], [0.9, 0.8, 0.7]), doubtful)
    assert done.scores.tolist() == pytest.approx([0.7])
    assert done.right.tolist() == [True]
    assert done.alarms.tolist() == []
    assert done.found_at.tolist() == pytest.approx([-1, 0.7])


def test_nothing_found_and_nothing_there() -> None:
    done = match(found([], []), truth([], []))
    assert len(done.scores) == len(done.found_at) == 0
    missed = match(found([], []), truth([A], [True]))
    assert average_precision([missed], 1) == 0
    assert np.isnan(average_precision([done], 0))


def test_average_precision_is_the_area_under_the_envelope() -> None:
    # right, wrong, right of three faces: precision 1 up to 1/3, then 2/3 up to 2/3.
    first = match(found([A, (50, 50, 60, 60)], [0.9, 0.8]), truth([A, B], [True, True]))
    second = match(found([A], [0.7]), truth([A], [True]))
    assert average_precision([first, second], 3) == pytest.approx((1 + 2 / 3) / 3)


def test_the_lowest_score_leaves_few_false_finds() -> None:
    pairs = [(0.95, True)] * 100 + [(0.5, False), (0.45, True), (0.405, False), (0.35, False)]
    one = match(found([A] * len(pairs), [score for score, _ in pairs]), truth([A], [True]))
    scores = np.array([score for score, _ in pairs], np.float32)
    right = np.array([good for _, good in pairs])
    fixed = replace(one, scores=scores, right=right)
    assert lowest_score([fixed], 0.01) == pytest.approx(0.41)
    assert lowest_score([fixed], 0.05) == pytest.approx(0.3)


def test_a_square_sits_on_its_box() -> None:
    box = np.array([[10, 20, 18, 38]], np.float32)  # 8 x 18, geometric mean 12
    np.testing.assert_allclose(squares(box, 1.5), [[5, 20, 23, 38]])
    np.testing.assert_allclose(squares(box, 1.0, right=0.5, down=-0.5), [[14, 17, 26, 29]])


@pytest.mark.parametrize(("aside", "word"), [(0, 0), (5, 1), (-5, 1), (12, 2)])
def test_the_nose_tells_how_far_a_head_is_turned(aside: float, word: int) -> None:
    points = np.array([[[-10, 0], [10, 0], [aside, 12], [-7, 20], [7, 20]]], np.float32)
    turned = points @ np.array([[0.8, 0.6], [-0.6, 0.8]], np.float32)  # tilted, no less frontal
    assert turns_of(points).tolist() == turns_of(turned).tolist() == [word]


def example(boxes: Boxes, counts: list[bool], sides: list[float]) -> Example:
    return Example(
        np.zeros((64, 64, 3), np.uint8),
        truth(boxes, counts),
        np.array(sides, np.float32),
        np.zeros(len(boxes), np.int64),
    )


def test_recall_is_told_apart_by_size_and_counts_from_the_finders_own_score() -> None:
    def find(_: NDArray[np.uint8]) -> Found:
        return found([A, B, (40, 40, 50, 50)], [0.9, 0.4, 0.3])

    examples = [example([A, B], [True, True], [15, 50]), example([A], [True], [15])]
    outcome = measure(Contender("canned", find, 0.35, ranked=True), examples)
    assert outcome.recall == 1
    assert outcome.faces == 3
    assert outcome.false_alarms == pytest.approx(50)  # B in the second picture
    assert outcome.by_size == {"10-20 px": (1.0, 2), "40-80 px": (1.0, 1)}
    stricter = measure(Contender("canned", find, 0.5, ranked=True), examples)
    assert stricter.recall == pytest.approx(2 / 3)
    assert stricter.false_alarms == 0
    assert stricter.by_size["40-80 px"] == (0.0, 1)
    assert stricter.by_turn["front"][0] == pytest.approx(2 / 3)
    assert stricter.as_json()["recall"] == pytest.approx(0.6667)


def test_a_finder_without_a_scale_counts_every_find() -> None:
    def find(_: NDArray[np.uint8]) -> Found:
        return found([A], [-2.5])

    contender = Contender("canned", find, -np.inf, ranked=False)
    outcome = measure(contender, [example([A, B], [True, True], [10, 10])])
    assert outcome.recall == pytest.approx(0.5)
    assert outcome.average_precision is None
    assert time_of(contender, np.zeros((8, 8, 3), np.uint8)) > 0


def test_a_finder_is_taken_by_its_name() -> None:
    contender = contender_by_name("app.faces.haar:HaarFinder")
    assert contender.name == "haar"
    assert len(contender.find(np.full((120, 160, 3), 90, np.uint8)).boxes) == 0
    with pytest.raises(ImportError):
        contender_by_name("app.faces.nowhere:Finder")


def test_a_sheet_shows_hits_misses_and_false_alarms_in_their_colours() -> None:
    def find(_: NDArray[np.uint8]) -> Found:
        return found([(4, 4, 20, 20), (40, 4, 56, 20), (4, 40, 20, 56)], [0.9, 0.8, 0.1])

    one = example([(4, 4, 20, 20), (40, 40, 56, 56)], [True, True], [16, 16])
    sheet = draw_sheet(Contender("canned", find, 0.5, ranked=True), [one])
    assert sheet.shape == (960, 1920, 3)
    scale = 240 / 64
    seen = {
        place: tuple(sheet[round(y * scale), round(x * scale)].tolist())
        for place, (x, y) in {"hit": (12, 4), "false": (48, 4), "miss": (48, 40)}.items()
    }
    assert seen == {"hit": (80, 220, 80), "false": (240, 200, 40), "miss": (40, 40, 240)}
    assert not sheet[round(40 * scale), round(12 * scale)].any()  # below the finder's score
