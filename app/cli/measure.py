"""What `fer-benchmark` measures, and how it is shown."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import app
from app.errors import SourceError
from app.live.inference import with_capture
from app.live.makers import limit_threads, real_makers
from app.live.options import EngineOptions
from app.live.parts import FramePipeline
from app.messages import FrameResult, StageTimings
from app.overlays import OVERLAYS, Overlay, render
from app.overlays.base import Canvas
from app.settings import LANDMARKERS, Settings
from app.sources import is_camera, is_network, is_screen, open_source
from app.sources.base import FrameSource
from app.versions import version_of

WARM_UP = 30
_LAUNCH_LIMIT = 120.0
_PACKAGES = ("mien", "numpy", "opencv-python-headless", "dlib-bin", "onnxruntime")


def measure(options: EngineOptions, *, frames: int, launches: int) -> dict[str, Any]:
    """Return all figures as plain values for JSON; times in ms where not said otherwise.

    launches: how often to time a launch of the app. Raises `UserError` for a source, model or
    finder that cannot be had, and for a source too short to measure.
    """
    import cv2

    if any(kind(options.source) for kind in (is_camera, is_network, is_screen)):
        raise SourceError(
            "A camera or a screen keeps its own time, so reading it measures only the wait: choose "
            "the actor, a video or a folder."
        )
    makers = real_makers(options)
    limit_threads()
    with open_source(options.source, paced=False) as source:
        classifier = makers.classifier(options.model or makers.default_model(), options.base_rates)
        finder = makers.finder(options.finder, options.yunet_file)
        pipeline = makers.pipeline(finder, makers.landmarker(), classifier)
        run = run_frames(source, pipeline, frames)
    return {
        "format": 1,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "source": options.source,
        "width": run.width,
        "height": run.height,
        "frames": len(run.timings),
        "warm_up": WARM_UP,
        "faces_per_frame": round(statistics.fmean(run.faces), 3),
        "model": options.model or makers.default_model(),
        "provider": classifier.provider,
        "finder": options.finder,
        "landmarks": options.landmarks or LANDMARKERS[0],
        "opencv_threads": cv2.getNumThreads(),
        **summarise(run.timings),
        "processor_ms": round(1000 * run.processor_seconds / len(run.timings), 3),
        "memory_mb": round(peak_memory() / 2**20, 1),
        "launch_s": [round(seconds, 3) for seconds in time_launches(options, launches)],
        "machine": machine(),
        "versions": versions(),
    }


@dataclass(slots=True)
class Run:
    """Hold what is kept of the frames measured: no pictures, for they would count as memory.

    processor_seconds: of all threads together, warm-up excepted.
    """

    width: int = 0
    height: int = 0
    faces: list[int] = field(default_factory=list)
    timings: list[StageTimings] = field(default_factory=list)
    processor_seconds: float = 0.0

    def add(self, result: FrameResult) -> None:
        self.height, self.width = result.frame.image.shape[:2]
        self.faces.append(len(result.faces))
        self.timings.append(result.timings)


def run_frames(source: FrameSource, pipeline: FramePipeline, count: int) -> Run:
    """Return the figures of `count` frames after the warm-up, fewer when the source ends.

    Raises `SourceError` when it ends within the warm-up.
    """
    overlays = [OVERLAYS[name]() for name in Settings().overlays]
    run, canvas = Run(), None
    begun = time.process_time()
    for index in range(WARM_UP + count):
        if index == WARM_UP:
            begun = time.process_time()
        timed = _timed(source, pipeline, overlays, canvas)
        if timed is None:
            break
        result, canvas = timed
        if index >= WARM_UP:
            run.add(result)
    run.processor_seconds = time.process_time() - begun
    if not run.timings:
        raise SourceError(
            f"{source.name} has fewer than {WARM_UP + 1} frames, and the first {WARM_UP} only "
            f"warm up: choose a longer source."
        )
    return run


def _timed(
    source: FrameSource,
    pipeline: FramePipeline,
    overlays: Sequence[Overlay],
    canvas: Canvas | None,
) -> tuple[FrameResult, Canvas] | None:
    """Return the next frame's result and what was drawn, None at the end of the source.

    canvas: drawn onto if it is as large as the frame, as the window does with its own.
    """
    begun = time.perf_counter()
    frame = source.read()
    read = time.perf_counter()
    if frame is None:
        return None
    result = with_capture(pipeline.process(frame), 1000 * (read - begun))
    processed = time.perf_counter()
    height, width = frame.image.shape[:2]
    canvas = render(result, size=(width, height), overlays=overlays, out=canvas)
    drawn = time.perf_counter()
    timings = replace(
        result.timings, overlay=1000 * (drawn - processed), total=1000 * (drawn - begun)
    )
    return replace(result, timings=timings), canvas


def summarise(timings: Sequence[StageTimings]) -> dict[str, Any]:
    """Return the figures of each stage, and frames per second with and without drawing."""
    values = {
        name: np.array([getattr(timing, name) for timing in timings])
        for name in StageTimings.__slots__
    }
    without_overlay = values["total"] - values["overlay"]
    return {
        "stages": {name: _stage(value) for name, value in values.items()},
        "without_overlay": _stage(without_overlay),
        "fps": round(1000 / float(values["total"].mean()), 1),
        "fps_without_overlay": round(1000 / float(without_overlay.mean()), 1),
    }


def _stage(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    ran = values[values > 0]
    return {
        "median": round(float(np.median(values)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
        "mean": round(float(values.mean()), 3),
        "ran": round(len(ran) / len(values), 4),
        "median_when_ran": round(float(np.median(ran)), 3) if len(ran) else 0.0,
    }


def peak_memory() -> int:
    """Return the most bytes this process has held in memory so far."""
    info = psutil.Process().memory_info()
    if sys.platform == "win32":
        return int(info.peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def time_launches(options: EngineOptions, count: int) -> list[float]:
    """Return the seconds from starting a fresh process to its first frame with a label.

    Those that never say one are left out, such as on a source without faces.
    """
    command = [sys.executable, "-m", "app.main", "--headless", "--json"]
    command += ["--source", options.source, "--finder", options.finder]
    if options.model is not None:
        command += ["--model", options.model]
    if options.yunet_file is not None:
        command += ["--yunet", str(options.yunet_file)]
    if options.landmarks is not None:
        command += ["--landmarks", options.landmarks]
    return [seconds for _ in range(count) if (seconds := _time_launch(command)) is not None]


def _time_launch(command: list[str]) -> float | None:
    # The package may be run from its folder without being installed.
    root = str(Path(app.__file__).parent.parent)
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    begun = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - this program itself
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                seconds = time.perf_counter() - begun
                if json.loads(line)["faces"]:
                    return seconds
                if seconds > _LAUNCH_LIMIT:
                    return None
        finally:
            process.kill()
    return None


def machine() -> dict[str, Any]:
    """Return what the figures depend on and what may be told of it."""
    return {
        "load_average": round(psutil.getloadavg()[0], 2),
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(aliased=True, terse=True),
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of what does the work."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        if (number := version_of(package)) is not None:
            found[package] = number
    return found


def as_table(figures: dict[str, Any]) -> str:
    """Return the figures as text for people."""
    machine, stages = figures["machine"], figures["stages"]
    lines = [
        f"{figures['source']}, {figures['width']} x {figures['height']}, {figures['frames']} "
        f"frames after {figures['warm_up']} to warm up, {figures['faces_per_frame']:g} faces a "
        f"frame",
        f"{figures['model']} on {figures['provider']}, finder {figures['finder']}, "
        f"landmarks {figures['landmarks']}, OpenCV with "
        f"{figures['opencv_threads']} thread(s)",
        f"{machine['cpu']}, {machine['cores']} cores ({machine['threads']} threads), "
        f"{machine['memory_gb']} GB, {machine['system']}, load average {machine['load_average']:g}",
        ", ".join(f"{name} {number}" for name, number in figures["versions"].items()),
        "",
        f"{'ms a frame':<18}{'median':>9}{'p95':>9}{'mean':>9}{'ran on':>9}{'median then':>13}",
        *(_row(name, stage) for name, stage in stages.items() if name != "total"),
        _row("total", stages["total"]),
        _row("total, not drawn", figures["without_overlay"]),
        "",
        f"frames per second   {figures['fps']:g}, without drawing "
        f"{figures['fps_without_overlay']:g}",
        f"processor time      {figures['processor_ms']:g} ms a frame, of all threads",
        f"memory at most      {figures['memory_mb']:g} MB (this process, without a window)",
    ]
    launches = figures["launch_s"]
    if launches:
        each = ", ".join(f"{seconds:.2f}" for seconds in launches)
        lines.append(f"launch to label     {statistics.median(launches):.2f} s (median of {each})")
    return "\n".join(lines)


def _row(name: str, stage: dict[str, float]) -> str:
    return (
        f"{name:<18}{stage['median']:>9.2f}{stage['p95']:>9.2f}{stage['mean']:>9.2f}"
        f"{stage['ran']:>9.0%}{stage['median_when_ran']:>13.2f}"
    )
