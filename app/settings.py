"""What the app remembers from one start to the next: a small JSON file that never stops it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from app.errors import SettingsError

VERSION = 1
RECENT_FILES = 8
OWN_FINDER = Path(str(resources.files("weights"))) / "face_finder.onnx"
"""The bundled face finder."""
FINDERS = ("mien", "mien-quick", "haar", "hog", "yunet")
"""The face finders by name, the usual one first."""
LANDMARKERS = ("landmarks68", "dlib")
OVERLAYS = ("boxes", "bars", "landmarks", "attention")
THEMES = ("system", "dark", "light")
WORKSPACES = ("live", "analyse", "review")
RECORDED_VIDEOS = ("none", "raw", "annotated", "both")
MAX_SMOOTHING_SECONDS = 5.0
_MAX_SIDE = 16384
_LONGEST_TEXT = 10_000
MOST_TRIGGERS = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold the user's choices; `dataclasses.replace` makes a changed copy.

    source: as `open_source` takes it. model: bundled name or path, None for the app's default.
    second_model: one to compare it with, None for none.
    yunet_file: path of the YuNet model. landmarks: what fits them. overlays: in drawing order.
    window: geometry in the window's own encoding. splitters: px by splitter name. camera_size:
    (width, height) px and camera_fps: wishes, None leaves it to the camera. smoothing_seconds: 0
    (off) to 5.
    recent: files and folders, newest first. workspace: the one that was shown last.
    recent_sessions: folders of sessions, newest first. attention_view: what the attention overlay
    shows, a name of `app.views.VIEWS`; empty for what suits the model, as where it has no such.
    results_folder: where analyses go, None for the usual place; analysis_workers: processes, None
    for half of the cores. streams: those switched on, as `app.streams.switch.parse_stream` reads
    them; stream_addresses: those that were typed, on or off. triggers: as
    `app.live.triggers.parse_trigger` reads them, without names and passwords. recording_folder: in
    which sessions are made, None for the usual place. recording_video, recording_blur: what a
    recording keeps of the picture, and whether faces are blurred in it. consent_text: what has to
    be agreed to before a recording, empty for nothing. study_protocol: the file of the study that
    was run last, None before one was. base_rates: how common expressions are taken to be, as
    `BaseRates.parse` reads it; empty as they were measured.
    """

    source: str = "camera"
    model: str | None = None
    second_model: str | None = None
    finder: str = FINDERS[0]
    yunet_file: str | None = None
    landmarks: str = LANDMARKERS[0]
    overlays: tuple[str, ...] = ("boxes", "bars", "attention")
    mirror: bool = True
    theme: str = "system"
    window: str = ""
    splitters: dict[str, tuple[int, ...]] = field(default_factory=dict)
    camera_size: tuple[int, int] | None = None
    camera_fps: float | None = None
    smoothing_seconds: float = 0.25
    recent: tuple[str, ...] = ()
    workspace: str = "live"
    recent_sessions: tuple[str, ...] = ()
    attention_view: str = ""
    results_folder: str | None = None
    analysis_workers: int | None = None
    streams: tuple[str, ...] = ()
    stream_addresses: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    recording_folder: str | None = None
    recording_video: str = "none"
    recording_blur: bool = False
    consent_text: str = ""
    study_protocol: str | None = None
    base_rates: str = ""

    def with_recent(self, path: str) -> Settings:
        """Return a copy with `path` first among the recent files, each only once."""
        others = [other for other in self.recent if other != path]
        return replace(self, recent=(path, *others)[:RECENT_FILES])

    def with_recent_session(self, path: str) -> Settings:
        """Return a copy with `path` first among the recent sessions, each only once."""
        others = [other for other in self.recent_sessions if other != path]
        return replace(self, recent_sessions=(path, *others)[:RECENT_FILES])


def settings_file() -> Path:
    """Return where the settings lie: in MIEN_CONFIG_DIR, else in the system's place for them."""
    folder = os.environ.get("MIEN_CONFIG_DIR")
    base = Path(folder) if folder else user_config_path("Mien", appauthor=False)
    return base / "settings.json"


