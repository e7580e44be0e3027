"""What is done by itself when a face shows something for so long, and when that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from app.messages import FaceResult, FrameResult
from app.streams.switch import is_this_computer
from models.runtime.errors import UserError
from models.runtime.labels import EVERY_LABEL

__all__ = [
    "FACE", "MARKER", "NO_FACE", "Fired", "Trigger", "TriggerError", "Triggers", "parse_trigger",
]  # fmt: skip

FACE, NO_FACE = "face", "no face"
"""What a trigger may wait for, besides an expression."""
MARKER = "marker:"
"""What comes before the key or the text of a marker that a trigger sets."""
EXAMPLE = "happiness,70,0.5=marker:1"
ADDRESS_EXAMPLE = "http://127.0.0.1:8000/smile"
MAX_SECONDS = 60.0

_KEYS = tuple("123456789")
_SECONDS = re.compile(r"\d+(\.\d+)?|\.\d+", re.ASCII)
# Between two frames that are farther apart nobody knows what the face did.
_LONGEST_GAP = 0.5
# A probability that flickers about the threshold, or a mouth that closes for a word in the middle
# of a smile, would fire again and again. To people it is one smile until a second without it.
_REST_SECONDS = 1.0
_ROUNDING = 1e-6
_LONGEST_WORD = 24  # what is longer at the end of an address is rather a secret than a name


class TriggerError(UserError):
    """Report a text that is no trigger."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Say what is waited for, how sure and how long it has to be, and what is done then.

    when: a label, `FACE` or `NO_FACE`. percent: 1 to 100, None but for a label. seconds: 0 to 60.
    then: "marker:" with a key or a text, or an address, which may hold a password.
    """

    when: str
    percent: int | None
    seconds: float
    then: str = field(repr=False)

    @property
    def condition(self) -> str:
        """Return what is waited for, as it is written."""
        percent = "" if self.percent is None else self.percent
        return f"{self.when},{percent},{self.seconds:g}"

    @property
    def marker(self) -> tuple[str, str] | None:
        """Return key and text of the marker that is set, None where an address is called."""
        if not self.then.startswith(MARKER):
            return None
        said = self.then.removeprefix(MARKER)
        return (said, "") if said in _KEYS else ("note", said)

    @property
    def address(self) -> str:
        """Return the address that is called, with its password; empty where a marker is set."""
        return "" if self.marker else self.then

    @property
    def stays_here(self) -> bool:
        """Say whether what it sends leaves this computer not, where it calls an address."""
        return not self.address or is_this_computer(urlsplit(self.address).hostname or "")

    @property
    def shown(self) -> str:
        """Return it for the screen and for logs."""
        return f"{self.condition}={shown_then(self.then)}"

    def without_login(self) -> Trigger:
        """Return it without name and password, to be stored."""
        return Trigger(self.when, self.percent, self.seconds, without_login(self.then))

    def __str__(self) -> str:
        return f"{self.condition}={self.then}"


@dataclass(frozen=True, slots=True)
class Fired:
    """Hold that a trigger fired.

    captured_at: of the frame, monotonic seconds. track_id, confidence: of the face, the surest
    where several show it; None for `FACE` and `NO_FACE`.
    """

    trigger: Trigger
    captured_at: float
    track_id: int | None = None
    confidence: float | None = None


def parse_trigger(text: str) -> Trigger:
    """Read WHEN,PERCENT,SECONDS=THEN, such as `EXAMPLE` or "no face,,3=http://127.0.0.1:8000/".

    Raises `TriggerError`, which shows no password.
    """
    condition, separator, then = text.strip().partition("=")
    parts = [part.strip() for part in condition.split(",")]
    if not separator or len(parts) != 3:
        found = _harmless(condition) + (f"={shown_then(then)}" if separator else "")
        raise TriggerError(
            f"Expected a trigger as WHEN,PERCENT,SECONDS=THEN, such as {EXAMPLE}, found "
            f'"{found}"; correct it.'
        )
    when = parts[0].casefold()
    return Trigger(when, _percent(when, parts[1]), _seconds(parts[2]), _then(then.strip()))


def shown_then(then: str) -> str:
    """Return what is done, of an address no more than tells it from others.

    The end of a webhook's address is often its only secret, and so may be what follows a "?".
    """
    if then.startswith(MARKER):
        return then
    if not _is_address(then):
        return _harmless(then)
    parts = urlsplit(without_login(then))
    first, *rest = parts.path.removeprefix("/").split("/")
    whole = not (rest or parts.query or len(first) > _LONGEST_WORD)
    path = first if len(first) <= _LONGEST_WORD else ""
    end = "" if whole else "/…" if path else "…"
    action = f"#{parts.fragment}" if whole and parts.fragment else ""
    return f"{parts.scheme}://{parts.netloc}{'/' if parts.path else ''}{path}{end}{action}"


def _harmless(text: str) -> str:
    """Return a text that is no address for a message, unless a password may be in it."""
    return "…" if "@" in text or ":/" in text else text


def without_login(address: str) -> str:
    """Return an address without name and password; all else is as it was."""
    if address.startswith(MARKER):
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _percent(when: str, text: str) -> int | None:
    if when in (FACE, NO_FACE):
        if text:
            raise TriggerError(
                f'A trigger on "{when}" has no percentage, found "{_harmless(text)}"; leave it '
                f"empty, as in {when},,1=marker:1."
            )
        return None
    if when not in EVERY_LABEL:
        raise TriggerError(
            f"Expected a trigger to wait for one of {', '.join((*EVERY_LABEL, FACE, NO_FACE))}, "
            f'found "{_harmless(when)}"; choose one of them.'
        )
    percent = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    if not 1 <= percent <= 100:
        raise TriggerError(
            f'Expected a trigger\'s percentage from 1 to 100, found "{_harmless(text)}"; give one, '
            f"such as 70."
        )
    return percent


def _seconds(text: str) -> float:
    seconds = float(text) if _SECONDS.fullmatch(text) else -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        raise TriggerError(
            f'Expected a trigger\'s seconds from 0 to {MAX_SECONDS:g}, found "{_harmless(text)}"; '
            f"give them, such as 0.5."
        )
    return round(seconds, 2)


def _then(text: str) -> str:
    if text.casefold().startswith(MARKER):
        said = text[len(MARKER) :].strip()
        if said:
            return MARKER + said
        raise TriggerError(
            "Expected a marker's key from 1 to 9 or a note's text, found none; give one."
        )
    if _is_address(text):
        return text
    raise TriggerError(
        f'Expected "{MARKER}" with a key or a text, or an address such as {ADDRESS_EXAMPLE}, found '
        f'"{shown_then(text)}"; correct it.'
    )


def _is_address(text: str) -> bool:
    """Say whether it can be called; an @ that is left over is part of a password."""
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and parts.port != 0  # raises where it is no number
    except ValueError:
        return False
    clean = "@" not in parts.path + parts.query + parts.fragment
    return whole and clean and parts.scheme in ("http", "https")


class Triggers:
    """Look at every frame and say which triggers fire; the clock is that of the frames.

    A film's own time counts where there is one, so that a second is a second of the film however
    fast it is read.
    """

    def __init__(self) -> None:
        """Begin with none."""
        # Replaced whole, never changed: it is walked through without a lock.
        self._watches: tuple[_Watch, ...] = ()
        self._last: tuple[int, float] | None = None

    @property
    def in_use(self) -> tuple[Trigger, ...]:
        return tuple(watch.trigger for watch in self._watches)

    def use(self, triggers: Iterable[Trigger]) -> None:
        """Wait for these from now on, each once; one that was there already goes on."""
        known = {watch.trigger: watch for watch in self._watches}
        wanted = dict.fromkeys(triggers)
        self._watches = tuple(known.get(trigger) or _Watch(trigger) for trigger in wanted)

    def times_fired(self) -> dict[Trigger, int]:
        """Return how often each has fired."""
        return {watch.trigger: watch.fired for watch in self._watches}

    def look(self, result: FrameResult) -> list[Fired]:
        """Take the next frame in and return what fires at it."""
        frame, last = result.frame, self._last
        now = frame.captured_at if frame.media_time is None else frame.media_time
        self._last = frame.index, now
        watches = self._watches
        begins = last is not None and (frame.index <= last[0] or now < last[1])
        if begins:  # another source, whose faces are others
            for watch in watches:
                watch.forget()
        broken = last is not None and now - last[1] > _LONGEST_GAP
        fired = [watch.look(result, now, broken=broken) for watch in watches]
        return [one for one in fired if one is not None]


class _Watch:
    """Follow one trigger from frame to frame."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.fired = 0
        self.forget()

    def forget(self) -> None:
        """Know nothing of frames before."""
        self._armed = True
        self._since: float | None = None
        """When it began to hold, in seconds; None while it does not."""
        self._false_since: float | None = None

    def look(self, result: FrameResult, now: float, *, broken: bool) -> Fired | None:
        """Take a frame in. now: seconds. broken: nobody knows what was since the one before."""
        holds, face = _held_by(self.trigger, result.faces)
        if not holds:
            self._since = None
            if self._false_since is None:
                self._false_since = now
            return None
        if self._false_since is not None:
            self._armed |= now - self._false_since >= _REST_SECONDS - _ROUNDING
            self._false_since = None
        if self._since is None or broken:
            self._since = now
        if not self._armed or now - self._since < self.trigger.seconds - _ROUNDING:
            return None
        self._armed = False
        self.fired += 1
        at = result.frame.captured_at
        if face is None:
            return Fired(self.trigger, at)
        return Fired(self.trigger, at, face.face.track_id, _probability(face))


def _held_by(trigger: Trigger, faces: Sequence[FaceResult]) -> tuple[bool, FaceResult | None]:
    """Say whether a frame is what a trigger waits for, and by which face, the surest."""
    if trigger.percent is None:
        return bool(faces) is (trigger.when == FACE), None
    # Rounded as on the face's card: what stands there as 70 % is 70 %.
    fit = [
        face
        for face in faces
        if face.label == trigger.when
        and not face.unsure
        and round(100 * _probability(face)) >= trigger.percent
    ]
    return bool(fit), max(fit, key=_probability, default=None)


def _probability(face: FaceResult) -> float:
    return float(face.shown[face.prediction.labels.index(face.label)])
