"""What a session's markers say of the stimuli of a study: what was shown, from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["ANSWER", "OVER", "SHOWN", "STIMULUS_KEYS", "Stimulus", "answer_text", "stimuli"]

SHOWN, OVER, ANSWER = "show", "over", "answer"
STIMULUS_KEYS = (SHOWN, OVER, ANSWER)
"""Keys of markers that a study sets; the text is a stimulus's name, in an answer with its step."""

_BETWEEN = ": "


@dataclass(frozen=True, slots=True)
class Stimulus:
    """Hold one stimulus as it was shown.

    start, end: s. answer: the step chosen, and answered: when, s; None without an answer.
    """

    name: str
    start: float
    end: float
    answer: int | None = None
    answered: float | None = None


def answer_text(name: str, step: int) -> str:
    """Return the text of an answer's marker."""
    return f"{name}{_BETWEEN}{step}"


def stimuli(markers: Iterable[tuple[float, str, str]]) -> list[Stimulus]:
    """Return what was shown to its end, in order of time.

    markers: time (s), key and text. An answer belongs to the last stimulus of its name before it.
    """
    found: list[Stimulus] = []
    begun: dict[str, float] = {}
    for time, key, text in sorted(markers, key=lambda marker: marker[0]):
        if key == SHOWN:
            begun[text] = time
        elif key == OVER and text in begun:
            found.append(Stimulus(text, begun.pop(text), time))
        elif key == ANSWER:
            name, _, step = text.rpartition(_BETWEEN)
            places = [place for place, one in enumerate(found) if one.name == name]
            if places and step.isascii() and step.isdigit():
                last = found[places[-1]]
                found[places[-1]] = replace(last, answer=int(step), answered=time)
    return sorted(found, key=lambda one: one.start)
