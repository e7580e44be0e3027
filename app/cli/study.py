"""fer-study: look at a study's protocol, and put together what it recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import SessionError
from app.study.protocol import read_protocol
from app.study.runner import order_of
from app.study.words import silence_words, words_of
from app.words import amount
from models.cli.shell import run
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.files import checked_place

# It brings pyarrow, which looking at a protocol can do without.
if TYPE_CHECKING:
    from app.study.session import StudySession

EXAMPLES = """examples:
  fer-study check smiles.toml --participant P07       what P07 would be shown, in which order
  fer-study table ~/Documents/Mien -o smiles.csv      all recorded studies below a folder
  fer-study table ~/Documents/Mien --bin 1 -o course.csv     the same, second by second
  fer-study report ~/Documents/Mien -o smiles.html    what their faces showed, on one page

A study is run in the window (File > Run a study…). docs/studies.md says what a protocol is made of
and what the columns of the table mean.

exit status: 0 all is done; 1 some sessions could not be read; 2 nothing could be done.
"""


def main(argv: list[str] | None = None) -> int:
    """Run `fer-study`; return the exit status."""
    arguments = _parser().parse_args(argv)
    do = {"check": _check, "table": _table, "report": _report}[arguments.do]
    return run(lambda: do(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-study",
        description="Check the protocol of a study, or put together what studies recorded.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="do", required=True, metavar="check|table|report")
    check = commands.add_parser("check", help="read a protocol and every file that it names")
    check.add_argument("protocol", type=Path, metavar="FILE", help="TOML file of a study")
    check.add_argument("--participant", metavar="CODE", help="show the order for this participant")
    for name, words, kind in (
        ("table", "one row for each participant, stimulus and label", "CSV"),
        ("report", "means over participants, on one page", "HTML"),
    ):
        made = commands.add_parser(name, help=words)
        made.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="of recordings")
        made.add_argument("--study", metavar="TITLE", help="only sessions of this study")
        if name == "table":
            made.add_argument(
                "--bin",
                type=float,
                metavar="SECONDS",
                help="cut each stimulus into bins of so many seconds, each with rows of its own",
            )
        made.add_argument(
            "-o", "--output", type=Path, required=True, metavar="FILE", help=f"{kind} file"
        )
    return parser


def _check(arguments: argparse.Namespace) -> int:
    protocol = read_protocol(arguments.protocol)
    print(f"{protocol.title}: {words_of(protocol)}")
    if silence := silence_words(protocol):
        print(f"mind: {silence}", file=sys.stderr)
    if arguments.participant:
        for number, show in enumerate(order_of(protocol, arguments.participant), 1):
            what = show.name or "a text"
            condition = f", {show.condition}" if show.condition else ""
            print(f"{number:4}  {show.kind:8}{what}{condition}")
    return 0


def _table(arguments: argparse.Namespace) -> int:
    from app.study.table import check_bin, write_table

    bin_seconds = check_bin(arguments.bin)
    output = checked_place(arguments.output, ".csv")
    sessions, failed = _sessions(arguments)
    _mind(sessions)
    rows = write_table(sessions, output, bin_seconds)
    print(f"{amount(len(sessions), 'session')}, {amount(rows, 'row')}: {output}")
    return 1 if failed else 0


def _report(arguments: argparse.Namespace) -> int:
    from app.review.page import write_page
    from app.study.report import study_report

    output = checked_place(arguments.output, ".html")
    sessions, failed = _sessions(arguments)
    page = study_report(sessions, _mind(sessions))
    write_page(page, output)
    print(f"{amount(len(sessions), 'session')}: {output}")
    return 1 if failed else 0


def _sessions(arguments: argparse.Namespace) -> tuple[list[StudySession], int]:
    """Return the sessions asked for, and how many could not be read, each of which is said."""
    from app.study.session import open_study, study_folders

    sessions: list[StudySession] = []
    failed: list[str] = []
    for folder in study_folders(arguments.folders):
        try:
            sessions.append(open_study(folder))
        except UserError as error:
            failed.append(str(error))
    if arguments.study is not None:
        titles = dict.fromkeys(session.title for session in sessions)
        sessions = [session for session in sessions if session.title == arguments.study]
        if not sessions and titles:
            raise SessionError(
                f"expected sessions of {arguments.study!r}, found those of {', '.join(titles)}."
            )
    if not sessions:
        raise SessionError(failed[0])
    for sentence in failed:
        print(f"error: {sentence}", file=sys.stderr)
    return sessions, len(failed)


def _mind(sessions: list[StudySession]) -> list[str]:
    """Say and return what to mind: faces that may be somebody else, participants seen twice."""
    said = [session.warning for session in sessions if session.warning]
    several: dict[tuple[str, str], list[str]] = {}
    for session in sessions:
        several.setdefault((session.title, session.participant), []).append(session.folder.name)
    said += [
        f"{participant} has {len(names)} sessions of {title}: {', '.join(names)}"
        for (title, participant), names in several.items()
        if len(names) > 1
    ]
    for sentence in said:
        print(f"mind: {sentence}", file=sys.stderr)
    return said


if __name__ == "__main__":
    sys.exit(main())
