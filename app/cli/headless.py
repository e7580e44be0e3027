"""The live program without a window: one line a frame, for scripts and tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from app.live.acting import Acting
from app.live.calls import Caller
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.triggers import Trigger
from app.messages import FaceResult, FrameResult
from app.streams.base import Marker, Sample
from app.streams.record import frame_record
from app.streams.switch import Streams, StreamSpec
from app.words import amount, whole
from models.cli.shell import note, silence
from models.runtime.errors import UserError

_PATIENCE = 0.2


class RunError(UserError):
    """Report that the engine could not start or go on."""


def run_headless(
    options: EngineOptions,
    *,
    frames: int | None = None,
    as_json: bool = False,
    out: TextIO | None = None,
    streams: Sequence[StreamSpec] = (),
    triggers: Sequence[Trigger] = (),
    make_engine: Callable[[EngineOptions], Engine] = Engine,
) -> int:
    """Write one line for every result to `out` (standard output) and return the exit status.

    A frame that could not be processed has no result, so no line. frames: stop after so many
    results, None: at the end of the source. streams: to switch on, too.
    triggers: to wait for; the markers that they set go to the streams.
    Notices go to standard error, as does that a camera is lost and that it is back.
    Raises `UserError` when the source, the model or the finder cannot be had. A reader that
    closes the pipe ends the run quietly, as does Ctrl-C (status 130).
    """
    out = out or sys.stdout
    line = _json_line if as_json else _plain_line
    engine = make_engine(options)
    carried = Streams()
    acting = Acting(lambda key, text, at: carried.mark(Marker(at, key, text)))
    try:
        _begin(carried, streams, acting, triggers)
        engine.add_listener(carried.write)
        engine.add_listener(acting.write)  # a marker comes after its frame
        engine.start()
        for count, result in enumerate(_results(engine), 1):
            print(line(result), file=out, flush=True)
            _tell(acting.calls)
            if count == frames:
                break
    except BrokenPipeError:
        silence(out)
    except KeyboardInterrupt:
        return 130
    finally:
        engine.stop()
        _end_triggers(acting)
        for status in carried.close():
            note(f"{status.name}: {status.sent} frames sent, {status.dropped} dropped")
        _tell(engine)
    return 0


def _begin(
    carried: Streams, streams: Sequence[StreamSpec], acting: Acting, triggers: Sequence[Trigger]
) -> None:
    """Switch on what is asked for, and say where it leads."""
    for spec in streams:
        carried.switch_on(spec)
        note(_where(spec))
    for trigger in triggers:
        note(_what(trigger, heard=bool(streams)))
    acting.use(triggers)


def _results(engine: Engine) -> Iterator[FrameResult]:
    """Yield every result until the source ends; raises `RunError` when the engine fails."""
    lost = False
    while True:
        status = engine.status()  # asked first: what came before the end can still be taken
        if lost is not (status.state is EngineState.LOST):
            lost = not lost
            note(status.source_note if lost else f"{status.source} is back.")
        result = engine.take(_PATIENCE)
        if result is not None:
            yield result
        elif status.state is EngineState.FAILED:
            raise RunError(status.error)
        elif status.state is EngineState.ENDED:
            return
        _tell(engine)


def _where(spec: StreamSpec) -> str:
    here = "stays on this computer" if spec.stays_here else "leaves this computer"
    return f"{spec.name} streams to {spec.where}, which {here}"


def _what(trigger: Trigger, *, heard: bool) -> str:
    """Say what a trigger will do. heard: a stream is on, which takes its marker."""
    if not trigger.address:
        nobody = "" if heard else ", which reaches nobody: no stream is on"
        return f"{trigger.shown} sets a marker{nobody}"
    here = "stays on this computer" if trigger.stays_here else "leaves this computer"
    return f"{trigger.shown} calls an address, and what it sends {here}"


def _end_triggers(acting: Acting) -> None:
    statuses = acting.statuses()
    acting.close()
    _tell(acting.calls)
    for trigger, status in statuses.items():
        note(f"{trigger.condition} fired {amount(status.fired, 'time')}")
    calls = acting.calls.status()
    if calls.failed or calls.dropped:
        note(f"calls: {calls.sent} sent, {calls.failed} failed, {calls.dropped} dropped")


def _tell(teller: Engine | Caller) -> None:
    for sentence in teller.take_notices():
        note(sentence)


def _json_line(result: FrameResult) -> str:
    return json.dumps(frame_record(Sample.of(result), landmarks=True), separators=(",", ":"))


def _plain_line(result: FrameResult) -> str:
    frame = result.frame
    time = "" if frame.media_time is None else f"{frame.media_time:9.3f} s"
    faces = ", ".join(_plain_face(face) for face in result.faces) or "no face"
    return f"{frame.index:>7}{time}  {result.timings.total:6.1f} ms  {faces}"


def _plain_face(face: FaceResult) -> str:
    said = f"#{face.face.track_id} {face.spoken} {whole(face.said_confidence)}"
    second = face.second
    if second is None:
        return said
    return f"{said} ({second.spoken} {whole(second.said_confidence)})"
