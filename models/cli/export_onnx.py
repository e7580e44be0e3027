"""fer-export-onnx: make an ONNX file and its card from a checkpoint."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.cli.shell import run
from models.runtime.labels import LABEL_SETS

EXAMPLES = """examples:
  fer-export-onnx runs/mini_xception/best.ferplus.pt --labels ferplus --data fer2013.csv
  fer-export-onnx best.pt -o my_model.onnx --precision fp16

Writes FILE and FILE with .json: the model and its card. The card, the labels, the preprocessing
and the temperature are inside the file too. With --data the temperature is fitted and the accuracy
measured on PublicTest; without it the card has no figures.
"""


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.checkpoint is None:
        parser.print_help()
        return 2
    return run(lambda: _export(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-export-onnx",
        description="Export a checkpoint of fer-train to ONNX and check it against torch.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", nargs="?", type=Path, help="a .pt file of fer-train")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the .onnx to write")
    parser.add_argument(
        "--labels", choices=sorted(LABEL_SETS), help="which, for a network trained for several"
    )
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    parser.add_argument("--opset", type=int, default=18, help="ONNX operator set (default: 18)")
    parser.add_argument("--data", type=Path, help="FER2013, to calibrate and measure on")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    return parser


def _export(arguments: argparse.Namespace) -> None:
    from models.data.fer2013 import read_fer2013
    from models.export import export

    output: Path | None = arguments.output
    faces = None
    if arguments.data is not None:
        faces = read_fer2013(arguments.data, arguments.ferplus)
    done = export(
        arguments.checkpoint,
        output=output,
        label_set=arguments.labels,
        precision=arguments.precision,
        opset=arguments.opset,
        faces=faces,
    )
    assert done.card.file is not None
    print(f"wrote {done.path} ({done.card.file.bytes / 1000:,.0f} kB) and its card")
    print(f"torch and ONNX Runtime: max |difference| {done.max_delta:.2g}, same labels")
    print(f"one crop on one thread: {done.milliseconds:.2f} ms (median)")
    if not done.card.metrics:
        print("no --data given: the temperature is 1 and the card has no figures", file=sys.stderr)
    for metric in done.card.metrics:
        print(
            f"{metric.split}, {metric.crops} crop: accuracy {metric.accuracy:.2%} (n {metric.n}), "
            f"macro-F1 {metric.macro_f1:.3f}, ECE {metric.ece:.3f}, "
            f"temperature {done.card.temperature[metric.crops]:.3f}"
        )


if __name__ == "__main__":
    sys.exit(main())
