"""When triggers fire, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.live.triggers import Fired, Triggers, parse_trigger
from app.messages import Box, Face, FaceResult, Frame, FrameResult
from models.runtime.errors import UserError
from models.runtime.prediction import Prediction

LABELS = ("neutral", "happiness", "anger")
PASSWORD = "http://me:s3cret@192.0.2.7/call"


def face(
    label: str = "happiness",
    confidence: float = 0.9,
    *,
    track: int = 1,
    unsure: bool = False,
    corrected: Sequence[float] | None = None,
    labels: tuple[str, ...] = LABELS,
) -> FaceResult:
    rest = (1 - confidence) / (len(labels) - 1)
    values = np.full(len(labels), rest, np.float32)
    values[labels.index(label)] = confidence
    return FaceResult(
        face=Face(Box(0, 0, 64, 64), 3.0, track_id=track),
        prediction=Prediction(values, labels),
        probabilities=values,
        label=label,
        confidence=confidence,
        crop=np.zeros((48, 48), np.uint8),
        crop_to_frame=np.eye(2, 3),
        unsure=unsure,
        corrected=None if corrected is None else np.array(corrected, np.float32),
    )


SMILE, FROWN = face(), face("anger")


class Reel:
    """Show frames to triggers and note when which of them fires."""

    def __init__(self, *texts: str) -> None:
        self.triggers = Triggers()
        self.triggers.use([parse_trigger(text) for text in texts])
        self.index = -1
        self.fired: list[Fired] = []

    def show(self, at: float, *faces: FaceResult, media_time: float | None = None) -> int:
        """Show a frame; return how many fire at it."""
        self.index += 1
        frame = Frame(np.zeros((2, 2, 3), np.uint8), self.index, at, media_time)
        found = self.triggers.look(FrameResult(frame, faces))
        self.fired += found
        return len(found)

    def play(self, start: float, end: float, *faces: FaceResult, step: float = 0.1) -> list[float]:
        """Show the same faces from `start` up to before `end`; return when anything fired."""
        times = [round(start + step * n, 3) for n in range(round((end - start) / step))]
        return [at for at in times if self.show(at, *faces)]


def test_it_fires_once_when_it_has_held_so_long() -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    assert reel.play(10, 11) == []
    assert reel.play(11, 13, SMILE) == [11.5]
    (fired,) = reel.fired
    assert (fired.captured_at, fired.track_id) == (11.5, 1)
    assert fired.confidence == pytest.approx(0.9)
    assert reel.triggers.times_fired() == {fired.trigger: 1}


def test_a_shorter_smile_does_not_count() -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    for start in range(10, 15):
        assert reel.play(start, start + 0.5, SMILE) == []
        assert reel.play(start + 0.5, start + 1) == []


def test_no_seconds_fire_at_the_first_frame() -> None:
    assert Reel("happiness,70,0=marker:1").play(10, 11, SMILE) == [10]


def test_flicker_at_the_threshold_fires_once() -> None:
    reel = Reel("happiness,70,0=marker:1")
    weaker = face(confidence=0.6)
    for tenth in range(100):
        reel.show(10 + tenth / 10, SMILE if tenth % 10 == 0 else weaker)
    assert len(reel.fired) == 1


def test_it_fires_again_after_a_second_without() -> None:
    reel = Reel("happiness,70,0.2=marker:1")
    assert reel.play(10, 11, SMILE) == [10.2]
    reel.play(11, 11.9)  # not quite a second
    assert reel.play(11.9, 13, SMILE) == []
    reel.play(13, 14)
    assert reel.play(14, 15, SMILE) == [14.2]


def test_a_gap_between_frames_is_a_break() -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    assert reel.play(10, 10.5, SMILE) == []
    assert reel.play(11, 11.5, SMILE) == []  # 0.6 s later
    assert reel.play(11.5, 12, SMILE) == [11.5]
    reel.play(20, 21, SMILE)  # a gap alone is no second without a smile
    assert len(reel.fired) == 1


@pytest.mark.parametrize("goes_back", ["time", "index"])
def test_another_source_begins_anew(goes_back: str) -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    assert reel.play(10, 11, SMILE) == [10.5]
    if goes_back == "index":
        reel.index = -1
        assert reel.play(11, 12, SMILE) == [11.5]
    else:
        assert reel.play(2, 3, SMILE) == [2.5]


def test_a_film_counts_its_own_time() -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    for tenth in range(10):  # read ten times as fast as it plays
        reel.show(100 + tenth / 100, SMILE, media_time=tenth / 10)
    assert [fired.captured_at for fired in reel.fired] == [100.05]


def test_what_is_not_shown_does_not_count() -> None:
    reel = Reel("happiness,70,0=marker:1")
    assert reel.play(10, 11, face(unsure=True)) == []
    assert reel.play(11, 12, face(confidence=0.69)) == []
    assert reel.play(12, 13, FROWN) == []
    # relative to its neutral face it is happy, but no longer so sure
    assert reel.play(13, 14, face(corrected=[0.4, 0.5, 0.1])) == []
    assert reel.play(14, 15, face(confidence=0.697)) == [14]  # the card says 70 %


def test_a_label_that_the_model_does_not_have_never_fires() -> None:
    reel = Reel("contempt,1,0=marker:1")
    assert reel.play(10, 11, SMILE, FROWN) == []


def test_of_several_faces_the_surest_is_named() -> None:
    reel = Reel("happiness,70,0=marker:1")
    reel.show(10, face(confidence=0.8, track=3), FROWN, face(confidence=0.95, track=7))
    assert reel.fired[0].track_id == 7


def test_a_face_and_no_face() -> None:
    reel = Reel("face,,0=marker:1", "no face,,3=marker:gone")
    assert reel.show(10, face(unsure=True)) == 1
    assert reel.play(10.1, 15) == [13.1]
    here, gone = reel.fired
    assert (here.trigger.when, here.track_id, here.confidence) == ("face", None, None)
    assert (gone.trigger.when, gone.track_id, gone.confidence) == ("no face", None, None)


def test_one_that_stays_keeps_what_it_knows() -> None:
    reel = Reel("happiness,70,0.5=marker:1")
    reel.play(10, 11, SMILE)
    kept = parse_trigger("happiness,70,0.5=marker:1")
    reel.triggers.use([parse_trigger("face,,0=marker:2"), kept, kept])
    assert len(reel.triggers.in_use) == 2
    assert reel.show(11, SMILE) == 1  # the face
    assert reel.triggers.times_fired()[kept] == 1


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("happiness,70,0.5=marker:1", "happiness,70,0.5=marker:1"),
        (" Anger , 60 , 1.0 = Marker: a frown ", "anger,60,1=marker:a frown"),
        ("face,,0=http://127.0.0.1:7474/DoAction", "face,,0=http://127.0.0.1:7474/DoAction"),
        ("no face,,.25=https://ha.local/x?a=b=c,d", "no face,,0.25=https://ha.local/x?a=b=c,d"),
        ("fear,1,60=marker:a=b, c", "fear,1,60=marker:a=b, c"),
    ],
)
def test_a_trigger_is_written_as_it_is_read(text: str, again: str) -> None:
    trigger = parse_trigger(text)
    assert str(trigger) == again
    assert parse_trigger(again) == trigger


def test_a_marker_has_a_key_or_a_text() -> None:
    assert parse_trigger("face,,0=marker:9").marker == ("9", "")
    assert parse_trigger("face,,0=marker:10").marker == ("note", "10")
    assert parse_trigger("face,,0=marker:http://x/").marker == ("note", "http://x/")
    assert parse_trigger("face,,0=http://x/").marker is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "WHEN,PERCENT,SECONDS=THEN"),
        ("happiness", 'found "happiness"'),
        ("happiness,70=marker:1", "WHEN,PERCENT,SECONDS=THEN"),
        ("happiness,70,0,5=marker:1", "WHEN,PERCENT,SECONDS=THEN"),
        ("joy,70,1=marker:1", "contempt, face, no face"),
        ("happiness,,1=marker:1", "from 1 to 100"),
        ("happiness,0,1=marker:1", "from 1 to 100"),
        ("happiness,101,1=marker:1", "from 1 to 100"),
        ("happiness,7.5,1=marker:1", "from 1 to 100"),
        ("face,70,1=marker:1", "has no percentage"),
        ("happiness,70,=marker:1", "from 0 to 60"),
        ("happiness,70,-1=marker:1", "from 0 to 60"),
        ("happiness,70,61=marker:1", "from 0 to 60"),
        ("happiness,70,nan=marker:1", "from 0 to 60"),
        ("happiness,70,1=", 'such as http://'),
        ("happiness,70,1=marker: ", "found none"),
        ("happiness,70,1=1", 'found "1"'),
        ("happiness,70,1=ftp://x/", "such as http://"),
        ("happiness,70,1=http://", "such as http://"),
        ("happiness,70,1=http://x:0/", "such as http://"),
        ("happiness,70,1=http://x:many/", "such as http://"),
        ("happiness,70,1=http://me:s3cr/et@x/", "such as http://"),
        ("happiness,70,1=http://me:1#s3cr@x/", "such as http://"),
    ],
)  # fmt: skip
def test_what_is_no_trigger_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        parse_trigger(text)
    assert "s3cr" not in str(caught.value)


def test_a_password_is_neither_shown_nor_stored() -> None:
    trigger = parse_trigger(f"face,,0={PASSWORD}")
    assert str(trigger).endswith(PASSWORD)  # to be called
    for shown in (trigger.shown, repr(trigger), str(trigger.without_login())):
        assert "s3cret" not in shown
    assert trigger.without_login().address == "http://192.0.2.7/call"
    asked = parse_trigger("face,,0=http://ha.local/hook?token=s3cret#Smile")
    assert "s3cret" not in asked.shown
    assert parse_trigger("face,,0=http://x/do#Wave back").shown == "face,,0=http://x/do#Wave back"
    assert asked.without_login() == asked  # without it the address would be another
    with pytest.raises(UserError) as caught:
        parse_trigger(f"face,0={PASSWORD}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://bob:s3cret@ha.local/hook",
        "happiness,70,1:http://bob:s3cret@ha.local/hook",
        "happiness,70,1=bob:s3cret@ha.local/hook",
        "happiness,70,1=http:/bob:s3cret@ha.local/hook",
        "happiness,http://bob:s3cret@ha.local,1=marker:1",
        "happiness,70,http://bob:s3cret@ha.local=marker:1",
        "http://bob:s3cret@ha.local,70,1=marker:1",
    ],
)
def test_what_is_mistyped_shows_no_password(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_trigger(text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("then", "shown"),
    [
        ("http://ha.local:8123/api/webhook/-Vb7Qx3s3cret", "http://ha.local:8123/api/…"),
        ("http://ha.local/" + "s3cret" * 6, "http://ha.local/…"),
        ("http://ha.local/do?key=s3cret", "http://ha.local/do/…"),
        ("http://127.0.0.1:7474/DoAction#Wave back", "http://127.0.0.1:7474/DoAction#Wave back"),
        ("http://me:s3cret@ha.local", "http://ha.local"),
        ("marker:me@home", "marker:me@home"),
    ],
)
def test_the_end_of_an_address_is_not_shown(then: str, shown: str) -> None:
    assert parse_trigger(f"face,,0={then}").shown == f"face,,0={shown}"


@pytest.mark.parametrize(
    ("then", "here"),
    [
        ("marker:1", True),
        ("http://127.0.0.1:7474/", True),
        ("http://localhost/", True),
        ("http://[::1]:80/", True),
        ("http://192.168.1.2/", False),
        ("http://me:pw@homeassistant.local/", False),
        ("http://127.0.0.1.example.org/", False),
    ],
)
def test_whether_it_leaves_this_computer(then: str, here: bool) -> None:
    assert parse_trigger(f"face,,0={then}").stays_here is here
