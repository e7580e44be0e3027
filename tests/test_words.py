"""Times, shares, amounts and sizes as people read them."""

from __future__ import annotations

import pytest

from app.words import amount, clock, per_cent, roughly, size, span, whole


def test_a_time_is_read_as_on_a_clock() -> None:
    assert [clock(value) for value in (0, 59.96, 61.25, 3725.0)] == [
        "0:00.0", "1:00.0", "1:01.2", "1:02:05.0",
    ]  # fmt: skip
    assert [clock(value, digits=0) for value in (0, 7, 754, 3599.7, 3723)] == [
        "0:00", "0:07", "12:34", "1:00:00", "1:02:03",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "exact", "whole"),
    [
        (0.2, "0.2 s", "0 s"),
        (1.25, "1.2 s", "1 s"),
        (59.4, "59.4 s", "59 s"),
        (59.97, "1 min 00 s", "1 min 00 s"),
        (75.0, "1 min 15 s", "1 min 15 s"),
        (3599, "59 min 59 s", "59 min 59 s"),
        (7380.0, "2 h 03 min", "2 h 03 min"),
    ],
)
def test_a_length_of_time_is_short(seconds: float, exact: str, whole: str) -> None:
    assert (span(seconds), span(seconds, digits=0)) == (exact, whole)


def test_what_is_known_roughly_is_in_one_unit() -> None:
    assert [roughly(value) for value in (20, 540, 31 * 3600, 400_000)] == [
        "20 s", "9 min", "31 h", "5 days",
    ]  # fmt: skip
    assert [size(value) for value in (999, 12_345, 5e6, 7.25e9)] == [
        "999 bytes", "12 kB", "5 MB", "7.2 GB",
    ]  # fmt: skip


def test_shares_and_amounts_are_written_for_people() -> None:
    assert [per_cent(value) for value in (0, 0.123, 0.9996, 1)] == [
        "0 %", "12.3 %", "100 %", "100 %",
    ]  # fmt: skip
    assert per_cent(0.5921, digits=0) == "59 %"
    assert [amount(count, "frame") for count in (0, 1, 1200)] == [
        "0 frames", "1 frame", "1,200 frames",
    ]  # fmt: skip
    assert amount(1200, "face counts", "faces count") == "1,200 faces count"


def test_what_a_model_says_now_has_no_decimals() -> None:
    assert [whole(share) for share in (0, 0.524, 0.997, 1)] == ["0 %", "52 %", "100 %", "100 %"]
