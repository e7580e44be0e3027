"""The views of a model's reasons: their menu, the picture and the cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.gui.snapshot import save_snapshot
from app.gui.window import MainWindow
from app.live.offers import Offer, Offers
from app.messages import FaceResult
from app.overlays import Shown
from app.settings import Settings, load_settings
from app.views import CAM, GUIDED, LOOK, OCCLUSION, REGIONS, VIEWS

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
LEFT = (200.0, 140.0, 360.0, 300.0)
CHANCE = "no better than chance"
NO = "this model has none"


def offering(*names: str, doubted: tuple[str, ...] = ()) -> Offers:
    """Return offers of exactly these views."""
    views = (
        Offer(view, "" if name in names else NO, CHANCE if name in doubted else "")
        for name, view in VIEWS.items()
    )
    return Offers(None, tuple(views))


def texts(window: MainWindow) -> list[str]:
    return [action.text() for action in window.live.views.menu.actions()]


def checked(window: MainWindow) -> list[str]:
    return [action.text() for action in window.live.views.menu.actions() if action.isChecked()]


def picture(window: MainWindow) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    window.tick(at_once=True)
    image = window.live.video.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return pixels.copy()


def with_outputs(face: FaceResult, **outputs: object) -> FaceResult:
    arrays = {name: np.asarray(values, np.float32) for name, values in outputs.items()}
    attention = {**face.prediction.attention, **arrays}
    return replace(face, prediction=replace(face.prediction, attention=attention))


def test_the_menu_says_what_a_model_offers_and_why_not_more(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.offered = offering(CAM, OCCLUSION, doubted=(CAM,))
    window = open_window()
    listed = {action.text(): action.isEnabled() for action in window.live.views.menu.actions()}
    assert listed[f"Class activation map ({CHANCE})"]
    assert listed["Occlusion sensitivity"]
    assert not listed[f"Spatial transformer: {NO}"]
    assert not listed[f"Spatial attention, all blocks: {NO}"]
    assert not any("block 3" in text for text in listed), "one line for all blocks is enough"
    assert checked(window) == ["Occlusion sensitivity"], "the one to believe"
    assert world.engine.view == OCCLUSION


def test_single_blocks_are_listed_where_there_are_some(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.offered = offering("cbam", *(f"spatial{n}" for n in range(1, 9)))
    window = open_window()
    assert "Spatial attention, block 8" in texts(window)
    assert checked(window) == ["Spatial attention, all blocks"]


def test_a_picked_view_is_shown_and_remembered(open_window: OpenWindow, world: World) -> None:
    world.engine.offered = offering(CAM, GUIDED)
    window = open_window(Settings(theme="dark", overlays=("boxes",)))
    attention = window.live.menu_actions.overlays["attention"]
    assert not attention.isChecked()
    entry = next(one for one in window.live.views.menu.actions() if one.text().startswith("Guided"))
    entry.trigger()
    assert attention.isChecked(), "who picks a view wants to see it"
    assert checked(window) == ["Guided backpropagation"]
    assert world.engine.view == GUIDED
    assert window.live.video.shown_view.view == GUIDED
    window.close()
    settings, _ = load_settings(world.settings_path)
    assert settings.attention_view == GUIDED


def test_keys_switch_attention_and_go_through_its_views(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.offered = offering(CAM, OCCLUSION, GUIDED)
    window = open_window()
    attention = window.live.menu_actions.overlays["attention"]
    assert attention.isChecked()
    QTest.keyClick(window, Qt.Key.Key_A)
    assert not attention.isChecked()
    seen = []
    for _ in range(3):
        QTest.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
        seen.append(world.engine.view)
    assert seen == [OCCLUSION, GUIDED, CAM]
    assert attention.isChecked()


def test_a_model_without_reasons_says_so(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.offered = offering()
    world.engine.result = draw.result(draw.face(1, LEFT))
    window = open_window()
    assert world.engine.view == ""
    assert "no reasons" in window.live.panel.cards[0].accessibleDescription()
    QTest.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert "shows no reasons" in window.notices.texts[0]
    assert not checked(window)


def test_another_model_keeps_the_wish_for_when_it_can_be_had(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.offered = offering(CAM, GUIDED)
    window = open_window(Settings(theme="dark", attention_view=GUIDED))
    assert world.engine.view == GUIDED
    world.engine.offered = offering(LOOK, OCCLUSION)
    window.live.refresh_status()
    assert world.engine.view == LOOK
    assert checked(window) == ["Spatial transformer"]
    world.engine.offered = offering(CAM, GUIDED)
    window.live.refresh_status()
    assert world.engine.view == GUIDED


def test_each_view_draws_something_of_its_own(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    spot = np.zeros((8, 48, 48), np.float32)
    spot[:, 5:15, 5:15] = 1
    face = with_outputs(
        draw.face(1, LEFT),
        guided=spot,
        theta=[[0.5, 0, 0], [0, 0.5, 0]],
        warped=np.zeros((1, 48, 48)),
        region=[0.7, 0.3],
        square=[[0, 0, 1, 1], [0, 0, 0.5, 0.5]],
        spatial1=np.linspace(0.2, 0.8, 144).reshape(1, 12, 12),
    )
    world.engine.result = draw.result(face)
    names = (CAM, GUIDED, LOOK, REGIONS, "spatial1")
    world.engine.offered = offering(*names)
    window = open_window(Settings(theme="dark", overlays=("attention",), attention_view=CAM))
    pictures = {}
    for name in names:
        window.live.views.pick(name)
        pictures[name] = picture(window)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            assert not np.array_equal(pictures[first], pictures[second]), (first, second)
    window.live.menu_actions.overlays["attention"].setChecked(False)
    bare = picture(window)
    assert not any(np.array_equal(bare, shown) for shown in pictures.values())


def test_a_card_tells_its_view_and_whether_to_believe_it(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.offered = offering(CAM, GUIDED, doubted=(CAM,))
    world.engine.result = draw.result(draw.face(1, LEFT), draw.face(2, (400, 100, 500, 200)))
    window = open_window(Settings(theme="light", attention_view=CAM))
    first, second = window.live.panel.cards
    for card in (first, second):
        assert card.accessibleDescription() == f"Class activation map, {CHANCE}"
    before = first.grab().toImage()
    window.live.views.pick(GUIDED)
    window.tick(at_once=True)
    window.live.panel.advance(1)
    assert first.accessibleDescription() == "Guided backpropagation"
    assert first.grab().toImage() != before


def test_sides_on_a_card_are_those_of_the_mirrored_picture(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.offered = offering(REGIONS)
    regions = {"region": [0.8, 0.2], "square": [[0, 0, 1, 1], [0, 0, 0.7, 0.7]]}
    world.engine.result = draw.result(with_outputs(draw.face(1, LEFT), **regions))
    window = open_window(Settings(theme="light", attention_view=REGIONS, mirror=False))
    (card,) = window.live.panel.cards
    window.live.panel.advance(1)
    straight = card.grab().toImage()
    window.live.menu_actions.mirror.setChecked(True)
    window.live.panel.advance(1)
    assert card.grab().toImage() != straight, "top right, no longer top left"
    window.live.menu_actions.mirror.setChecked(False)
    window.live.panel.advance(1)
    assert card.grab().toImage() == straight


def test_a_snapshot_shows_the_same_view(draw: Artist, tmp_path: Path) -> None:
    face = with_outputs(
        draw.face(1, LEFT), theta=[[0.5, 0, 0], [0, 0.5, 0]], warped=np.zeros((1, 48, 48))
    )
    saved = {}
    for name in (CAM, LOOK):
        path = save_snapshot(
            draw.result(face),
            ("attention",),
            mirrored=False,
            path=tmp_path / f"{name}.png",
            shown=Shown(name),
        )
        saved[name] = path.read_bytes()
    assert saved[CAM] != saved[LOOK]


def test_with_attention_off_the_card_shows_no_map_and_none_is_made(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.offered = offering(GUIDED)
    window = open_window()
    world.engine.result = draw.result(draw.face(1, LEFT))
    window.tick(at_once=True)
    (card,) = window.live.panel.cards
    high, toggle = card.height(), window.live.menu_actions.overlays["attention"]
    assert world.engine.view == GUIDED
    assert "Guided" in card.accessibleDescription()
    toggle.trigger()
    assert world.engine.view == ""
    assert card.accessibleDescription().startswith("Attention is off")
    assert card.height() == high
    toggle.trigger()
    assert world.engine.view == GUIDED
    assert "Guided" in card.accessibleDescription()


def test_behind_another_workspace_no_map_is_made_but_for_a_recording(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.engine.offered = offering(GUIDED)
    window = open_window()
    assert world.engine.view == GUIDED
    window.show_workspace("review")
    window.live.refresh_status()
    assert world.engine.view == ""
    monkeypatch.setattr(window.live.recording, "active", lambda: True)
    window.live.refresh_status()
    assert world.engine.view == GUIDED, "it may be drawn into its video"
    monkeypatch.undo()
    window.show_workspace("live")
    assert world.engine.view == GUIDED