def load_settings(path: Path | None = None) -> tuple[Settings, list[str]]:
    """Return the stored settings and one sentence for each thing that was wrong; never raises.

    A key that is unknown or ill-typed counts as absent. A file that is not a JSON object is kept
    beside as `settings.json.broken`. No file at all is the first start and no fault.
    """
    path = path or settings_file()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Settings(), []
    except OSError as error:
        return Settings(), [
            f'The settings in "{path}" cannot be read ({error.strerror}), so the defaults are used.'
        ]
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError):  # ValueError: neither JSON nor UTF-8
        stored = None
    if not isinstance(stored, dict):
        return Settings(), [_set_aside(path)]
    return _read(stored)


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write what differs from the defaults; the old file stays whole until the new one is.

    Raises `SettingsError` when the place cannot be written.
    """
    path = path or settings_file()
    defaults = Settings()
    stored: dict[str, Any] = {"version": VERSION}
    for name in (entry.name for entry in fields(Settings)):
        value = getattr(settings, name)
        if value != getattr(defaults, name):
            stored[name] = value
    # One name for each program, so that two that close together cannot mix their files.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise SettingsError(
            f'The settings cannot be saved in "{path}" ({error.strerror}); free some space or '
            f"allow this account to write there, or set MIEN_CONFIG_DIR to another folder."
        ) from error


def _set_aside(path: Path) -> str:
    broken = path.with_name(f"{path.name}.broken")
    try:
        path.replace(broken)
    except OSError:
        return f'The settings in "{path}" are not readable JSON, so the defaults are used.'
    return (
        f"The settings are not readable JSON, so the defaults are used; the old file is kept as "
        f'"{broken}".'
    )


def _read(stored: dict[str, Any]) -> tuple[Settings, list[str]]:
    warnings = []
    version = stored.pop("version", None)
    if type(version) is not int or version < 1:
        warnings.append(
            f"The settings bear no version number, so they are read as version {VERSION}."
        )
    elif version > VERSION:
        warnings.append(
            f"The settings come from a newer Mien (version {version}, this one writes {VERSION}), "
            f"so only what both know is kept."
        )
    values: dict[str, Any] = {}
    for key, value in stored.items():
        if key not in _CHECKS:
            warnings.append(f"The setting {_shown(key)} is unknown and was left out.")
            continue
        expected, check = _CHECKS[key]
        try:
            values[key] = check(value)
        except ValueError:
            warnings.append(
                f'The setting "{key}" must be {expected}, not {_shown(value)}, so its default is '
                f"used."
            )
    return replace(Settings(), **values), warnings


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= 40 else f"{text[:37]}..."


def _text(value: object) -> str:
    text = _text_of_any_length(value)
    if len(text) <= _LONGEST_TEXT:
        return text
    raise ValueError


def _text_of_any_length(value: object) -> str:
    """Take a text that the user wrote: what has to be agreed to is never cut or left out."""
    if isinstance(value, str):
        return value
    raise ValueError


def _filled_text(value: object) -> str:
    if _text(value).strip():
        return _text(value)
    raise ValueError


def _true_or_false(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _number(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError  # noqa: TRY004 - one kind of refusal for all checks
        if low <= value <= high:  # NaN is not
            return float(value)
        raise ValueError

    return check


def _pixels(value: object, low: int) -> int:
    if type(value) is int and low <= value <= _MAX_SIDE:
        return value
    raise ValueError


def _workers(value: object) -> int:
    if type(value) is int and 1 <= value <= 64:
        return value
    raise ValueError


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise ValueError

    return check


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise ValueError


def _overlays(value: object) -> tuple[str, ...]:
    names = tuple(_one_of(OVERLAYS)(name) for name in _list(value))
    if len(set(names)) == len(names):
        return names
    raise ValueError


def _recent(value: object) -> tuple[str, ...]:
    return tuple(_filled_text(path) for path in _list(value))[:RECENT_FILES]


def _triggers(value: object) -> tuple[str, ...]:
    return tuple(_filled_text(trigger) for trigger in _list(value))[:MOST_TRIGGERS]


def _size(value: object) -> tuple[int, int]:
    width, height = (_pixels(side, 1) for side in _list(value))
    return width, height


def _splitters(value: object) -> dict[str, tuple[int, ...]]:
    if isinstance(value, dict):
        return {
            name: tuple(_pixels(side, 0) for side in _list(sides)) for name, sides in value.items()
        }
    raise ValueError


def _base_rates(value: object) -> str:
    from models.runtime.base_rates import BaseRates  # with numpy, which few settings need
    from models.runtime.errors import UserError

    try:
        return str(BaseRates.parse(_text(value)))
    except UserError as error:
        raise ValueError from error


def _names(choices: tuple[str, ...]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices)


_CHECKS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "source": ('a source such as "camera" or a path', _filled_text),
    "model": ("a model's name or path", _filled_text),
    "second_model": ("a model's name or path", _filled_text),
    "finder": (f"one of {_names(FINDERS)}", _one_of(FINDERS)),
    "yunet_file": ("a path", _filled_text),
    "landmarks": (f"one of {_names(LANDMARKERS)}", _one_of(LANDMARKERS)),
    "overlays": (f"a list of some of {_names(OVERLAYS)}, each once", _overlays),
    "mirror": ("true or false", _true_or_false),
    "theme": (f"one of {_names(THEMES)}", _one_of(THEMES)),
    "window": (f"text of at most {_LONGEST_TEXT:,} characters", _text),
    "splitters": ("lists of pixels by name", _splitters),
    "camera_size": ("two numbers of pixels", _size),
    "camera_fps": ("a number from 1 to 1000", _number(1.0, 1000.0)),
    "smoothing_seconds": (
        f"a number from 0 to {MAX_SMOOTHING_SECONDS:g}",
        _number(0.0, MAX_SMOOTHING_SECONDS),
    ),
    "recent": ("a list of paths", _recent),
    "workspace": (f"one of {_names(WORKSPACES)}", _one_of(WORKSPACES)),
    "recent_sessions": ("a list of paths", _recent),
    "attention_view": ("the name of a view", _text),
    "results_folder": ("a path", _filled_text),
    "analysis_workers": ("a number from 1 to 64", _workers),
    "streams": ("a list of streams", _recent),
    "stream_addresses": ("a list of streams", _recent),
    "triggers": ("a list of triggers", _triggers),
    "recording_folder": ("a path", _filled_text),
    "recording_video": (f"one of {_names(RECORDED_VIDEOS)}", _one_of(RECORDED_VIDEOS)),
    "recording_blur": ("true or false", _true_or_false),
    "consent_text": ("text", _text_of_any_length),
    "study_protocol": ("a path", _filled_text),
    "base_rates": ('base rates such as "even" or "contempt=0"', _base_rates),
}
