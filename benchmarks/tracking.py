"""Measure the tracker on films composed of photographed faces, where every place is known.

Faces of people held back from training move, cross, hide, come back and are cut from one to another
in front of scenes without faces, at 640 x 480 and 30 frames a second.

    python benchmarks/tracking.py --data FOLDER [--finder mien] [--landmarks landmarks68]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from app.faces import FINDERS, make_finder
from app.faces.landmarks import LANDMARKERS, make_landmarker
from app.live.pipeline import Pipeline
from app.messages import Frame, FrameResult
from models.data.faces_parquet import FacePicture, read_face_pictures, read_pixels, validation_part
from models.runtime.framing import square_of
from models.runtime.prediction import Prediction

Image = NDArray[np.uint8]
FPS = 30.0
SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class Actor:
    """Hold a face cut out of its photograph.

    picture, mask: colours and how much of them counts. back: the same without a face, as the back
    of a head. middle, side: of its square.
    """

    picture: NDArray[np.float32]
    back: NDArray[np.float32]
    mask: NDArray[np.float32]
    middle: tuple[float, float]
    side: float


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a person is on one frame, in pixels and degrees.

    seen: nothing hides the face. away: it is turned away.
    """

    person: int
    x: float
    y: float
    side: float
    turn: float = 0.0
    seen: bool = True
    away: bool = False


Film = tuple[list[Image], list[list[Place]]]


@dataclass(slots=True)
class Figures:
    """Count over films.

    due: places where a face was to be seen; hit: found there. switches: a person got another
    number than before. extra: numbers beyond one for each person. false: faces where there is
    none. back: frames from a face's return to its being found again.
    """

    due: int = 0
    hit: int = 0
    switches: int = 0
    inherited: int = 0
    false: int = 0
    frames: int = 0
    searches: int = 0
    back: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


class NoClassifier:
    """Take no time."""

    labels = ("neutral", "happiness")
    input_size = 48
    input_field = 48
    unsure_below = 0.0
    neutral_logs = None

    def classify(self, crops: Sequence[Image]) -> list[Prediction]:
        """Return the same for all."""
        even = np.array([0.5, 0.5], np.float32)
        return [Prediction(probabilities=even, labels=self.labels, attention={}) for _ in crops]


class CountingFinder:
    """Count the searches of a finder."""

    def __init__(self, name: str, yunet: Path | None) -> None:
        self.inner = make_finder(name, yunet)
        self.searches = 0

    name = "counting"

    def find(self, image: Image) -> list[object]:
        self.searches += 1
        return list(self.inner.find(image))


