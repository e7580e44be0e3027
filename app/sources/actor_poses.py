"""The seven expressions of the demo actor, said in facial action units."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["POSES", "Pose", "blend"]


@dataclass(frozen=True, slots=True)
class Pose:
    """Hold how far each muscle of the actor is drawn, 0 (at rest) to 1.

    The fields named `au…` follow the Facial Action Coding System (Ekman and Friesen, 1978).
    """

    au1: float = 0.0  # inner brow up
    au2: float = 0.0  # outer brow up
    au4: float = 0.0  # brow down and in
    au5: float = 0.0  # upper lid up
    au6: float = 0.0  # cheek up
    au7: float = 0.0  # lids tightened
    au9: float = 0.0  # nose wrinkled
    au10: float = 0.0  # upper lip up
    au12: float = 0.0  # mouth corners out and up
    au15: float = 0.0  # mouth corners down
    au17: float = 0.0  # chin up
    au20: float = 0.0  # mouth stretched
    au23: float = 0.0  # lips tightened
    au25: float = 0.0  # lips apart
    au26: float = 0.0  # jaw dropped
    droop: float = 0.0  # upper lids half shut
    gaze_down: float = 0.0
    head_down: float = 0.0
    blink: float = 0.0


POSES: dict[str, Pose] = {
    "neutral": Pose(au7=0.5, au12=0.13),
    "happiness": Pose(au12=1.0, au25=1.0, au26=0.18, au7=0.68),
    "surprise": Pose(au1=0.5, au2=0.86, au5=0.94, au25=0.8, au26=1.0),
    "fear": Pose(au1=1.0, au4=0.35, au5=0.74, au20=0.82, au26=0.75, au10=1.0, au25=0.12),
    "sadness": Pose(au1=1.0, au15=0.74, au25=0.6, droop=0.4, gaze_down=0.4, head_down=0.27),
    "disgust": Pose(au4=0.9, au10=0.8, au7=1.0, au6=1.0, au15=0.63, au26=0.6),
    "anger": Pose(
        au4=1.0, au5=1.0, au7=0.9, au9=0.93, au10=1.0, au23=0.8, au17=0.65, head_down=0.5
    ),
}


def blend(start: Pose, end: Pose, amount: float) -> Pose:
    """Return the pose `amount` (0 to 1) of the way from one pose to another."""
    return Pose(
        **{
            field.name: (1 - amount) * getattr(start, field.name)
            + amount * getattr(end, field.name)
            for field in fields(Pose)
        }
    )
