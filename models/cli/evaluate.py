"""fer-evaluate: measure models on FER2013 and FER+."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.cli.evaluate_explain import (
    PICTURES,
    check_explained,
    explain_model,
    print_explanations,
    save_note,
)
from models.cli.evaluate_table import print_tables
from models.cli.shell import run
from models.crops import TTAS, describe_crops
from models.data.face_set import SPLITS, FaceSet
from models.data.read import read_dataset
from models.evaluate import evaluate
from models.explain.faithfulness import Faithfulness
from models.image_list import read_image_list, select_listed
from models.measure import truth_for
from models.results import Comparison, Result, Setting, as_json, compare, copies_elsewhere
from models.robustness import PICTURES as PICTURES_SPOILT
from models.robustness import Robustness, choose, measure_robustness, rounds
from models.runtime.arguments import Arguments, checked_threads
from models.runtime.base_rates import HOW, BaseRates
from models.runtime.card import file_facts
from models.runtime.errors import UserError
from models.runtime.files import written_whole
from models.runtime.labels import LABEL_SETS
from models.scoring import Model, expand_names, latency, open_model, score
from models.training.parts import read_held_out

EXAMPLES = """examples:
  fer-evaluate all --data fer2013.csv --split PrivateTest --report report.html
  fer-evaluate mini_xception.ferplus mine.onnx --data fer2013.csv --tta flip --json scores.json
  fer-evaluate best.ferplus.pt --labels ferplus --data fer2013.csv --images pose_30_list.txt
  fer-evaluate all --data fer2013.csv --explain 200 --explain-save
  fer-evaluate all --data fer2013.csv --robustness --report report.html
  fer-evaluate mini_xception.ferplus --data fer2013.csv --tta flip --base-rates even
  fer-evaluate face_finder --help
  fer-evaluate landmarks68 --help

A model of FER2013 labels is measured on them, on every picture of the split; one of FER+ labels on
the FER+ majority: single votes dropped, more than half for one of eight expressions. Both can be
given in one command; models of the same labels are compared by McNemar's paired test.

crops:
  none      what the model's card says that it sees: the whole picture, or the middle of it
  flip      that and its mirror image
  ten-crop  middle and corners, 44 of 48 pixels wide (or as wide as the card says that the model
            sees, if less than 48), brought to the model's input size, each also mirrored
  Logits are averaged. The temperature is the card's: that of the mirrored pair for flip, that of
  ten crops for ten-crop if it is known, that of one crop otherwise. A checkpoint has none, and is
  measured with 1.

--base-rates even takes each expression to be as likely as any other, disgust=3 one to be three
times as likely, contempt=0 leaves one out, pictures of it included; parted by commas. Accuracy and
calibration go on being those of the pictures as they are mixed. The mean recall is the accuracy to
expect where each expression is as common as any other.

JSON: "models" holds by name accuracy, accuracy_interval (95%, Wilson), macro_f1, mean_recall,
per_class_recall, ece, nll, n, confusion, temperature, latency_ms and, as "deduplicated", the same
without the pictures that are pixel for pixel in Training too, or of PrivateTest in PublicTest (null
where that is not known).

--explain measures how faithful each of the models' explanations is, by deletion and insertion
curves against maps with their places at random; "explanations" in the JSON. --explain-save also
writes it beside each model, where the app reads which explanations are to be doubted.

