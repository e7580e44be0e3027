"""fer-explain: a figure of why models say what they say of faces."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.finder import add_finder, asked_finder
from app.errors import SettingsError
from app.settings import FINDERS
from models.cli.shell import note, run
from models.runtime.arguments import Arguments
from models.runtime.files import written_whole

if TYPE_CHECKING:
    from PIL import Image

    from app.cli.explain_figure import Sheet
    from app.cli.explain_models import ModelColumns

EXAMPLES = """examples:
  fer-explain faces/ -o figure.pdf
  fer-explain me.jpg -o figure.png --model mini_xception.ferplus --model deep_emotion.fer2013
  fer-explain me.jpg -o figure.png --methods guided,occlusion --label happiness
  fer-explain --average fer2013.csv --split PublicTest -o average.pdf

Faces are found and aligned as in the live program; a square picture of at most 64 pixels is taken
for a face that was cut out already. Each row is a face, each column an explanation of one model.
With --average each row is an expression: the mean of the maps of the pictures that people named so
and the model too.

methods, as far as a model has them:
  cam        class activation map        cbam       spatial attention, all blocks together
  theta      what a spatial transformer lets through   warped  the picture that it hands on
  region     weights of a face's regions            spatial3   spatial attention of one block
  guided     guided backpropagation (a file of fer-export-onnx --guided beside the model)
  occlusion  what covering a place costs the label
A column that fer-evaluate --explain-save found to be no better than chance, or could not prove to
be better, says so.
"""
_GUIDED = (
    "Guided backpropagation: a light pixel speaks for the label if it gets brighter, a dark one if "
    "it gets darker; middle gray has no say."
)
_ROWS_A_PAGE = 10
_MOST_FACES = 60
_KINDS = (".png", ".pdf")
_OF_IMAGES = ("label", "whole", "all-faces", "finder", "yunet")


def main(argv: list[str] | None = None) -> int:
    """Run `fer-explain`; return the exit status."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _explain(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-explain",
        description="Draw why models say what they say of faces, as PNG or PDF.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="images or folders")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="figure.png or figure.pdf"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME|FILE",
        help="a bundled model or an .onnx file; several stand side by side (default: the app's)",
    )
    parser.add_argument("--methods", metavar="LIST", help="which columns, with commas between")
    parser.add_argument("--label", help="explain this label, not the one that each model names")
    add_finder(parser, FINDERS[0])
    parser.add_argument("--whole", action="store_true", help="the images are faces already")
    parser.add_argument("--all-faces", action="store_true", help="not only the largest of each")
    parser.add_argument(
        "--average", type=Path, metavar="DATA", help="FER2013 file or data set folder to average"
    )
    parser.add_argument("--ferplus", type=Path, metavar="CSV", help="fer2013new.csv of --average")
    parser.add_argument("--split", default="PublicTest", help="of --average (%(default)s)")
    parser.add_argument(
        "--pictures", type=int, default=50, help="of each expression of --average (%(default)s)"
    )
    return parser


def _explain(arguments: argparse.Namespace) -> None:
    _check(arguments)
    from app.cli.explain_average import average_sheet
    from app.cli.explain_figure import pages
    from app.cli.explain_models import open_models
    from models.runtime.store import DEFAULT_MODEL

    methods = None if arguments.methods is None else _listed(arguments.methods)
    models = open_models(arguments.model or [DEFAULT_MODEL], methods, note)
    if arguments.average is not None:
        sheet = average_sheet(
            models,
            arguments.average,
            votes=arguments.ferplus,
            split=arguments.split,
            pictures=arguments.pictures,
            on_notice=note,
        )
    else:
        sheet = _faces(arguments, models)
    as_pdf = arguments.output.suffix.lower() == ".pdf"
    _write(arguments.output, list(pages(sheet, _ROWS_A_PAGE if as_pdf else None)))
    print(f"wrote {arguments.output}")


def _listed(text: str) -> list[str]:
    """Return the methods that are named, each once."""
    named = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not named:
        raise SettingsError("Names of methods were expected for --methods, none was found.")
    return named


def _check(arguments: argparse.Namespace) -> None:
    output: Path = arguments.output
    if output.suffix.lower() not in _KINDS:
        raise SettingsError(f'A name that ends in .png or .pdf was expected, not "{output.name}".')
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise SettingsError(f'The folder of "{output}" does not exist; make it first.')
    if bool(arguments.images) == (arguments.average is not None):
        raise SettingsError("Images were expected, or --average with a data set; give one of both.")
    if arguments.average is not None:
        for name in _OF_IMAGES:
            if getattr(arguments, name.replace("-", "_")):
                raise SettingsError(f"--{name} goes with images, not --average: leave one out.")
    if arguments.pictures < 1:
        raise SettingsError(f"At least 1 was expected for --pictures, not {arguments.pictures}.")


def _faces(arguments: argparse.Namespace, models: list[ModelColumns]) -> Sheet:
    from app.cli.explain_faces import find_subjects
    from app.cli.explain_figure import CELL, Row, Sheet
    from app.cli.explain_paint import gray_picture

    label = arguments.label
    for model in models:
        if label is not None and label not in model.labels:
            raise SettingsError(
                f'{model.name} knows {", ".join(model.labels)}, not "{label}"; choose one of these.'
            )
    subjects = find_subjects(
        arguments.images,
        finder=asked_finder(arguments) or FINDERS[0],
        yunet_file=arguments.yunet,
        whole=arguments.whole,
        every_face=arguments.all_faces,
        on_notice=note,
    )
    if len(subjects) > _MOST_FACES:
        raise SettingsError(
            f"At most {_MOST_FACES} faces fit a figure, not {len(subjects)}; give fewer images."
        )
    rows = tuple(
        Row(
            subject.name,
            gray_picture(subject.crop(models[0].input), CELL),
            tuple(model.part(subject.crop(model.input), label) for model in models),
        )
        for subject in subjects
    )
    guided = any("guided" in model.methods for model in models)
    legend = (
        "Each map is scaled by itself: it compares places of one face, not faces.",
        *([_GUIDED] if guided else []),
        "The labels are what each model names; they say nothing of what a person feels.",
    )
    return Sheet("face", tuple(model.group() for model in models), rows, legend)


def _write(path: Path, sheets: list[Sheet]) -> None:
    """Write the pages whole or not at all."""
    from app.cli.explain_figure import DPI, draw

    images = [draw(sheet) for sheet in sheets]
    save = _save_pdf if path.suffix.lower() == ".pdf" else _save_png
    try:
        with written_whole(path) as partial:
            save(partial, images, DPI)
    except OSError as error:
        raise SettingsError(
            f'The figure cannot be written to "{path}" ({error.strerror}); choose another file.'
        ) from error


def _save_png(path: Path, images: list[Image.Image], dpi: int) -> None:
    images[0].save(path, format="PNG", dpi=(dpi, dpi))


def _save_pdf(path: Path, images: list[Image.Image], dpi: int) -> None:
    first, *others = images
    first.save(
        path,
        format="PDF",
        save_all=True,
        append_images=others,
        resolution=dpi,
        quality=95,
        title="Why these labels",
        producer="Mien",
    )


if __name__ == "__main__":
    sys.exit(main())
