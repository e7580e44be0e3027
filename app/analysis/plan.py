"""From what the user names to the jobs of a batch."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.analysis.batch import Run
from app.analysis.cluster import run_on_cluster
from app.analysis.inputs import Input, session_names
from app.analysis.job import Job
from app.analysis.parts import AnalysisOptions
from app.analysis.table import FINGERPRINT
from app.analysis.workers import run_here, run_in_processes
from app.errors import SessionError, SettingsError
from app.faces import FINDERS, make_finder
from app.sessions.folder import read_info
from app.sessions.layout import is_session
from models.runtime.store import DEFAULT_MODEL, bundled, find_model, load_model

MOST_WORKERS = 64


def plan(
    inputs: Sequence[Input], folder: Path, options: AnalysisOptions, *, resume: bool
) -> list[Job]:
    """Return one job an input; their session folders will lie in `folder`, which is made.

    resume: leave out what is in `folder` already, told by its content and by how it was analysed;
    nothing there is ever replaced. Without it a folder that holds sessions of analysed files is
    refused. Raises `UserError`.
    """
    options = _settled(options)
    # Another machine, or a process begun elsewhere, must find it, too.
    folder = folder.absolute()
    _make(folder)
    finished = _finished(folder)
    if finished and not resume:
        raise SettingsError(
            f'Expected a new folder for the results, found {len(finished)} in "{folder}"; say '
            f"--resume to keep them and add what is missing, or name another folder."
        )
    names = session_names(inputs, (entry.name for entry in folder.iterdir()))
    return [
        Job(number, source, folder, name, options, finished)
        for number, (source, name) in enumerate(zip(inputs, names, strict=True))
    ]


def runner(*, workers: int, scheduler: str | None = None, here: bool = False) -> Run:
    """Return what works jobs off. scheduler: address of Dask's, None for this machine.

    here: a single worker is this very thread, which spares the start of a process but not a crash.
    Raises `SettingsError` for a number of workers that makes no sense.
    """
    if scheduler is not None:
        return partial(run_on_cluster, address=scheduler)
    if not 1 <= workers <= MOST_WORKERS:
        raise SettingsError(f"Expected 1 to {MOST_WORKERS} workers, found {workers}.")
    return run_here if here and workers == 1 else partial(run_in_processes, workers=workers)


def _settled(options: AnalysisOptions) -> AnalysisOptions:
    """Check what can be checked before anything begins, and make its paths whole."""
    if options.every < 1:
        raise SettingsError(
            f"Expected to analyse every frame (1) or every so-many-th (2 and up), found "
            f"{options.every}."
        )
    name = options.model or DEFAULT_MODEL
    file = find_model(name)
    model = name if name in {entry.name for entry in bundled()} else str(file.absolute())
    yunet = options.yunet_file.absolute() if options.yunet_file is not None else None
    # Loaded once to see that they can be: else each input would fail with the same sentence.
    load_model(model, provider="CPU", base_rates=options.base_rates)
    if options.finder == "yunet" or options.finder not in FINDERS:
        make_finder(options.finder, yunet)  # the others need no file of the user's, and take longer
    return replace(options, model=model, yunet_file=yunet)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f'The folder "{folder}" for the results cannot be made ({error.strerror}); name '
            f"another."
        ) from error


def _finished(folder: Path) -> dict[str, Path]:
    """Return the sessions of analysed files in a folder, by fingerprint."""
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith(".") and is_session(entry):
            with contextlib.suppress(SessionError):  # not one of ours, or damaged: not ours to mend
                mark = read_info(entry).get("analysis", {}).get(FINGERPRINT)
                if isinstance(mark, str):
                    found[mark] = entry
    return found
