"""A study as it goes on: which scene is shown, when the next one is due, and what is marked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, groupby

from app.stimuli import ANSWER, OVER, SHOWN, answer_text
from app.study.protocol import BLOCKS, FILM, FIXED, TEXT, Protocol, Show

__all__ = ["CROSS", "QUESTION", "Runner", "Scene", "order_of", "scenes_of"]

CROSS, QUESTION = "cross", "question"

# A key that was meant for what came before must not leave a text that nobody has read.
_LEAST_READ_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold what is on the screen at one time.

    kind: picture, film, text, cross or question. show: what it shows, or what the cross goes before
    and the question asks about. number: of that, from 1. seconds: None where it waits for a key, an
    answer or the end of the film.
    """

    kind: str
    show: Show
    number: int
    seconds: float | None = None

    @property
    def waits_for_key(self) -> bool:
        return self.kind == TEXT and self.seconds is None


def order_of(protocol: Protocol, participant: str) -> tuple[Show, ...]:
    """Return what is shown in this participant's order, which is the same every time.

    It is drawn by the title of the study and the participant's code, so that an order can be told
    afterwards. Texts keep their places.
    """
    if protocol.order == FIXED:
        return protocol.shown
    draw = random.Random(f"{protocol.title}\n{participant}")  # noqa: S311 (no secret)
    parts = [list(protocol.pictorial)]
    if protocol.order == BLOCKS:
        stretches = groupby(protocol.shown, key=lambda one: one.is_pictorial)
        parts = [list(part) for pictorial, part in stretches if pictorial]
    for part in parts:
        draw.shuffle(part)
    following = chain.from_iterable(parts)
    return tuple(next(following) if one.is_pictorial else one for one in protocol.shown)


def scenes_of(protocol: Protocol, participant: str) -> tuple[Scene, ...]:
    """Return all scenes in this participant's order."""
    scenes: list[Scene] = []
    for number, show in enumerate(order_of(protocol, participant), 1):
        if show.is_pictorial and protocol.pause:
            scenes.append(Scene(CROSS, show, number, protocol.pause))
        scenes.append(Scene(show.kind, show, number, show.seconds))
        if show.is_pictorial and protocol.question is not None:
            scenes.append(Scene(QUESTION, show, number))
    return tuple(scenes)


class Runner:
    """Go through the scenes; times are monotonic seconds.

    A stimulus is marked from the moment in which it was painted to the one in which what follows it
    was. Whoever shows the scenes calls `painted` for each and `tick` often.
    """

    def __init__(
        self, scenes: tuple[Scene, ...], steps: int, mark: Callable[[str, str, float], object]
    ) -> None:
        """Begin before the first. steps: of the question. mark: takes key, text and moment."""
        self._scenes = scenes
        self._steps = steps
        self._mark = mark
        self._place = 0
        self._painted_at: float | None = None
        self._to_end = ""

    @property
    def scene(self) -> Scene | None:
        """Return what is to be shown now, None after the end."""
        return self._scenes[self._place] if self._place < len(self._scenes) else None

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Return all scenes, also those that were shown."""
        return self._scenes

    @property
    def next_scene(self) -> Scene | None:
        """Return what comes after it."""
        after = self._place + 1
        return self._scenes[after] if after < len(self._scenes) else None

    def painted(self, at: float) -> None:
        """Note that the scene is on the screen; only the first time counts."""
        scene = self.scene
        if scene is None or self._painted_at is not None:
            return
        self._painted_at = at
        self._end_stimulus(at)
        if scene.kind not in (CROSS, QUESTION) and scene.show.name:
            self._to_end = scene.show.name
            self._mark(SHOWN, scene.show.name, at)

    def elapsed(self, now: float) -> float:
        """Return the seconds since the scene was painted, 0 before."""
        return 0.0 if self._painted_at is None else max(0.0, now - self._painted_at)

    @property
    def due(self) -> float | None:
        """Return the moment at which the scene's time is over, None where nobody knows it."""
        if self._painted_at is None or self.scene is None or self.scene.seconds is None:
            return None
        return self._painted_at + self.scene.seconds

    def tick(self, now: float) -> bool:
        """Go on if the scene's time is over; return whether another is to be shown."""
        if self.due is None or now < self.due:
            return False
        self._go_on()
        return True

    def press(self, at: float) -> bool:
        """Take a key: a text that waits for one is left. Return whether another scene is due."""
        read = self.elapsed(at) >= _LEAST_READ_SECONDS
        return self._leave(read and self.scene is not None and self.scene.waits_for_key)

    def film_ended(self) -> bool:
        """Leave a film that is to play to its end. Return whether another scene is due."""
        scene = self.scene
        return self._leave(scene is not None and scene.kind == FILM and scene.seconds is None)

    def answer(self, step: int, at: float) -> bool:
        """Take an answer, from 1; return whether it was one and another scene is due."""
        scene = self.scene
        wanted = scene is not None and scene.kind == QUESTION and 1 <= step <= self._steps
        if wanted and self._painted_at is not None:
            assert scene is not None
            self._mark(ANSWER, answer_text(scene.show.name, step), at)
        return self._leave(wanted)

    def skip(self) -> None:
        """Pass over what the scene shows and what is asked about it: it cannot be shown."""
        number = self.scene.number if self.scene is not None else 0
        while self.scene is not None and self.scene.number == number:
            self._go_on()

    def finish(self, at: float) -> None:
        """End it after the last scene: what was on the screen is so no more."""
        self._end_stimulus(at)

    def stop(self) -> None:
        """End it before its end; a stimulus that is cut short by that gets no end."""
        self._place = len(self._scenes)
        self._to_end = ""

    def _leave(self, wanted: bool) -> bool:
        """Go on if that is wanted; not from what nobody has seen yet."""
        if not wanted or self._painted_at is None:
            return False
        self._go_on()
        return True

    def _go_on(self) -> None:
        self._place += 1
        self._painted_at = None

    def _end_stimulus(self, at: float) -> None:
        if self._to_end:
            self._mark(OVER, self._to_end, at)
            self._to_end = ""