--robustness shows the models pictures spoilt by light, noise, blur, loose framing and covers, each
in three steps; "robustness" in the JSON.
"""


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["face_finder"]:
        from models.cli.evaluate_finder import main as evaluate_finder

        return evaluate_finder(given[1:])
    if given[:1] == ["landmarks68"]:
        from models.cli.evaluate_landmarks import main as evaluate_landmarks

        return evaluate_landmarks(given[1:])
    arguments = _parser().parse_args(given)
    return run(lambda: _evaluate(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-evaluate",
        description="Measure models on one split of a data set and compare them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="a bundled model by name, an .onnx file, a .pt of fer-train, or all",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="fer2013.csv, icml_face_data.csv, a parquet, or the folder of another data set",
    )
    parser.add_argument(
        "--ferplus", type=Path, metavar="CSV", help="fer2013new.csv, if not beside the data"
    )
    parser.add_argument(
        "--split",
        choices=(*SPLITS, "all"),
        default="PublicTest",
        help="PublicTest: of a data set without one, what fer-train holds out; all: of one "
        "without splits (default: %(default)s)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="LIST",
        help="only the pictures of this file, a line each: 3/fer0032226.jpg (class, FER+ name)",
    )
    _add_explaining(parser)
    _add_robustness(parser)
    parser.add_argument("--base-rates", default="", metavar="RATES", help=HOW)
    parser.add_argument("--tta", choices=TTAS, default="none", help="crops (default: %(default)s)")
    parser.add_argument(
        "--labels", choices=sorted(LABEL_SETS), help="which, for a .pt trained for several"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    _add_outputs(parser)
    return parser


def _add_explaining(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--explain",
        nargs="?",
        type=int,
        const=PICTURES,
        metavar="N",
        help="measure the explanations on N pictures chosen by a seed (default N: %(const)s)",
    )
    parser.add_argument(
        "--explain-save", action="store_true", help="write that beside each model, for the app"
    )


def _add_robustness(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--robustness",
        nargs="?",
        type=int,
        const=PICTURES_SPOILT,
        metavar="N",
        help="measure the models on N spoilt pictures chosen by a seed (default N: %(const)s)",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure as JSON")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="write one HTML page")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write the diagrams as PNG")


def _evaluate(arguments: argparse.Namespace) -> None:
    _check_outputs(arguments)
    threads: int = arguments.threads or os.cpu_count() or 1
    names = expand_names(arguments.models)
    if arguments.explain is not None:
        check_explained(names)
    models = [open_model(name, label_set=arguments.labels, threads=threads) for name in names]
    setting = _setting(arguments)
    truths = {model.label_set: truth_for(setting.faces, model.label_set) for model in models}
    results = []
    for name, shown, model in zip(names, _shown(names, models), models, strict=True):
        logits = _score(model, shown, setting)
        evaluation = evaluate(
            logits,
            truths[model.label_set],
            labels=model.labels,
            temperature=model.temperature_for(setting.tta),
            copies=setting.copied,
            weights=model.rate_weights(setting.base_rates, setting.tta),
        )
        alone = open_model(name, label_set=arguments.labels, threads=1)
        results.append(
            Result(
                name=shown,
                file=model.file.name,
                sha256=model.sha256,
                label_set=model.label_set,
                rule=setting.rule_for(model.label_set),
                crops=describe_crops(setting.faces.pixels.shape[1], model.input, setting.tta),
                temperature_note=model.temperature_note(setting.tta),
                latency_ms=latency(alone),
                evaluation=evaluation,
                explanations=_explanations(arguments, name, setting, threads),
                robustness=_robustness(arguments, model, shown, setting, truths[model.label_set]),
            )
        )
    comparisons = compare(results)
    print_tables(setting, results, comparisons)
    print_explanations(results)
    if arguments.explain_save:
        for name, result in zip(names, results, strict=True):
            print(f"wrote {save_note(name, setting, result)}")
    for path in _write(arguments, setting, results, comparisons):
        print(f"wrote {path}")


def _explanations(
    arguments: argparse.Namespace, name: str, setting: Setting, threads: int
) -> tuple[Faithfulness, ...]:
    if arguments.explain is None:
        return ()
    return explain_model(name, setting, arguments.explain, threads)


def _robustness(
    arguments: argparse.Namespace,
    model: Model,
    shown: str,
    setting: Setting,
    truth: NDArray[np.int64],
) -> Robustness | None:
    if arguments.robustness is None:
        return None
    from tqdm import tqdm

    rows = choose(truth, arguments.robustness)
    pixels = setting.faces.pixels[rows]
    with tqdm(
        total=len(rows) * rounds(), desc=f"{shown}, spoilt", unit="img", leave=False, disable=None
    ) as bar:
        return measure_robustness(model, pixels, truth[rows], setting.tta, on_batch=bar.update)


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Find out before the work, not after it, what would keep the results from being written."""
    for path in (arguments.json, arguments.report):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            found = "a folder of that name" if path.is_dir() else f"no folder {path.parent}"
            raise UserError(f"expected a file to write as {path}, found {found}: choose another")
    if arguments.plots is not None and arguments.plots.exists() and not arguments.plots.is_dir():
        raise UserError(f"expected a folder for the diagrams, found a file {arguments.plots}")
    if arguments.threads is not None:
        checked_threads(arguments.threads)
    if arguments.base_rates and arguments.robustness is not None:
        raise UserError("expected --base-rates or --robustness, found both: leave one out")
    for name in ("explain", "robustness"):
        count = getattr(arguments, name)
        if count is not None and count < 1:
            raise UserError(f"expected --{name} with at least 1 picture, found {count}")
    if arguments.explain_save and arguments.explain is None:
        raise UserError("expected --explain with --explain-save, found nothing to save: add it")
    if arguments.report is not None or arguments.plots is not None:
        import matplotlib  # noqa: F401 (says at once that the training extra is missing)


