"""fer-benchmark: what it says, not how fast this machine is."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.cli import measure
from app.cli.benchmark import main
from app.cli.measure import as_table, run_frames, summarise
from app.errors import SourceError
from app.messages import Frame, FrameResult, StageTimings
from app.sources.base import FrameSource
from models.runtime.prediction import Classifier

STAGES = ["capture", "find", "landmarks", "align", "classify", "overlay", "total"]


class GraySource(FrameSource):
    name = "gray"
    live = False
    fps = None

    def __init__(self, count: int) -> None:
        self._count = count
        self._index = 0

    def read(self) -> Frame | None:
        if self._index == self._count:
            return None
        self._index += 1
        image = np.full((60, 80, 3), 90, np.uint8)
        return Frame(image, self._index - 1, time.monotonic(), self._index / 30)

    def close(self) -> None:
        pass


class IdlePipeline:
    def __init__(self) -> None:
        self.indices: list[int] = []

    def process(self, frame: Frame) -> FrameResult:
        self.indices.append(frame.index)
        return FrameResult(frame, timings=StageTimings(find=1.5, total=1.5))

    def reset(self) -> None: ...
    def set_finder(self, finder: object) -> None: ...
    def set_landmarker(self, landmarker: object) -> None: ...
    def set_classifier(self, classifier: Classifier) -> None: ...
    def set_second(self, *_: object) -> None: ...
    def calibrate(self, track_id: int) -> None: ...
    def forget_baseline(self, track_id: int) -> None: ...


def test_the_warm_up_is_run_and_not_counted() -> None:
    pipeline = IdlePipeline()
    run = run_frames(GraySource(1000), pipeline, 7)
    assert pipeline.indices == list(range(measure.WARM_UP + 7))
    assert len(run.timings) == len(run.faces) == 7
    assert (run.width, run.height) == (80, 60)


def test_capture_and_overlay_are_added_to_the_stages_of_the_pipeline() -> None:
    for timing in run_frames(GraySource(100), IdlePipeline(), 5).timings:
        assert timing.find == 1.5
        assert timing.capture > 0
        assert timing.overlay > 0
        # The total is that of the clock; the pipeline here only claims to have worked.
        assert timing.total >= timing.capture + timing.overlay


def test_a_source_that_ends_is_measured_as_far_as_it_goes() -> None:
    run = run_frames(GraySource(measure.WARM_UP + 2), IdlePipeline(), 100)
    assert len(run.timings) == 2


def test_a_source_that_ends_within_the_warm_up_is_refused() -> None:
    with pytest.raises(SourceError, match="gray has fewer than"):
        run_frames(GraySource(measure.WARM_UP), IdlePipeline(), 100)


def test_figures_of_known_times() -> None:
    timings = [StageTimings(find=20.0, overlay=1.0, total=25.0)]
    timings += [StageTimings(overlay=1.0, total=5.0)] * 4
    figures = summarise(timings)
    assert list(figures["stages"]) == STAGES
    find = figures["stages"]["find"]
    assert (find["median"], find["mean"], find["ran"]) == (0.0, 4.0, 0.2)
    assert find["median_when_ran"] == 20.0
    assert figures["stages"]["total"]["median"] == 5.0
    assert figures["stages"]["total"]["p95"] == pytest.approx(21.0)
    assert figures["without_overlay"]["median"] == 4.0
    assert figures["fps"] == pytest.approx(1000 / 9, abs=0.1)
    assert figures["fps_without_overlay"] == pytest.approx(1000 / 8)


def test_the_actor_is_measured_into_a_table_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert main(["--frames", "5", "--launches", "0", "--json", str(file)]) == 0
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
    assert (figures["source"], figures["width"], figures["height"]) == ("actor", 640, 480)
    assert (figures["frames"], figures["faces_per_frame"]) == (5, 1.0)
    assert list(figures["stages"]) == STAGES
    assert all(figures["stages"][name]["mean"] > 0 for name in ("capture", "classify", "overlay"))
    assert figures["launch_s"] == []
    assert figures["memory_mb"] > 20
    assert {"cpu", "cores", "system"} <= set(figures["machine"])
    assert {"python", "numpy", "onnxruntime"} <= set(figures["versions"])
    table = as_table(figures)
    assert table in capsys.readouterr().out
    rows = [line.split()[0] for line in table.splitlines() if line]
    assert [row for row in rows if row in STAGES] == STAGES


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--frames", "0"], "--frames"),
        (["--launches", "-1"], "--launches"),
        (["--source", "nowhere.mp4"], "nowhere.mp4"),
        (["--source", "camera:0"], "its own time"),
        (["--model", "nothing"], "nothing"),
        (["--json", "no/such/folder/x.json"], "folder"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments]) == 2
    found = capsys.readouterr()
    assert found.err.startswith("error: ")
    assert found.err.count("\n") == 1
    assert words in found.err


def test_a_launch_counts_until_the_first_face() -> None:
    def printing(*lines: str) -> list[str]:
        return [sys.executable, "-c", f"print({chr(10).join(lines)!r})"]

    assert measure._time_launch(printing('{"faces": []}', '{"faces": [1]}')) is not None
    assert measure._time_launch(printing('{"faces": []}')) is None
