"""Load the model, the face finder and the landmarks, and change them while the app runs."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.live.explaining import MakeExplainers
from app.settings import LANDMARKERS
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.card import Card
from models.runtime.errors import UserError
from models.runtime.prediction import Classifier

if TYPE_CHECKING:
    from app.faces.base import FaceFinder
    from app.messages import Frame, FrameResult
    from app.sources.base import FrameSource

log = logging.getLogger(__name__)

T = TypeVar("T")

SAFE_FINDER = "haar"
SAFE_LANDMARKS = LANDMARKERS[0]


class FramePipeline(Protocol):
    """Name what is used of `Pipeline`, all of it on the inference thread."""

    def process(self, frame: Frame, /) -> FrameResult: ...
    def reset(self) -> None: ...
    def set_finder(self, finder: FaceFinder, /) -> None: ...
    def set_landmarker(self, landmarker: Any, /) -> None: ...
    def set_classifier(self, classifier: Classifier, /) -> None: ...
    def set_second(
        self, classifier: Classifier | None, name: str, failed: Callable[[str], None], /
    ) -> None: ...
    def calibrate(self, track_id: int, /) -> None: ...
    def forget_baseline(self, track_id: int, /) -> None: ...


Change = Callable[[FramePipeline], None]


class LoadedClassifier(Classifier, Protocol):
    """A classifier that knows where it runs."""

    @property
    def provider(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Makers:
    """Say how each part is made; each raises `UserError` when it cannot be.

    source: by its spec and the name of the one camera that will do, empty for any; see
    `open_source`. classifier: by its name or path, for these base rates. landmarker: by its name,
    whatever `pipeline` takes beside a finder and a classifier; without a name the one that was
    asked for. default_model: its name; used when none is named and when another is refused.
    explainers: of the slow views of a classifier, None where there are none.
    """

    source: Callable[[str, str], FrameSource]
    classifier: Callable[[str, BaseRates], LoadedClassifier]
    finder: Callable[[str, Path | None], FaceFinder]
    landmarker: Callable[..., Any]
    pipeline: Callable[[FaceFinder, Any, Classifier], FramePipeline]
    default_model: Callable[[], str]
    explainers: MakeExplainers | None = None


class Parts:
    """Own the thread that loads, so that neither the window nor the picture waits for it."""

    def __init__(
        self,
        makers: Makers,
        *,
        model: str | None,
        second: str | None,
        finder: str,
        yunet_file: Path | None,
        landmarks: str,
        base_rates: BaseRates,
        use_safe_ones: bool,
        ready: Callable[[FramePipeline], None],
        change: Callable[[Change], None],
        change_aside: Callable[[Change], None],
        say: Callable[[str], None],
    ) -> None:
        """Prepare; `start` begins.

        model: None for the default. second: a model to ask as well, None for none. use_safe_ones:
        replace a model or finder that is refused by the default one, go without the second one,
        and say so; otherwise `error` holds the sentence and nothing is ready until another is
        chosen, or the same can be had when it is tried again. ready: takes the pipeline once all is
        loaded. change: takes what is then to be done to it where it runs; change_aside: the same
        for what no recording needs to know. say: takes every sentence for the user. All are called
        on this thread.
        """
        self.step = "Starting"
        self.error = ""
        self.model = ""
        self.second = ""
        self.finder = ""
        self.landmarks = ""
        self.provider = ""
        self.base_rates = base_rates
        self.labels: tuple[str, ...] = ()
        self.card: Card | None = None
        self.classifier: LoadedClassifier | None = None
        self._makers = makers
        self._wanted_model = model
        self._wanted_second = second or ""
        self._wanted_finder = finder
        self._yunet_file = yunet_file
        self._wanted_landmarks = landmarks
        self._wanted_rates = base_rates
        self._use_safe_ones = use_safe_ones
        self._ready = ready
        self._change = change
        self._change_aside = change_aside
        self._say = say
        self._is_ready = False
        self._stopping = threading.Event()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mien-parts", daemon=True)

    def start(self) -> None:
        self.try_again()
        self._thread.start()

    def try_again(self) -> None:
        """Load all that is wanted, unless it is loaded."""
        self._jobs.put(_nothing)

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()
        self._jobs.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the thread, seconds; return whether it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def use_model(self, name_or_path: str) -> None:
        """Change the model as soon as it is loaded; keep the old one if it is refused."""
        self._wanted_model = name_or_path

        def job() -> None:
            classifier = self._load_model(name_or_path)
            self._change(lambda pipeline: pipeline.set_classifier(classifier))

        self._jobs.put(job)

    def use_second(self, name_or_path: str) -> None:
        """Ask a second model as well, "" for none; keep the old one if it is refused."""
        self._wanted_second = name_or_path

        def job() -> None:
            classifier = self._load_second(name_or_path)
            self._change_aside(
                lambda pipeline: pipeline.set_second(classifier, name_or_path, self._second_failed)
            )

        self._jobs.put(job)

    def use_base_rates(self, rates: BaseRates) -> None:
        """Take expressions to be so common, in both models; keep the old ones if one refuses."""
        self._wanted_rates = rates

        def job() -> None:
            name = self.second
            try:
                second = self._made(name, rates) if name else None
                classifier = self._made(self.model, rates)
            except UserError:
                self._wanted_rates = self.base_rates
                raise
            # Not before both are there: a session that begins meanwhile is read by those before.
            self.base_rates, self.classifier = rates, classifier
            self._change(lambda pipeline: pipeline.set_classifier(classifier))
            self._change_aside(
                lambda pipeline: pipeline.set_second(second, name, self._second_failed)
            )

        self._jobs.put(job)

    def use_finder(self, name: str, yunet_file: Path | None = None) -> None:
        """Change the face finder; keep the old one if it is refused."""
        self._wanted_finder = name
        self._yunet_file = yunet_file or self._yunet_file

        def job() -> None:
            finder = self._load_finder(name)
            self._change(lambda pipeline: pipeline.set_finder(finder))

        self._jobs.put(job)

    def use_landmarks(self, name: str) -> None:
        """Change what fits the landmarks; keep the old one if it is refused."""
        self._wanted_landmarks = name

        def job() -> None:
            landmarker = self._load_landmarker(name)
            self._change(lambda pipeline: pipeline.set_landmarker(landmarker))

        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if self._is_ready:
                    job()
                else:  # the job's wish is among what is wanted
                    self._make_ready()
            except Exception as error:
                if self._is_ready:
                    self._say(_sentence(error))
                else:
                    self.error = _sentence(error)
            finally:
                self.step = ""

    def _make_ready(self) -> None:
        self.error = ""
        pipeline = self._load_all()
        if pipeline is not None:
            self._ready(pipeline)
            self._is_ready = True

    def _load_all(self) -> FramePipeline | None:
        """Return the pipeline, None when asked to stop meanwhile."""
        self.base_rates = self._wanted_rates
        default = self._makers.default_model()
        classifier = self._load(self._wanted_model or default, default, self._load_first)
        finder = self._load(self._wanted_finder, SAFE_FINDER, self._load_finder)
        if self._stopping.is_set():  # dlib's landmarks take a second, which a quick end can save
            return None
        landmarker = self._load(self._wanted_landmarks, SAFE_LANDMARKS, self._load_landmarker)
        pipeline = self._makers.pipeline(finder, landmarker, classifier)
        second = self._load(self._wanted_second, "", self._load_second)
        pipeline.set_second(second, self.second, self._second_failed)
        return pipeline

    def _load_first(self, name: str) -> LoadedClassifier:
        """Load the model; one that refuses the base rates goes by those it was measured with."""
        try:
            return self._load_model(name)
        except UserError as error:
            if not self._use_safe_ones or self.base_rates == AS_MEASURED:
                raise
            rates, self.base_rates = self.base_rates, AS_MEASURED
            try:
                classifier = self._load_model(name)
            except UserError:  # it is not for the rates
                self.base_rates = rates
                raise error from None
            self._wanted_rates = AS_MEASURED
            self._say(f"{str(error).rstrip('.')}; meanwhile the base rates as measured are used.")
            return classifier

    def _made(self, name: str, rates: BaseRates) -> LoadedClassifier:
        self._begin("Loading the model")
        return self._makers.classifier(name, rates)

    def _load(self, wanted: str, safe: str, load: Callable[[str], T]) -> T:
        try:
            return load(wanted)
        except UserError as error:
            if not self._use_safe_ones or wanted == safe:
                raise
            instead = f"meanwhile {safe} is used" if safe else "no second model is asked"
            self._say(f"{str(error).rstrip('.')}; {instead}.")
            return load(safe)

    def _load_model(self, name: str) -> LoadedClassifier:
        classifier = self._made(name, self.base_rates)
        self.model = name
        self.provider = classifier.provider
        self.labels = classifier.labels
        # Only what came from a file has one.
        self.card = getattr(classifier, "card", None)
        self.classifier = classifier
        return classifier

    def _load_second(self, name: str) -> LoadedClassifier | None:
        classifier = None
        if name:
            self._begin("Loading the second model")
            classifier = self._makers.classifier(name, self.base_rates)
        self.second = name
        return classifier

    def _second_failed(self, why: str) -> None:
        """Hear on the inference thread that the second model is no longer asked."""
        self._wanted_second = self.second = ""
        self._say(f"The second model failed ({why}) and is no longer asked.")

    def _load_finder(self, name: str) -> FaceFinder:
        self._begin("Loading the face finder")
        finder = self._makers.finder(name, self._yunet_file)
        self.finder = name
        return finder

    def _load_landmarker(self, name: str) -> Any:
        self._begin("Loading the landmarks")
        landmarker = self._makers.landmarker(name)
        self.landmarks = name
        return landmarker

    def _begin(self, step: str) -> None:
        log.info("%s", step)
        self.step = step


def _nothing() -> None:
    """Ask for nothing new."""


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    log.error("loading failed", exc_info=error)
    return f"Something needed could not be loaded ({type(error).__name__}: {error})."