def _setting(arguments: argparse.Namespace) -> Setting:
    split = arguments.split
    if split == "PublicTest":
        everything, held = read_held_out(arguments.data, arguments.ferplus)
        if held:
            print(held)
    else:
        everything = read_dataset(arguments.data, votes=arguments.ferplus).faces
    if not (everything.splits == split).any():
        raise UserError(
            f"{arguments.data}: expected {split} pictures, found none ({_splits(everything)}): "
            "use the whole data set, or choose another --split"
        )
    images = None
    faces = everything.split(split)
    if arguments.images is not None:
        listed = read_image_list(arguments.images)
        images = select_listed(everything, listed, split, arguments.images.name)
        faces = everything.select(images.rows)
    return Setting(
        data=arguments.data.resolve().name,
        data_sha256=file_facts(arguments.data).sha256 if arguments.data.is_file() else None,
        split=split,
        tta=arguments.tta,
        faces=faces,
        copies=copies_elsewhere(everything, faces, split),
        images=images,
        date=datetime.now(UTC).date().isoformat(),
        base_rates=BaseRates.parse(arguments.base_rates),
    )


def _splits(faces: FaceSet) -> str:
    counts = {split: int((faces.splits == split).sum()) for split in (*SPLITS, "all")}
    held = [f"{count:,} {split}" for split, count in counts.items() if count]
    return f"it holds {' and '.join(held)}" if held else "it is empty"


def _shown(names: list[str], models: list[Model]) -> list[str]:
    """Return the models' names, as given where two files have the same one."""
    short = [model.name for model in models]
    return [
        name if short.count(model.name) > 1 else model.name
        for name, model in zip(names, models, strict=True)
    ]


def _score(model: Model, shown: str, setting: Setting) -> NDArray[np.float32]:
    from tqdm import tqdm

    pixels = setting.faces.pixels
    with tqdm(total=len(pixels), desc=shown, unit="img", leave=False, disable=None) as bar:
        return score(model, pixels, setting.tta, bar.update)


def _write(
    arguments: argparse.Namespace,
    setting: Setting,
    results: list[Result],
    comparisons: list[Comparison],
) -> Iterator[Path]:
    """Write what was asked for; give the path of each file."""
    if arguments.json is not None:
        text = json.dumps(as_json(setting, results, comparisons), indent=2, ensure_ascii=False)
        yield _write_whole(arguments.json, (text + "\n").encode())
    if arguments.report is not None:
        from models.report import html_report

        yield _write_whole(arguments.report, html_report(setting, results, comparisons).encode())
    if arguments.plots is not None:
        from models.plots import confusion_png, reliability_png

        for result in results:
            stem = re.sub(r"[^\w.-]+", "_", result.name)
            for kind, draw in (("confusion", confusion_png), ("reliability", reliability_png)):
                png = draw(result.evaluation, f"{result.name}, {setting.split}")
                yield _write_whole(arguments.plots / f"{stem}.{kind}.png", png)


def _write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"expected to write {path}, found: {error}; make room or choose another place"
        ) from error
    return path


if __name__ == "__main__":
    sys.exit(main())
