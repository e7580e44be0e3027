"""fer-export-onnx: make an ONNX file and its card from a checkpoint."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.cli.shell import note, run
from models.explain.guided import guided_file
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS

if TYPE_CHECKING:
    from models.bundle import Loss
    from models.data.face_set import FaceSet
    from models.export import Exported

EXAMPLES = """examples:
  fer-export-onnx runs/mini_xception/best.ferplus.pt --labels ferplus --data fer2013.csv
  fer-export-onnx best.pt -o my_model.onnx --precision fp16
  fer-export-onnx best.pt --compare --data fer2013.csv
  fer-export-onnx --all checkpoints --data fer2013.csv
  fer-export-onnx mini_xception.ferplus.onnx --guided

Writes FILE and FILE with .json: the model and its card. The card, the labels, the preprocessing
and the temperature are inside the file too. With --data the temperature is fitted and the accuracy
measured on PublicTest, or on the part of another data set that fer-train chose on; without it the
card has no figures.

--all makes every bundled file anew, as models/bundled.toml lists them, into the weights folder or
into the folder given with -o, with the backward pass too where one lies there. --compare writes
nothing, and says what fp16 and int8 lose on PublicTest, for one checkpoint or for all.

--guided also writes FILE with .guided.onnx, the backward pass of guided backpropagation, which the
app shows live. It takes its weights from FILE and is small. Of an .onnx given in place of a
checkpoint only this is written. Without --guided an older one beside FILE is taken away, since it
was another model's.
"""


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.checkpoint is None and arguments.all is None:
        parser.print_help()
        return 2
    if arguments.checkpoint is not None and arguments.all is not None:
        parser.error("expected either a checkpoint or --all FOLDER, found both")
    if arguments.compare:
        return run(lambda: _compare(arguments))
    if arguments.all is not None:
        return run(lambda: _export_all(arguments))
    return run(lambda: _export(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-export-onnx",
        description="Export a checkpoint of fer-train to ONNX and check it against torch.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", nargs="?", type=Path, help="a .pt file of fer-train")
    parser.add_argument(
        "--all",
        type=Path,
        metavar="FOLDER",
        help="every bundled classifier, from checkpoints in FOLDER",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the .onnx to write (ARCHITECTURE.LABELS.onnx, here); with --all a folder",
    )
    parser.add_argument(
        "--labels", choices=sorted(LABEL_SETS), help="which, for a network trained for several"
    )
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    parser.add_argument(
        "--compare", action="store_true", help="write nothing; show what fp16 and int8 lose"
    )
    parser.add_argument(
        "--guided", action="store_true", help="also write the graph of guided backpropagation"
    )
    parser.add_argument(
        "--ten-crop", action="store_true", help="measure with ten crops too, for the card"
    )
    parser.add_argument("--opset", type=int, default=18, help="ONNX operator set (default: 18)")
    parser.add_argument(
        "--data", type=Path, help="FER2013 or another data set, to calibrate and measure on"
    )
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    return parser


def _export(arguments: argparse.Namespace) -> None:
    if arguments.guided and arguments.checkpoint.suffix == ".onnx":
        _refuse(
            arguments,
            ("output", "labels", "precision", "ten_crop", "opset", "data", "ferplus"),
            "an .onnx, beside which only the backward pass is written",
        )
        _guide(arguments.checkpoint)
        return
    from models.export import export
    from models.training.checkpoint import load_checkpoint

    task = load_checkpoint(arguments.checkpoint)["recipe"].get("task")
    if task is not None:
        unused = ("labels", "precision", "guided", "ten_crop", "opset", "ferplus")
        _refuse(arguments, unused, f"a checkpoint of {task}")
    if task == "face_finder":
        _export_finder(arguments)
        return
    if task == "landmarks68":
        _export_landmarks(arguments)
        return
    if arguments.data is None:
        _refuse(arguments, ("ferplus", "ten_crop"), "an export without --data")
    output: Path | None = arguments.output
    done = export(
        arguments.checkpoint,
        output=output,
        label_set=arguments.labels,
        precision=arguments.precision,
        opset=arguments.opset,
        faces=None if arguments.data is None else _faces(arguments),
        ten_crop=arguments.ten_crop,
        guided=arguments.guided,
    )
    _tell(done)
    _tell_guided(guided_file(done.path))
    if not done.card.metrics:
        print("no --data given: the temperature is 1 and the card has no figures", file=sys.stderr)


def _refuse(arguments: argparse.Namespace, unused: tuple[str, ...], found: str) -> None:
    """Raise `UserError` for options that would be ignored."""
    usual = vars(_parser().parse_args([]))
    given = [name for name in unused if getattr(arguments, name) != usual[name]]
    if given:
        words = " or ".join("--" + name.replace("_", "-") for name in given)
        raise UserError(f"expected no {words} with {found}: leave it out")


def _export_finder(arguments: argparse.Namespace) -> None:
    from models.finder_export import export_finder

    done = export_finder(arguments.checkpoint, output=arguments.output, data=arguments.data)
    assert done.card.file is not None
    print(f"wrote {done.path} ({done.card.file.bytes / 1000:,.0f} kB) and its card")
    print(f"torch and OpenCV: max |difference| {done.max_delta:.2g}")
    print(f"640x480 on one thread: {done.milliseconds:.1f} ms (median)")
    if not done.card.metrics:
        print("no --data given: the settings are guesses, the card has no figures", file=sys.stderr)
    for metric in done.card.metrics:
        print(
            f"{metric['set']}: recall {metric['recall']:.1%} of {metric['faces']:,} faces, "
            f"{metric['false_alarms_per_100']:.1f} false alarms a hundred pictures"
        )


def _export_landmarks(arguments: argparse.Namespace) -> None:
    from models.landmarks_export import export_landmarks

    done = export_landmarks(arguments.checkpoint, output=arguments.output, data=arguments.data)
    assert done.card.file is not None
    print(f"wrote {done.path} ({done.card.file.bytes / 1000:,.0f} kB) and its card")
    print(f"torch and ONNX Runtime: max |difference| {done.max_delta:.2g} of the crop's side")
    print(f"one face on one thread: {done.milliseconds:.2f} ms (median)")
    if not done.card.metrics:
        print("no --data given: the card has no figures", file=sys.stderr)
    for metric in done.card.metrics:
        print(", ".join(f"{name} {value}" for name, value in metric.items()))


def _export_all(arguments: argparse.Namespace) -> int:
    """Return 1 where a bundled file was left as it is."""
    from models.bundle import WEIGHTS, rebuild

    _refuse(arguments, ("labels", "precision", "ten_crop", "opset"), "--all, which has its own")
    output: Path = arguments.output or WEIGHTS
    if not output.is_dir():
        raise UserError(f"expected a folder to write to, found none at {output}: make it")
    left = 0
    for built in rebuild(arguments.all, _faces(arguments), output, guided=arguments.guided):
        print(f"{built.source.name}: {built.outcome}")
        if built.exported is None:
            left += 1
        else:
            _tell(built.exported)
            _tell_guided(guided_file(built.exported.path))
    return 1 if left else 0


def _compare(arguments: argparse.Namespace) -> None:
    from models.bundle import bundled_sources, compare_precisions
    from models.cli.evaluate_table import print_table

    own = ("output", "precision", "guided", "ten_crop", "opset")
    _refuse(arguments, own, "--compare, which writes nothing and tries every precision")
    if arguments.all is not None:
        _refuse(arguments, ("labels",), "--all, which has its own")
    faces = _faces(arguments)
    wanted = [(arguments.checkpoint, arguments.labels)]
    if arguments.all is not None:
        wanted = [(arguments.all / each.checkpoint, each.labels) for each in bundled_sources()]
    losses: list[Loss] = []
    for checkpoint, labels in wanted:
        if arguments.all is not None and not checkpoint.is_file():
            print(f"left out: no {checkpoint}", file=sys.stderr)
            continue
        name = f"{checkpoint.parent.name}/{checkpoint.name}"
        losses += compare_precisions(checkpoint, name, labels, faces)
    if not losses:
        raise UserError(f"expected checkpoints below {arguments.all}, found none of those bundled")
    header = ["model", "precision", "kB", "one crop", "loss", "mirror", "loss", "difference", "ms"]
    print_table(header, _rows(losses))
    for loss in losses:
        if loss.exported is None:
            print(f"{loss.name} {loss.precision}: {loss.reason}")


def _rows(losses: list[Loss]) -> list[list[str]]:
    rows = []
    best: dict[str, float] = {}
    for loss in losses:
        row = [loss.name, loss.precision]
        if loss.exported is None:
            rows.append(row + ["-"] * 7)
            continue
        card = loss.exported.card
        assert card.file is not None
        row.append(f"{card.file.bytes / 1000:,.0f}")
        for crops in ("one", "mirror"):
            metric = card.metric(crops)
            assert metric is not None
            if loss.precision == "fp32":
                best[crops] = metric.accuracy
            row += [f"{metric.accuracy:.2%}", f"{100 * (best[crops] - metric.accuracy):+.2f}"]
        rows.append([*row, f"{loss.exported.max_delta:.2g}", f"{loss.exported.milliseconds:.2f}"])
    return rows


def _faces(arguments: argparse.Namespace) -> FaceSet:
    from models.training.fingerprint import told_of_others
    from models.training.parts import read_held_out

    if arguments.data is None:
        raise UserError("expected --data with pictures to measure on, found none")
    faces, held = read_held_out(arguments.data, arguments.ferplus)
    if held:
        print(held)
        others = told_of_others(arguments.checkpoint, faces) if arguments.checkpoint else ""
        if others:
            note(others)
    return faces


def _guide(model: Path) -> None:
    from models.explain.backward import write_guided

    _tell_guided(write_guided(model))


def _tell_guided(file: Path) -> None:
    if file.is_file():
        print(f"wrote {file} ({file.stat().st_size / 1000:,.0f} kB), guided backpropagation")


def _tell(done: Exported) -> None:
    assert done.card.file is not None
    print(f"wrote {done.path} ({done.card.file.bytes / 1000:,.0f} kB) and its card")
    labels = "the same" if done.same_labels else "not all the same"
    print(f"torch and ONNX Runtime: max |difference| {done.max_delta:.2g}, {labels} labels")
    print(f"one crop on one thread: {done.milliseconds:.2f} ms (median)")
    for metric in done.card.metrics:
        print(
            f"{metric.split}, {metric.crops} crop: accuracy {metric.accuracy:.2%} (n {metric.n}), "
            f"macro-F1 {metric.macro_f1:.3f}, ECE {metric.ece:.3f}, "
            f"temperature {done.card.temperature[metric.crops]:.3f}"
        )
    for each in done.notes:
        note(each)


if __name__ == "__main__":
    sys.exit(main())
