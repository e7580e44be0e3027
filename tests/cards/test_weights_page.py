from __future__ import annotations

from models.weights_page import PAGE, weights_page


def test_the_page_of_the_weights_equals_the_cards() -> None:
    assert PAGE.read_text(encoding="utf-8") == weights_page()
