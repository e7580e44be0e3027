"""fer-app: the window, and the live program without one."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from app.cli.finder import add_finder, asked_finder
from app.errors import SettingsError
from app.settings import FINDERS, LANDMARKERS, Settings
from models.cli.shell import exit_status
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.files import is_file, user_path

if TYPE_CHECKING:
    from app.live.triggers import Trigger

EXAMPLES = """examples:
  fer-app                                          the window, as it was left; at first a camera
  fer-app --source actor                           the demo actor instead of a camera
  fer-app --source screen:0,80,1280x720            a part of the screen, such as a video call
  fer-app --review recordings/2026-09-21           look through a recorded session
  fer-app --source film.mp4 --headless --json      one JSON object a line for every frame
  fer-app --model mine.onnx --second cbam_resnet18.fer2013    two models side by side
  fer-app --source camera:0 --headless --frames 100
  fer-app --source camera:0 --headless --stream lsl --stream osc=127.0.0.1:9000
  fer-app --trigger happiness,70,0.5=marker:1      a smile of half a second sets marker 1
"""
_MOST_FRAMES = 10**12


def main(argv: list[str] | None = None) -> int:
    """Run `fer-app`; return the exit status, 2 for what the user can put right."""
    arguments = _parser().parse_args(argv)
    _set_up_logging(verbose=arguments.verbose)
    try:
        return exit_status(lambda: _act(arguments))
    except KeyboardInterrupt:
        return 130


def _act(arguments: argparse.Namespace) -> int:
    _check_combination(arguments)
    return _action(arguments)(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-app",
        description="Read apparent facial expressions live. Everything stays on this computer, "
        "unless a stream is switched on or a trigger calls an address.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group(
        "what runs (the window: as left last time; at first, and without one: camera, default "
        "model, mien)"
    )
    what.add_argument(
        "--source",
        metavar="SOURCE",
        help="actor, camera, camera:N or camera:NAME, screen, screen:N or "
        "screen:LEFT,TOP,WIDTHxHEIGHT, a network camera such as rtsp://HOST/PATH, a video file, an "
        "image or a folder of images",
    )
    what.add_argument("--model", metavar="NAME|FILE", help="a bundled model, or an ONNX file")
    what.add_argument("--second", metavar="NAME|FILE", help="a model to compare it with")
    add_finder(what)
    what.add_argument(
        "--base-rates", metavar="RATES", help="how common expressions are, such as even, contempt=0"
    )
    what.add_argument("--landmarks", choices=LANDMARKERS, help="what fits the landmarks")
    _add_outputs(what)
    what.add_argument(
        "--review",
        type=Path,
        metavar="SESSION",
        help="look through a recorded session, a video or an image",
    )
    headless = parser.add_argument_group("without a window")
    headless.add_argument(
        "--headless", action="store_true", help="write one line for every frame instead"
    )
    headless.add_argument("--frames", type=_count, metavar="N", help="stop after N frames")
    headless.add_argument("--json", action="store_true", help="one JSON object a line")
    show = parser.add_argument_group("show and end")
    show.add_argument("--list-cameras", action="store_true", help="the cameras of this computer")
    show.add_argument("--list-screens", action="store_true", help="the screens of this computer")
    show.add_argument("--list-models", action="store_true", help="the bundled models")
    show.add_argument("--version", action="store_true", help="the version of Mien")
    parser.add_argument("--verbose", action="store_true", help="say on standard error what is done")
    return parser


def _add_outputs(what: argparse._ActionsContainer) -> None:
    """Add what is handed on, or done, beside what the program shows."""
    what.add_argument(
        "--stream",
        action="append",
        default=[],
        metavar="STREAM",
        help="also to other programs: lsl, osc[=HOST:PORT], websocket[=HOST:PORT]; repeatable",
    )
    what.add_argument(
        "--trigger",
        action="append",
        default=[],
        metavar="WHEN,PERCENT,SECONDS=THEN",
        help="when a face shows an expression so surely for so long, set a marker or call an "
        "address: happiness,70,0.5=marker:1, no face,,3=http://HOST:PORT/PATH; repeatable",
    )


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= _MOST_FRAMES:
        raise argparse.ArgumentTypeError(f"expected a number of frames from 1 up, found {text!r}")
    return value


def _check_combination(arguments: argparse.Namespace) -> None:
    for name in ("frames", "json"):
        if getattr(arguments, name) and not arguments.headless:
            raise SettingsError(
                f"--{name} is for running without a window: give --headless too, or leave it out."
            )
    if arguments.review is not None and (arguments.headless or arguments.source):
        raise SettingsError(
            "--review opens the window on what was recorded: leave --headless and --source out."
        )
    asked_finder(arguments)  # raises where it contradicts itself


def _action(arguments: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    if arguments.version:
        return _show_version
    if arguments.list_cameras:
        return _list_cameras
    if arguments.list_screens:
        return _list_screens
    if arguments.list_models:
        return _list_models
    return _headless if arguments.headless else _window


def _set_up_logging(*, verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.ERROR,
        format="%(relativeCreated)6.0f ms  %(threadName)s  %(name)s: %(message)s",
        stream=sys.stderr,
    )


def _show_version(_: argparse.Namespace) -> int:
    from app.versions import version_of

    print(f"Mien {version_of('mien') or '(not installed, run from its folder)'}")
    return 0


def _list_cameras(_: argparse.Namespace) -> int:
    from app.sources import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        print(f"camera:{camera.index:<4}{camera.name}")
    if not cameras:
        print("No camera was found.", file=sys.stderr)
    return 0


def _list_screens(_: argparse.Namespace) -> int:
    from app.sources.screen import list_screens

    for number, area in enumerate(list_screens(), start=1):
        print(f"screen:{number:<4}{area.width} x {area.height} at {area.left},{area.top}")
    return 0


def _list_models(_: argparse.Namespace) -> int:
    from models.runtime.store import DEFAULT_MODEL, bundled

    entries = bundled()
    width = max(len(entry.name) for entry in entries) + 2
    for entry in entries:
        default = "  (default)" if entry.name == DEFAULT_MODEL else ""
        print(f"{entry.name:<{width}}{entry.card.title}, {len(entry.card.labels)} labels{default}")
    return 0


def _headless(arguments: argparse.Namespace) -> int:
    from app.cli.headless import run_headless
    from app.live.options import EngineOptions
    from app.streams.switch import parse_stream
    from models.runtime.base_rates import BaseRates

    _check_source(arguments.source)
    # A script must not depend on what somebody chose in the window last time.
    options = EngineOptions(
        source="camera" if arguments.source is None else arguments.source,
        model=arguments.model,
        second=arguments.second,
        finder=asked_finder(arguments) or FINDERS[0],
        yunet_file=arguments.yunet,
        landmarks=arguments.landmarks,
        base_rates=BaseRates.parse(arguments.base_rates or ""),
        paced=False,
        fallback_to_actor=False,
    )
    streams = [parse_stream(text) for text in arguments.stream]
    return run_headless(
        options,
        frames=arguments.frames,
        as_json=arguments.json,
        streams=streams,
        triggers=_triggers(arguments),
    )


def _window(arguments: argparse.Namespace) -> int:
    from app.cli.start_checks import StartError, check_window, explain_import_error
    from app.live.options import EngineOptions
    from app.settings import load_settings
    from models.runtime.base_rates import BaseRates

    check_window()
    _check_source(arguments.source)
    _check_review(arguments.review)
    settings, warnings = load_settings()
    streams: list[str] = []
    if arguments.stream:
        from app.streams.switch import parse_stream

        streams = [str(parse_stream(text)) for text in arguments.stream]
    yunet_file = arguments.yunet or (Path(settings.yunet_file) if settings.yunet_file else None)
    options = EngineOptions(
        source=settings.source if arguments.source is None else arguments.source,
        model=arguments.model or settings.model,
        second=arguments.second or settings.second_model,
        finder=asked_finder(arguments) or settings.finder,
        yunet_file=yunet_file,
        landmarks=arguments.landmarks or settings.landmarks,
        base_rates=BaseRates.parse(
            settings.base_rates if arguments.base_rates is None else arguments.base_rates
        ),
        smoothing_seconds=settings.smoothing_seconds,
        camera_size=settings.camera_size,
        camera_fps=settings.camera_fps,
    )
    try:
        from app.gui.start import run_window
    except ImportError as error:
        if not (error.name or "PySide6").startswith(("PySide6", "shiboken6")):
            raise
        raise StartError(explain_import_error(error)) from error
    return run_window(
        options,
        _workspace_first(settings, arguments),
        None,
        warnings,
        review=arguments.review,
        streams=streams,
        triggers=[str(trigger) for trigger in _triggers(arguments)],
    )


def _triggers(arguments: argparse.Namespace) -> list[Trigger]:
    if not arguments.trigger:
        return []
    from app.live.triggers import parse_trigger

    return [parse_trigger(text) for text in arguments.trigger]


def _workspace_first(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Return the settings with the workspace that what was asked for is seen in."""
    if arguments.review is not None:
        return replace(settings, workspace="review")
    if arguments.source is not None or arguments.stream or arguments.trigger:
        return replace(settings, workspace="live")
    return settings


def _check_review(path: Path | None) -> None:
    """Refuse at once what is neither a session nor a file that could be a video."""
    if path is not None and not is_file(path):
        from app.sessions.folder import read_info

        read_info(path)  # raises, and says what was expected


def _check_source(source: str | None) -> None:
    """Refuse a mistyped path at once: a window that plays the actor instead would puzzle."""
    if source is None:
        return
    from app.sources import is_device, open_source

    if is_device(source):
        return
    try:
        there = user_path(source).exists()
    except (OSError, ValueError, UserError):  # forbidden, too long, no such user
        there = False
    if not there:
        open_source(source).close()  # raises, and says what is near


def entry(argv: list[str] | None = None) -> NoReturn:
    """Run `fer-app` and end the process."""
    status = main(argv)
    left = [thread for thread in threading.enumerate() if thread.name.startswith("mien-capture")]
    if left:
        # In a camera's driver: when that returns while Python is being taken down, it aborts.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    entry()
