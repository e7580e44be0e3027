"""The protocol of a study: a TOML file that says what is shown, in which order and how long."""

from __future__ import annotations

import difflib
import hashlib
import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import SettingsError, SourceError
from app.sources.folder import read_image
from app.sources.video import VideoSource
from app.study.soundtrack import MUTED, sound_of
from models.runtime.files import is_file

__all__ = [
    "BLOCKS",
    "FILM",
    "FIXED",
    "PICTURE",
    "SHUFFLED",
    "TEXT",
    "Protocol",
    "Question",
    "Show",
    "read_protocol",
]

PICTURE, FILM, TEXT = KINDS = ("picture", "film", "text")
SHUFFLED, BLOCKS, FIXED = ORDERS = ("shuffled", "blocks", "fixed")
MOST_STEPS = 9
"""Of a question: each is a key."""

_TOP = ("title", "order", "pause", "variables", "question", "show")
_SHOW = (*KINDS, "seconds", "name", "condition", "sound")
_QUESTION = ("text", "steps", "low", "high")
_LONGEST_SECONDS = 3600.0
_MOST_SHOWN = 1000
_LONGEST_NAME = 60
_USUAL_STEPS = 7


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what is asked after each picture and film: from 1, `low`, to `steps`, `high`."""

    text: str
    steps: int = _USUAL_STEPS
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """Hold one thing to show.

    kind: picture, film or text. content: the text itself. path: of the file, None for a text. name:
    empty for a text that is not marked in the recording. seconds: None for a film that plays to its
    end and for a text that stays until a key is pressed. length: of a film's file, s, 0 where it
    does not say. condition: what it stands for, may be empty. sound: what becomes of a film's, a
    word of `soundtrack`; empty for what is no film.
    """

    kind: str
    name: str
    content: str = ""
    path: Path | None = None
    seconds: float | None = None
    length: float = 0.0
    condition: str = ""
    sound: str = ""

    @property
    def is_pictorial(self) -> bool:
        """Say whether it is a picture or film: shuffled, begun with a cross and asked about."""
        return self.kind != TEXT


@dataclass(frozen=True, slots=True)
class Protocol:
    """Hold a study's protocol.

    order: shuffled, pictures and films change places among themselves for every participant, while
    texts keep theirs; blocks, only between one text and the next; or fixed. pause: seconds of a
    cross before each of them. variables: what is noted of a participant. digest: sha256.
    """

    path: Path
    title: str
    shown: tuple[Show, ...]
    digest: str
    order: str = SHUFFLED
    pause: float = 1.0
    variables: tuple[str, ...] = ()
    question: Question | None = None

    @property
    def pictorial(self) -> tuple[Show, ...]:
        """Return the pictures and films."""
        return tuple(one for one in self.shown if one.is_pictorial)

    @property
    def seconds(self) -> float:
        """Return how long it takes at least: without texts that wait and without answers."""
        told = sum(one.seconds or one.length for one in self.shown)
        return told + self.pause * len(self.pictorial)


def read_protocol(path: Path) -> Protocol:
    """Read a protocol and look at every file that it names. Raises `SettingsError`."""
    values, digest = _read_toml(path)
    where = f'"{path}"'
    _known(values, _TOP, where)
    shown = values.get("show")
    if not isinstance(shown, list) or not shown or not all(isinstance(one, dict) for one in shown):
        raise SettingsError(
            f"{where}: expected what to show, each under [[show]], found none; begin with one that "
            f'has picture = "…", film = "…" or text = "…".'
        )
    if len(shown) > _MOST_SHOWN:
        raise SettingsError(
            f"{where}: expected at most {_MOST_SHOWN} [[show]], found {len(shown)}."
        )
    order = _text(values, "order", where, SHUFFLED)
    if order not in ORDERS:
        raise SettingsError(f"{where}: expected order {', '.join(ORDERS)}, found {order!r}.")
    protocol = Protocol(
        path=path,
        title=_text(values, "title", where, path.stem),
        shown=tuple(_show(one, number, path) for number, one in enumerate(shown, 1)),
        digest=digest,
        order=order,
        pause=_seconds(values, "pause", where, least=0.0) or 0.0 if "pause" in values else 1.0,
        variables=_variables(values, where),
        question=_question(values, where),
    )
    _check_names(protocol, where)
    return protocol


def _read_toml(path: Path) -> tuple[dict[str, Any], str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f'expected a protocol, found nothing to read in "{path}" ({error.strerror}); name the '
            f"TOML file of a study."
        ) from error
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f'"{path}" is not TOML ({error}); docs/studies.md shows what a protocol looks like.'
        ) from error
    return values, hashlib.sha256(content).hexdigest()


def _show(values: dict[str, Any], number: int, path: Path) -> Show:
    where = f'"{path}", [[show]] {number}'
    _known(values, _SHOW, where)
    kinds = [kind for kind in KINDS if kind in values]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none"
        raise SettingsError(f"{where}: expected one of {', '.join(KINDS)}, found {found}.")
    (kind,) = kinds
    content = _text(values, kind, where, "")
    if not content.strip():
        raise SettingsError(f"{where}: expected {kind} to name something, found nothing.")
    seconds = _seconds(values, "seconds", where, least=0.1)
    condition = _text(values, "condition", where, "")
    muted = _muted(values, kind, where)
    if kind == TEXT:
        name = _text(values, "name", where, "").strip()
        return Show(TEXT, name, content, seconds=seconds, condition=condition)
    file = (path.parent / content).absolute()
    if not is_file(file):
        raise SettingsError(
            f'{where}: there is no file "{file}"; correct its name, which is read from where the '
            f"protocol lies."
        )
    if kind == PICTURE and seconds is None:
        raise SettingsError(f"{where}: expected the seconds that the picture stays, found none.")
    length = _look_at(file, kind, where)
    name = _text(values, "name", where, file.stem).strip() or file.stem
    sound = "" if kind != FILM else MUTED if muted else sound_of(file)
    return Show(kind, name, content, file, seconds, length, condition, sound)


def _muted(values: dict[str, Any], kind: str, where: str) -> bool:
    if "sound" not in values:
        return False
    if kind != FILM:
        raise SettingsError(f"{where}: expected sound only with a film, found it with a {kind}.")
    if not isinstance(values["sound"], bool):
        raise SettingsError(
            f"{where}: expected sound to be true or false, found {values['sound']!r}."
        )
    return not values["sound"]


def _look_at(file: Path, kind: str, where: str) -> float:
    """Return a film's length (s), 0 for a picture; raise `SettingsError` for neither."""
    if kind == PICTURE:
        if read_image(file) is None:
            raise SettingsError(
                f'{where}: "{file}" is not a picture that can be read; make it a PNG or a JPEG.'
            )
        return 0.0
    try:
        film = VideoSource(file, paced=False)
    except SourceError as error:
        raise SettingsError(f"{where}: {error}") from error
    try:
        return film.duration
    finally:
        film.close()


