"""fer-study: look at a study's protocol, and make one table of what it recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.study.protocol import read_protocol
from app.study.runner import order_of
from app.study.words import words_of
from app.words import amount
from models.cli.shell import run
from models.runtime.arguments import Arguments
from models.runtime.files import checked_place

EXAMPLES = """examples:
  fer-study check smiles.toml --participant P07       what P07 would be shown, in which order
  fer-study table ~/Documents/Mien -o smiles.csv      all recorded studies below a folder

A study is run in the window (File > Run a study…). docs/studies.md says what a protocol is made of
and what the columns of the table mean.
"""


def main(argv: list[str] | None = None) -> int:
    """Run `fer-study`; return the exit status."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _check(arguments) if arguments.do == "check" else _table(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-study",
        description="Check the protocol of a study, or put what studies recorded into one table.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="do", required=True, metavar="check|table")
    check = commands.add_parser("check", help="read a protocol and every file that it names")
    check.add_argument("protocol", type=Path, metavar="FILE", help="TOML file of a study")
    check.add_argument("--participant", metavar="CODE", help="show the order for this participant")
    table = commands.add_parser("table", help="one row for each participant, stimulus and label")
    table.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="of recordings")
    table.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="CSV file")
    return parser


def _check(arguments: argparse.Namespace) -> None:
    protocol = read_protocol(arguments.protocol)
    print(f"{protocol.title}: {words_of(protocol)}")
    if arguments.participant:
        for number, show in enumerate(order_of(protocol, arguments.participant), 1):
            what = show.name or "a text"
            condition = f", {show.condition}" if show.condition else ""
            print(f"{number:4}  {show.kind:8}{what}{condition}")


def _table(arguments: argparse.Namespace) -> int:
    from app.study.table import study_folders, write_study  # brings pyarrow

    output = checked_place(arguments.output, ".csv")
    folders = study_folders(arguments.folders)
    rows, failed, warnings = write_study(folders, output)
    for kind, sentences in (("error", failed), ("mind", warnings)):
        for sentence in sentences:
            print(f"{kind}: {sentence}", file=sys.stderr)
    print(f"{amount(len(folders) - len(failed), 'session')}, {amount(rows, 'row')}: {output}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
