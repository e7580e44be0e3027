"""What the window says of the state the engine is in: pure functions of its status."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from app.gui.banner import DANGER, INFO, WARNING, BannerText
from app.gui.menus import ACTOR_NAME
from app.live.engine import EngineState, EngineStatus
from app.sources.folder import IMAGE_SUFFIXES
from app.words import amount, whole

TRY_AGAIN = "Try again"
PLAY_AGAIN = "Play again"
# Figures keep their width, so that nothing moves while they change.
_FIGURE_SPACE = "\N{FIGURE SPACE}"
# The share of skipped frames from which it is said.
_MATTERS = 0.1
_SKIPPED = "of those that came lately, as newer ones came before they could be read"


@dataclass(frozen=True, slots=True)
class Stage:
    """Hold what is said and how.

    banner: above the picture. message: in the middle, instead of or over the picture. hint: one
    quiet line at the foot of the picture. dimmed: the picture is an old one.
    """

    banner: BannerText | None = None
    message: str = ""
    hint: str = ""
    dimmed: bool = False


def stage(
    status: EngineStatus, *, has_picture: bool, no_face: bool, asked_to_pause: bool = False
) -> Stage:
    """Return what to say. no_face: there has been none for a moment.

    asked_to_pause: by the user; the engine also rests where nobody looks.
    """
    state = status.state
    if state is EngineState.FAILED:
        text = status.error or status.source_note or "Nothing can be played; choose a source."
        return Stage(BannerText(text, DANGER, TRY_AGAIN), dimmed=has_picture)
    if state is EngineState.LOST:
        return Stage(BannerText(_lost(status), DANGER, TRY_AGAIN), dimmed=True)
    banner = _note(status)
    if state is EngineState.ENDED:
        if Path(status.spec).suffix.lower() in IMAGE_SUFFIXES:  # one picture, which stays
            return Stage(banner, hint="No face found in this picture" if no_face else "")
        return Stage(BannerText(f"{status.source} has ended.", INFO, PLAY_AGAIN))
    if not has_picture:
        step = status.step or "Starting"
        return Stage(banner, message=f"{step}…")
    if status.step:
        return Stage(banner, hint=f"{status.step}…")
    if state is EngineState.PAUSED:
        return Stage(banner, hint="Paused · Space goes on" if asked_to_pause else "")
    return Stage(banner, hint="No face in view" if no_face else "")


def status_parts(
    status: EngineStatus, model: str, finder: str, skipped: float = 0.0
) -> list[tuple[str, str]]:
    """Return the figures for the foot of the window, and what each of them is.

    model, finder: as they are shown. skipped: the share of the frames that were passed over
    lately, 0 to 1; said where it matters.
    """
    if status.state is EngineState.STARTING and not status.provider:
        return [("Starting…", "")]
    parts = []
    if status.state is EngineState.RUNNING and round(status.fps):
        parts.append((f"{_padded(status.fps, 2)} fps", "pictures that are read in a second"))
        parts.append((f"{_padded(status.latency_ms, 2)} ms", "from the camera to the result"))
        if skipped >= _MATTERS:
            parts.append((f"skips {whole(skipped)} of frames", _SKIPPED))
    if status.failed:
        failed = "pictures that could not be read; the log says why"
        parts.append((f"{status.failed} failed", failed))
    parts.append((status.provider, "what the model computes on"))
    parts += [(model, "what reads the expression"), (finder, "what finds the faces")]
    return [part for part in parts if part[0]]


def status_line(parts: list[tuple[str, str]]) -> str:
    """Return the figures in one line."""
    return "  ·  ".join(figure for figure, _ in parts)


def status_tip(parts: list[tuple[str, str]], dropped: int) -> str:
    """Return what each figure is, a line each. dropped: frames passed over so far."""
    lines = [f"{figure.strip(_FIGURE_SPACE)}: {words}" for figure, words in parts if words]
    if lines and dropped:
        lines.append(f"So far {amount(dropped, 'frame')} of this source were passed over.")
    return "\n".join(lines)


def _padded(value: float, digits: int) -> str:
    return f"{value:.0f}".rjust(digits, _FIGURE_SPACE)


def _note(status: EngineStatus) -> BannerText | None:
    if not status.source_note:
        return None
    meanwhile = "The demo actor plays instead. " if status.source == ACTOR_NAME else ""
    return BannerText(meanwhile + status.source_note, WARNING, TRY_AGAIN, closable=True)


def _lost(status: EngineStatus) -> str:
    if status.retry_in is None or status.retry_in <= 0:
        return f"{status.source_note} Trying now…"
    return f"{status.source_note} Trying again in {math.ceil(status.retry_in)} s."