def _question(values: dict[str, Any], where: str) -> Question | None:
    if "question" not in values:
        return None
    asked, where = values["question"], f"{where}, [question]"
    if not isinstance(asked, dict):
        raise SettingsError(f"{where}: expected text, steps, low and high, found {asked!r}.")
    _known(asked, _QUESTION, where)
    text = _text(asked, "text", where, "").strip()
    if not text:
        raise SettingsError(f"{where}: expected a text to ask, found none.")
    steps = asked.get("steps", _USUAL_STEPS)
    if type(steps) is not int or not 2 <= steps <= MOST_STEPS:
        raise SettingsError(f"{where}: expected steps of 2 to {MOST_STEPS}, found {steps!r}.")
    return Question(text, steps, _text(asked, "low", where, ""), _text(asked, "high", where, ""))


def _variables(values: dict[str, Any], where: str) -> tuple[str, ...]:
    found = values.get("variables", [])
    if not isinstance(found, list) or not all(
        isinstance(one, str) and one.strip() for one in found
    ):
        raise SettingsError(f"{where}: expected variables to be a list of names, found {found!r}.")
    names = [one.strip() for one in found]
    _no_doubles(names, f"{where}, variables")
    return tuple(names)


def _check_names(protocol: Protocol, where: str) -> None:
    names = [one.name for one in protocol.shown if one.name]
    for name in names:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise SettingsError(
                f"{where}: expected names of at most {_LONGEST_NAME} printed letters, found "
                f"{name[:_LONGEST_NAME]!r}; give it a shorter name."
            )
    _no_doubles(names, where)
    if not protocol.pictorial and not names:
        raise SettingsError(
            f"{where}: expected a picture, a film or a text with a name, found none; nothing would "
            f"be marked in the recording."
        )


def _no_doubles(names: Sequence[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SettingsError(
            f"{where}: expected names that differ, found {twice[0]!r} twice; give one another name."
        )


def _known(values: dict[str, Any], names: Iterable[str], where: str) -> None:
    names = list(names)
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}."
            raise SettingsError(f"{where}: found an unknown key {key!r}; {hint}")


def _text(values: dict[str, Any], key: str, where: str, otherwise: str) -> str:
    found = values.get(key, otherwise)
    if not isinstance(found, str):
        raise SettingsError(f"{where}: expected {key} to be a text, found {found!r}.")
    return found


def _seconds(values: dict[str, Any], key: str, where: str, *, least: float) -> float | None:
    if key not in values:
        return None
    found = values[key]
    right = type(found) in (int, float) and math.isfinite(found)
    if not right or not least <= found <= _LONGEST_SECONDS:
        raise SettingsError(
            f"{where}: expected {key} of {least:g} to {_LONGEST_SECONDS:g}, found {found!r}."
        )
    return float(found)
