"""Every bundled file made anew from its checkpoint, and what smaller numbers lose."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import bundle, guided_export
from models import export as exporting
from models.bundle import Source, bundled_sources, rebuild
from models.card_file import embed_card
from models.card_making import dated
from models.cli.export_onnx import main
from models.data.face_set import FaceSet
from models.explain.guided import GuidedBackprop
from models.precision import PRECISIONS
from models.runtime.card import file_facts, read_card
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.store import bundled

pytestmark = pytest.mark.train

HERE = Source("drawn.ferplus", "drawn/last.pt", "ferplus", begun_from="a drawing")
GONE = Source("gone.fer2013", "gone/last.pt", "fer2013")


@pytest.fixture
def checkpoints(trained: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoints"
    (folder / "drawn").mkdir(parents=True)
    shutil.copy(trained / "last.pt", folder / "drawn" / "last.pt")
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


def test_every_bundled_file_says_what_it_is_made_of() -> None:
    sources = {source.name: source for source in bundled_sources()}
    for entry in bundled():
        source = sources[entry.name]
        assert (source.labels, source.precision) == (entry.card.label_set, entry.card.precision)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\ncheckpoint = "a.pt"\nlabel = "fer2013"', r"a: .*'label'.*: correct the keys"),
        ('[a]\ncheckpoint = "a.pt"', r"a: .*'labels': correct the keys"),
        ('[a]\ncheckpoint = "a.pt"\nlabels = "fer7"', "found fer7 and fp32"),
        ('[a]\ncheckpoint = "a.pt"\nlabels = "fer2013"\nprecision = "fp8"', "2013 and fp8"),
    ],
)
def test_a_fault_in_the_list_is_named(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        bundled_sources(text)


@pytest.mark.usefixtures("traced_anew")
def test_the_command_makes_all_and_a_file_made_again_is_the_same_to_the_last_byte(
    checkpoints: Path,
    output: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = checkpoints / HERE.checkpoint
    values = torch.load(path, weights_only=True)
    values["begun_from"] = "something that it did not begin with"
    torch.save(values, path)
    monkeypatch.setattr(bundle, "bundled_sources", lambda: [HERE, GONE])
    arguments = ["--all", str(checkpoints), "--data", str(data), "-o", str(output)]
    assert main([*arguments, "--guided"]) == 1
    told = capsys.readouterr().out
    assert "drawn.ferplus: new" in told
    assert "guided backpropagation" in told
    assert "gone.fer2013: left as it is: no gone/last.pt" in told
    file = output / "drawn.ferplus.onnx"
    names = {path.name for path in output.iterdir()}
    assert names == {f"drawn.ferplus.{end}" for end in ("onnx", "json", "guided.onnx")}
    card = read_card(file.with_suffix(".json"))
    assert (card.name, card.training["begun_from"]) == ("drawn.ferplus", "a drawing")

    # The day on which the figures were first measured stays, as long as they do.
    old = replace(card, metrics=tuple(replace(each, date="2020-02-02") for each in card.metrics))
    embed_card(file, old.without_file())
    beside = replace(old, file=file_facts(file))
    file.with_suffix(".json").write_text(beside.to_json(), encoding="utf-8")
    before = file.read_bytes()
    assert main(arguments) == 1
    assert "drawn.ferplus: the same file" in capsys.readouterr().out
    assert file.read_bytes() == before
    # The graph that lay there is of the file made anew, whose hash it knows.
    GuidedBackprop(OnnxClassifier(file, provider="CPU"))

    worse = replace(old, metrics=(replace(old.metrics[0], accuracy=0.1), *old.metrics[1:]))
    dates = [metric.date for metric in dated(card, worse).metrics]
    assert dates == [card.metrics[0].date, "2020-02-02"]


def test_a_model_whose_graph_differs_from_torch_is_left_as_it_is(
    checkpoints: Path, output: Path, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(guided_export.TOLERANCE, "fp32", -1.0)
    (built,) = rebuild(checkpoints, faces, output, [HERE], guided=True)
    assert built.exported is None
    assert built.outcome.startswith("left as it is: expected torch and the backward graph to agree")
    assert not list(output.iterdir())


def test_no_checkpoint_at_all_is_a_sentence(tmp_path: Path, faces: FaceSet) -> None:
    with pytest.raises(UserError, match=r"such as .*drawn/last\.pt, found none"):
        list(rebuild(tmp_path, faces, tmp_path, [HERE]))


def test_what_each_precision_loses_is_a_table_and_a_refused_one_says_why(
    trained: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(exporting.TOLERANCE, "int8", -1.0)
    monkeypatch.chdir(trained)
    before = sorted(trained.iterdir())
    assert main(["last.pt", "--labels", "ferplus", "--data", str(data), "--compare"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows[2:5]] == list(PRECISIONS)
    assert rows[2][4] == rows[2][6] == "+0.00"
    one, loss = (float(rows[3][place].strip("%")) for place in (3, 4))
    assert one == pytest.approx(float(rows[2][3].strip("%")) - loss, abs=0.011)
    assert rows[4][2:] == ["-"] * 7
    assert " ".join(rows[5]).endswith("nothing was written")
    assert sorted(trained.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--all", "folder"], "expected --data with pictures to measure on"),
        (["best.pt", "--compare"], "expected --data with pictures to measure on"),
        (["--all", "folder", "-o", "nowhere"], "expected a folder to write to, found none"),
    ],
)
def test_what_the_command_needs_is_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_checkpoint_and_all_are_not_given_together(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["best.pt", "--all", "folder"])
    assert ended.value.code == 2
    assert "expected either a checkpoint or --all FOLDER, found both" in capsys.readouterr().err
