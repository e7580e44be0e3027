"""A session that is opened while it is shown: no edit is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot

from app.review.edits import EditList, PutMarker, read_edits

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui


def _open_again(desk: Desk, session: Path, qtbot: QtBot) -> None:
    before = desk.model.recording
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.recording is not before)


def _keys(edits: EditList) -> list[str]:
    return [edit.key for edit in edits.done if isinstance(edit, PutMarker)]


def test_a_session_opened_once_more_keeps_what_is_done_meanwhile(
    opened: Desk, session: Path, qtbot: QtBot
) -> None:
    first = opened.model.recording
    opened.model.put_marker("1")
    opened.review.open_session(session.parent / "." / "session")
    opened.host.jobs.close()  # it has been read and waits to be shown
    opened.model.put_marker("2")
    opened.wait(qtbot, lambda: opened.model.recording is not first)
    opened.model.put_marker("3")
    assert _keys(opened.model.edits) == _keys(read_edits(session)) == ["1", "2", "3"]
    assert len(opened.model.state.markers) == 6
    opened.model.undo()
    assert _keys(read_edits(session)) == ["1", "2"]


def test_edits_that_were_not_saved_go_on_when_their_session_is_opened_once_more(
    opened: Desk, session: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.dialogs.confirm", lambda *_: pytest.fail("nothing gets lost"))
    obstacle = session / "edits.json.partial"
    obstacle.mkdir()
    opened.model.put_marker("1")
    _open_again(opened, session, qtbot)
    assert opened.review.unfinished
    assert _keys(opened.model.edits) == ["1"]
    obstacle.rmdir()
    _open_again(opened, session, qtbot)
    assert not opened.review.unfinished
    assert _keys(opened.model.edits) == _keys(read_edits(session)) == ["1"]
    opened.model.put_marker("2")
    assert _keys(opened.model.edits) == _keys(read_edits(session)) == ["1", "2"]
