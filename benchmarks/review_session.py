"""Measure how quickly a three-hour session opens in review, and how it scrubs.

    python benchmarks/review_session.py [--rows 300000] [--folder DIR] [--json FILE]

The session is made by code (or taken from --folder if it is there already), opened in the real
window without a screen, and then scrubbed, zoomed and counted. Times are milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from app.gui.review.workspace import ReviewWorkspace
from app.gui.theme import Theme
from app.gui.window import MainWindow, Surroundings
from app.live.engine import Engine, EngineOptions
from app.review.recording import open_recording
from app.review.statistics import summarise
from app.sessions.folder import FORMAT, write_info
from app.sessions.layout import TABLE, is_session
from app.sessions.schema import LANDMARKS, QUALITIES, TIMINGS, frames_schema
from app.settings import Settings
from models.runtime.labels import FERPLUS

HOURS = 3.0
_CHUNK = 16_384


def make_session(folder: Path, rows: int) -> None:
    """Write a session of three hours: one face that stays, others that come and go."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    schema = frames_schema(FERPLUS)
    times = np.arange(rows) * (HOURS * 3600 / rows)
    # A chain of expressions that lasts some seconds each.
    states = np.repeat(rng.integers(0, len(FERPLUS), rows // 90 + 2), 90)[:rows]
    with pq.ParquetWriter(folder / TABLE, schema, compression="zstd") as writer:
        for start in range(0, rows, _CHUNK):
            part = slice(start, min(start + _CHUNK, rows))
            writer.write_table(_chunk(schema, times[part], states[part], start, rng))
    write_info(
        folder, {"format": FORMAT, "state": "finished", "labels": list(FERPLUS), "source": {}}
    )


def _chunk(schema: Any, times: Any, states: Any, first: int, rng: np.random.Generator) -> Any:
    count = len(times)
    logits = rng.normal(0, 1, (count, len(FERPLUS)))
    logits[np.arange(count), states] += 4
    values = np.exp(logits)
    values = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    faces = np.where(np.arange(first, first + count) % 9_000 > 8_500, 2 + first // 60_000, 1)
    wall = np.int64(1.7e15) + (times * 1e6).astype(np.int64)
    columns: dict[str, Any] = {
        "frame": np.arange(first, first + count),
        "face_id": faces.astype(np.int32),
        "session_time": times,
        "wall_time": pa.array(wall).cast(pa.timestamp("us")).cast(schema.field("wall_time").type),
        "label": pa.array([FERPLUS[state] for state in states]),
        "confidence": values.max(axis=1),
        "unsure": values.max(axis=1) < 0.5,
        "finder_score": np.ones(count, np.float32),
        "quality": rng.random(count).astype(np.float32),
    }
    columns |= {f"box_{name}": np.full(count, 100, np.float32) for name in ("x", "y")}
    columns |= {f"box_{name}": np.full(count, 200, np.float32) for name in ("width", "height")}
    columns |= {f"quality_{name}": columns["quality"] for name in QUALITIES}
    columns |= {f"ms_{name}": np.ones(count, np.float32) for name in TIMINGS}
    for place, label in enumerate(FERPLUS):
        columns[f"raw_{label}"] = columns[f"smooth_{label}"] = values[:, place]
    points = rng.normal(200, 40, (count, 2 * LANDMARKS)).astype(np.float32).ravel()
    columns["landmarks"] = pa.FixedSizeListArray.from_arrays(points, 2 * LANDMARKS)
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def timed(work: Callable[[], object], times: int = 1) -> dict[str, float]:
    """Return median and 95th percentile of so many calls, and the median of processor time.

    Processor time is that of this thread alone, so it holds on a busy machine, too.
    """
    taken, worked = [], []
    for _ in range(times):
        begun, work_begun = time.perf_counter(), time.thread_time()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
        worked.append(1000 * (time.thread_time() - work_begun))
    return {
        "median": round(float(np.median(taken)), 1),
        "p95": round(float(np.quantile(taken, 0.95)), 1),
        "processor": round(float(np.median(worked)), 1),
    }


def measure(folder: Path) -> dict[str, Any]:
    """Open the session and return what was measured."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    recording = open_recording(folder)
    theme = Theme(application, "dark")  # type: ignore[arg-type]
    around = Surroundings("actor", [], list, folder, folder.parent / "settings.json")
    settings = Settings(theme="dark", workspace="review")
    window = MainWindow(Engine(EngineOptions(source="actor")), settings, theme, around)
    window.resize(1280, 800)
    window.show()
    application.processEvents()
    review = window.review

    def open_in_window() -> None:
        review.open_session(folder)
        while not review.model.is_open or review.video.result is None:
            window.tick()
            application.processEvents()
            time.sleep(0.002)

    result = {
        "rows": len(recording.tracks),
        "table_megabytes": round((folder / TABLE).stat().st_size / 1e6, 1),
        "read_table": timed(lambda: open_recording(folder), 3),
        "open_to_picture": timed(open_in_window),
        "faces": len(review.model.state.faces),
        **_interaction(application, window, review),
    }
    window.close()
    return result


def _interaction(
    application: Any, window: MainWindow, review: ReviewWorkspace
) -> dict[str, dict[str, float]]:
    model = review.model
    rng = np.random.default_rng(2)

    def scrub() -> None:
        model.move_to(float(rng.random()) * model.duration)
        window.tick()
        application.processEvents()

    def zoom() -> None:
        model.zoom(0.8 if rng.random() < 0.5 else 1.25, float(rng.random()) * model.duration)
        application.processEvents()

    def redraw() -> None:
        model.show(0.0, model.duration)
        for strip in review.timeline.strips():
            strip.renew()
        application.processEvents()

    def select() -> None:
        ends = sorted(rng.random(2) * model.duration)
        model.select(*ends)
        application.processEvents()

    measured = {
        "scrub": timed(scrub, 200),
        "zoom": timed(zoom, 60),
        "redraw_whole": timed(redraw, 30),
    }
    review.side.show_page("Interval")
    measured["select_and_count"] = timed(select, 30)
    state, face = model.state, model.face
    measured["count_whole"] = timed(lambda: summarise(state, face, 0.0, model.duration), 5)
    return measured


def main() -> int:
    """Make the session if need be, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--folder", type=Path, help="keep the session here")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "session"
        if not is_session(folder):
            make_session(folder, arguments.rows)
        figures = measure(folder)
    text = json.dumps(figures, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
