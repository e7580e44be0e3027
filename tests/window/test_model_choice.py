"""What the list of models says of those that come with the program."""

from __future__ import annotations

import re

import pytest

from app.gui.help_texts import model_card
from app.gui.model_choice import by_question, choice_text, choice_tip
from app.words import per_cent
from models.runtime.store import DEFAULT_MODEL, ModelEntry, bundled

ENTRIES = bundled()


def accuracy(entry: ModelEntry) -> float:
    return next(one.accuracy for one in entry.card.metrics if one.crops == "mirror")


def test_models_are_compared_only_with_those_that_answer_the_same() -> None:
    groups = by_question(ENTRIES)
    assert sorted(entry.name for _, group in groups for entry in group) == sorted(
        entry.name for entry in ENTRIES
    )
    for heading, group in groups:
        assert len({entry.card.label_set for entry in group}) == 1
        assert f"{len(group[0].card.labels)} expressions" in heading
        others = [accuracy(entry) for entry in group if entry.name != DEFAULT_MODEL]
        assert others == sorted(others, reverse=True)
    assert groups[0][1][0].name == DEFAULT_MODEL


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_line_says_what_the_card_says(entry: ModelEntry) -> None:
    title, said = choice_text(entry).split("\t")
    assert title == entry.card.title
    assert said.startswith(per_cent(accuracy(entry)))
    assert ("recommended" in said) == (entry.name == DEFAULT_MODEL)
    assert entry.card.file is not None
    assert ("slow" in said) == (entry.card.file.bytes > 10_000_000)
    tip = choice_tip(entry)
    assert entry.name in tip
    chosen_on = entry.card.training.get("chosen_on")
    assert ("epoch was chosen" in tip) == (chosen_on == "PublicTest")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_page_about_a_model_writes_shares_as_the_cards_of_faces_do(entry: ModelEntry) -> None:
    page = model_card(entry.card)
    assert re.search(r"\d %", page)
    assert not re.search(r"\d%", page)