def actor_of(picture: FacePicture) -> Actor:
    """Cut a head out of its photograph."""
    pixels = read_pixels(picture).astype(np.float32)
    x, y, side = square_of(picture.faces[0][4:14].reshape(5, 2))
    hard = np.zeros(pixels.shape[:2], np.float32)
    axes = (round(side * 0.6), round(side * 0.8))
    cv2.ellipse(hard, (round(x), round(y)), axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(hard, (0, 0), side * 0.04)
    back = cv2.GaussianBlur(pixels, (0, 0), side * 0.15) * 0.5
    return Actor(pixels, back.astype(np.float32), soft.astype(np.float32), (x, y), side)


def draw(canvas: NDArray[np.float32], actor: Actor, place: Place) -> None:
    """Put a face onto a picture."""
    scale = place.side / actor.side
    turn = math.radians(place.turn)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    x, y = actor.middle
    to_frame = np.array(
        [[cos, -sin, place.x - cos * x + sin * y], [sin, cos, place.y - sin * x - cos * y]]
    )
    mask = cv2.warpAffine(actor.mask, to_frame, SIZE)[..., None]
    # Beyond the photograph the head ends as the photograph does.
    side = actor.back if place.away else actor.picture
    picture = cv2.warpAffine(side, to_frame, SIZE, borderMode=cv2.BORDER_REPLICATE)
    canvas += mask * (picture - canvas)


def film(
    actors: Sequence[Actor],
    scenes: Callable[[int], Image],
    places: Sequence[list[Place]],
    rng: np.random.Generator,
) -> Film:
    """Draw a film; of two places of a frame the later one lies in front."""
    images = []
    for number, on_frame in enumerate(places):
        canvas = scenes(number).astype(np.float32)
        for place in on_frame:
            draw(canvas, actors[place.person], place)
        canvas += rng.normal(0, 2.5, canvas.shape)
        images.append(np.clip(canvas, 0, 255).astype(np.uint8))
    return images, list(places)


def walk(rng: np.random.Generator, frames: int, gap: range) -> list[list[Place]]:
    """One face that moves, nods, comes nearer, and is away for a while."""
    phase = rng.uniform(0, 2 * math.pi, 4)
    side = rng.uniform(60, 170)
    places: list[list[Place]] = []
    for number in range(frames):
        time = number / FPS
        x = 320 + 120 * math.sin(1.9 * time + phase[0])
        y = 240 + 50 * math.sin(1.3 * time + phase[1])
        near = 1 + 0.2 * math.sin(0.8 * time + phase[2])
        turn = 18 * math.sin(1.1 * time + phase[3])
        here = Place(0, x, y, side * near, turn)
        places.append([] if number in gap else [here])
    return places


def turn_away(rng: np.random.Generator, frames: int, gap: range) -> list[list[Place]]:
    """One face that is turned away for a while, and moves on meanwhile."""
    places = walk(rng, frames, range(0))
    for number in gap:
        (here,) = places[number]
        places[number] = [replace(here, seen=False, away=True)]
    return places


def cross(rng: np.random.Generator, frames: int, people: int) -> list[list[Place]]:
    """Several faces on paths through the middle, one before the other."""
    side = rng.uniform(80, 115)
    paths = []
    for person in range(people):
        left = person % 2 == 0
        height = 240 + rng.uniform(-0.25, 0.25) * side
        size = side * rng.uniform(0.9, 1.1)
        late = rng.uniform(-0.12, 0.12)
        paths.append((110.0 if left else 530.0, 530.0 if left else 110.0, height, size, late))
    places = []
    for number in range(frames):
        part = number / (frames - 1)
        on_frame: list[Place] = []
        for person, (start, end, height, size, late) in enumerate(paths):
            moved = min(1.0, max(0.0, part + late * math.sin(math.pi * part)))
            on_frame.append(Place(person, start + (end - start) * moved, height, size))
        places.append([_hidden(place, on_frame[at + 1 :]) for at, place in enumerate(on_frame)])
    return places


def _hidden(place: Place, before: Sequence[Place]) -> Place:
    """Return the place, unseen where someone in front covers much of the face."""
    covered = any(
        abs(place.x - other.x) < 0.9 * other.side and abs(place.y - other.y) < 0.9 * other.side
        for other in before
    )
    return replace(place, seen=not covered)


def cut_to_another(rng: np.random.Generator, frames: int) -> list[list[Place]]:
    """One face, then suddenly another person's at the same place."""
    x, y, side = rng.uniform(200, 440), rng.uniform(180, 300), rng.uniform(80, 160)
    return [
        [Place(int(number >= frames // 2), x + 3 * math.sin(number / 9), y, side)]
        for number in range(frames)
    ]


def cut_and_back(rng: np.random.Generator, frames: int) -> list[list[Place]]:
    """Two people in turn, as in an interview, each shown twice and each at a place of their own."""
    spots = [(rng.uniform(200, 440), rng.uniform(180, 300), rng.uniform(80, 160)) for _ in range(2)]
    places = []
    for number in range(frames):
        person = 4 * number // frames % 2
        x, y, side = spots[person]
        places.append([Place(person, x + 3 * math.sin(number / 9), y, side)])
    return places


def follow(films: Iterator[Film], pipeline: Pipeline, finder: CountingFinder) -> Figures:
    """Play films and count."""
    figures = Figures()
    for images, places in films:
        pipeline.reset()
        numbers: dict[int, int] = {}
        owners: dict[int, int] = {}
        away: dict[int, int] = {}
        before = finder.searches
        for number, (image, on_frame) in enumerate(zip(images, places, strict=True)):
            time = number / FPS
            started = perf_counter()
            result = pipeline.process(Frame(image, number, time, time))
            figures.times.append(1e3 * (perf_counter() - started))
            _count(figures, result, on_frame, (numbers, owners, away), number)
        figures.searches += finder.searches - before
        figures.frames += len(images)
    return figures


def _count(
    figures: Figures,
    result: FrameResult,
    on_frame: Sequence[Place],
    known: tuple[dict[int, int], dict[int, int], dict[int, int]],
    number: int,
) -> None:
    """Count one frame. known: numbers by person, persons by number, frame of return by person."""
    numbers, owners, away = known
    left = list(result.faces)
    present = {place.person for place in on_frame if place.seen}
    for person in list(numbers):
        if person not in present:
            away[person] = -1
    for place in on_frame:
        near = [
            face
            for face in left
            if math.dist(face.face.box.centre, (place.x, place.y)) < 0.35 * place.side
        ]
        if not place.seen:
            continue
        figures.due += 1
        if away.get(place.person) == -1:
            away[place.person] = number
        if not near:
            continue
        face = min(near, key=lambda one: math.dist(one.face.box.centre, (place.x, place.y)))
        left.remove(face)
        figures.hit += 1
        if place.person in away:
            figures.back.append(number - away.pop(place.person))
        track = face.face.track_id or 0
        figures.switches += numbers.get(place.person, track) != track
        figures.inherited += owners.get(track, place.person) != place.person
        numbers[place.person] = track
        owners[track] = place.person
    hidden = [place for place in on_frame if not place.seen]
    figures.false += sum(
        not any(math.dist(face.face.box.centre, (p.x, p.y)) < 0.5 * p.side for p in hidden)
        for face in left
    )


def films_of(kind: str, count: int, pictures: Sequence[FacePicture]) -> Iterator[Film]:
    """Compose so many films of a kind, the same ones each time."""
    people = [p for p in pictures if p.points68 is not None and len(p.faces) == 1]
    people = [p for p in people if p.faces[0][14] > 0.88]
    empty = [p for p in pictures if p.source == "scenes"]
    for seed in range(count):
        rng = np.random.default_rng([seed, *kind.encode()])
        scene, other = (_scene(empty[rng.integers(len(empty))]) for _ in range(2))
        chosen = _different(people, 3, rng)
        actors = [actor_of(picture) for picture in chosen]
        if kind == "walk":
            places = walk(rng, 120, range(60, 60 + int(rng.integers(4, 18))))
        elif kind == "turn":
            places = turn_away(rng, 120, range(50, 50 + int(rng.integers(6, 21))))
        elif kind == "long":
            places = turn_away(rng, 180, range(50, 50 + int(rng.integers(30, 91))))
        elif kind == "cross 2":
            places = cross(rng, int(rng.choice([50, 75, 110])), 2)
        elif kind == "cross 3":
            places = cross(rng, int(rng.choice([60, 90, 120])), 3)
        elif kind == "back":
            places = cut_and_back(rng, 100)
        else:
            places = cut_to_another(rng, 50)
        shot = {"cut": len(places) // 2, "back": len(places) // 4}.get(kind, len(places))

        def background(number: int, now: Image = scene, then: Image = other) -> Image:
            return then if number // shot % 2 else now  # noqa: B023

        yield film(actors, background, places, rng)


def _different(
    people: Sequence[FacePicture], count: int, rng: np.random.Generator
) -> list[FacePicture]:
    chosen: list[FacePicture] = []
    while len(chosen) < count:
        picture = people[int(rng.integers(len(people)))]
        if all(picture.person != other.person for other in chosen):
            chosen.append(picture)
    return chosen


def _scene(picture: FacePicture) -> Image:
    pixels = read_pixels(picture)
    height, width = pixels.shape[:2]
    scale = max(SIZE[0] / width, SIZE[1] / height) * 1.01
    grown = cv2.resize(pixels, None, fx=scale, fy=scale)
    return np.ascontiguousarray(grown[: SIZE[1], : SIZE[0]], dtype=np.uint8)


KINDS = {
    "walk": "one face that moves and is away for 4 to 17 frames",
    "turn": "one face that moves and is turned away for 6 to 20 frames",
    "long": "one face that moves and is turned away for 1 to 3 seconds",
    "cross 2": "two people pass each other",
    "cross 3": "three people pass each other",
    "swap": "another person at the same place from one frame to the next",
    "cut": "another person and another scene from one frame to the next",
    "back": "two people and scenes in turn, each twice",
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with faces_*.parquet")
    parser.add_argument("--finder", choices=FINDERS, default=FINDERS[0])
    parser.add_argument("--yunet", type=Path)
    parser.add_argument("--landmarks", choices=LANDMARKERS, default=LANDMARKERS[0])
    parser.add_argument("--films", type=int, default=12, help="of each kind (12)")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = validation_part(read_face_pictures(arguments.data / "faces_people.parquet"))
    finder = CountingFinder(arguments.finder, arguments.yunet)
    landmarker = make_landmarker(arguments.landmarks)
    print(f"finder {arguments.finder}, landmarks {arguments.landmarks}, {arguments.films} films")
    for kind in arguments.kinds:
        pipeline = Pipeline(finder, landmarker, NoClassifier())  # type: ignore[arg-type]
        done = follow(films_of(kind, arguments.films, pictures), pipeline, finder)
        print(
            f"{kind:8} {KINDS[kind]}: found {done.hit / done.due:.1%} of {done.due}, false "
            f"{done.false}, switches {done.switches}, numbers inherited {done.inherited}, back "
            f"after {_spread(done.back)} frames, a search every "
            f"{done.frames / max(1, done.searches):.1f} frames, "
            f"{np.median(done.times):.2f} ms (mean {np.mean(done.times):.2f})"
        )


def _spread(values: Sequence[int]) -> str:
    """Return median and worst in words."""
    return f"{np.median(values):.0f} (worst {max(values)})" if values else "no"


if __name__ == "__main__":
    main()
