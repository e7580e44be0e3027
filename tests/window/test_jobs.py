"""Work done aside comes back, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.errors import SourceError
from app.gui.jobs import Jobs

pytestmark = pytest.mark.gui


def outcome(work: Callable[[], object]) -> list[object]:
    """Return what was heard of a job."""
    jobs, heard = Jobs(), list[object]()
    jobs.submit(work, heard.append, lambda sentence: heard.append(f"failed: {sentence}"))
    jobs.close()
    jobs.poll()
    return heard


def fail(error: Exception) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


def test_what_was_done_is_handed_over() -> None:
    assert outcome(lambda: 7) == [7]


def test_a_sentence_is_passed_on() -> None:
    assert outcome(fail(SourceError("There is none."))) == ["failed: There is none."]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), RuntimeError("x")])
def test_nobody_waits_for_what_broke(error: Exception) -> None:
    (said,) = outcome(fail(error))
    assert str(said).startswith("failed: This could not be done (")
    assert str(error) in str(said)
