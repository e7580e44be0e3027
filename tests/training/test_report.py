"""The report is one file that stands alone, and says what was measured."""

from __future__ import annotations

import base64
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.evaluate import Evaluation, evaluate
from models.measure import RULES
from models.plots import confusion_png, reliability_png
from models.report import MISTAKES, html_report
from models.results import Result, Setting, compare
from models.runtime.labels import FER2013

pytestmark = pytest.mark.train

VOID = {"meta", "link", "img", "br", "line", "circle"}


class Page(HTMLParser):
    """Collect the text, what is referred to, and check that tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.references: list[str] = []
        self.pictures: list[NDArray[np.uint8]] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        values = dict(attrs)
        assert tag not in {"script", "iframe", "object"}
        if "id" in values:
            self.ids.append(str(values["id"]))
        self.references += [str(values[key]) for key in ("src", "href") if key in values]
        if tag == "img":
            assert values["alt"]
            head, _, code = str(values["src"]).partition(",")
            assert head == "data:image/png;base64"
            image = cv2.imdecode(
                np.frombuffer(base64.b64decode(code), np.uint8), cv2.IMREAD_GRAYSCALE
            )
            assert image is not None
            self.pictures.append(image.astype(np.uint8, copy=False))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def judged(faces: FaceSet, seed: int, strength: float) -> Evaluation:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(faces), 7)).astype(np.float32)
    logits[np.arange(len(faces)), faces.labels] += strength
    copies = np.arange(len(faces)) == 0
    return evaluate(logits, faces.labels, labels=FER2013, temperature=1.0, copies=copies)


def result(name: str, evaluation: Evaluation) -> Result:
    return Result(
        name=name,
        file=f"{name}.onnx",
        sha256="ab" * 32,
        label_set="fer2013",
        rule=RULES["fer2013"],
        crops="one crop: the whole picture",
        temperature_note="1.234, from the model's card, fitted with one crop",
        latency_ms=1.25,
        evaluation=evaluation,
    )


@pytest.fixture(scope="module")
def setting(faces: FaceSet) -> Setting:
    public = faces.split("PublicTest")
    return Setting(
        data="fer2013.csv",
        data_sha256="cd" * 32,
        split="PublicTest",
        tta="none",
        faces=public,
        copies={"Training": np.arange(len(public)) == 0},
        images=None,
        date="2025-01-31",
    )


@pytest.fixture(scope="module")
def results(setting: Setting) -> list[Result]:
    return [
        result("first.model", judged(setting.faces, 1, 1.5)),
        result("second.model", judged(setting.faces, 2, 3.0)),
    ]


@pytest.fixture(scope="module")
def page(setting: Setting, results: list[Result]) -> Page:
    return Page(html_report(setting, results, compare(results)))


def test_it_refers_to_nothing_but_itself(setting: Setting, results: list[Result]) -> None:
    html = html_report(setting, results, compare(results))
    page = Page(html)
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html
    links = [place for place in page.references if not place.startswith("data:")]
    assert links == [f"#{name}" for name in page.ids]


def test_it_says_what_was_measured_and_how(page: Page) -> None:
    for words in (
        "PublicTest, 32 pictures",
        "chosen on it",
        RULES["fer2013"],
        "one crop: the whole picture",
        "2025-01-31",
        "1 of 32 pictures are, pixel for pixel",
        "Temperature 1.234, from the model's card",
        "not what a person feels",
    ):
        assert words in page.words


def test_the_figures_are_those_of_the_evaluation(page: Page, results: list[Result]) -> None:
    for entry in results:
        whole, apart = entry.evaluation.whole, entry.evaluation.deduplicated
        assert apart is not None
        assert f"{whole.accuracy:.2%}" in page.words
        assert f"{apart.accuracy:.2%} of {apart.n}" in page.words
        assert f"{whole.macro_f1:.3f} {whole.ece:.3f} {whole.nll:.3f}" in page.words
    (test,) = compare(results)
    assert f"{test.outcome.first_only} {test.outcome.second_only}" in page.words
    assert "exact binomial" in page.words


def test_the_best_model_leads(page: Page, results: list[Result]) -> None:
    best = max(results, key=lambda entry: entry.evaluation.whole.accuracy)
    assert best.name == "second.model"
    assert f"Best on the seven expressions of FER2013: {best.name}" in page.words


def test_mistakes_are_shown_with_truth_answer_confidence_and_name(
    page: Page, setting: Setting, results: list[Result]
) -> None:
    evaluation = results[0].evaluation
    shown = page.pictures[2:]  # after the two diagrams
    places = evaluation.worst(MISTAKES)
    assert 0 < len(places) < 32
    for place, picture in zip(places, shown, strict=False):
        row = evaluation.rows[place]
        np.testing.assert_array_equal(picture, setting.faces.pixels[row])
        said, truth = FER2013[evaluation.predicted[place]], FER2013[evaluation.truth[place]]
        assert (
            f"{said} {evaluation.confidence[place]:.0%} truth: {truth} {setting.faces.names[row]}"
            in page.words
        )


def test_a_model_without_mistakes_or_pictures_of_a_label(setting: Setting) -> None:
    some = setting.faces.select(setting.faces.labels == 3)
    perfect = result("perfect", judged(some, 1, 50.0))
    page = Page(html_report(replace(setting, faces=some), [perfect], []))
    assert "It made none" in page.words
    assert "no picture" in page.words
    assert "McNemar's test)" not in page.words


def test_names_cannot_become_markup(setting: Setting) -> None:
    names = np.array(["<b>&\"'"] * len(setting.faces))
    odd = replace(setting, faces=replace(setting.faces, names=names), data="<script>")
    page = Page(html_report(odd, [result("<i>", judged(odd.faces, 1, 1.0))], []))
    assert "<script>" in page.words
    assert "<b>&\"'" in page.words


def test_a_list_of_pictures_is_mentioned(setting: Setting, results: list[Result]) -> None:
    from models.image_list import ListedImage, select_listed

    listed = [ListedImage(str(setting.faces.names[0])[:10], 0)]
    images = select_listed(setting.faces, listed, "PublicTest", "turned.txt")
    page = Page(html_report(replace(setting, images=images), results, []))
    assert "turned.txt: 1 of 1 listed pictures used" in page.words


def test_diagrams_are_png_that_follow_the_figures(setting: Setting) -> None:
    good, bad = judged(setting.faces, 1, 50.0), judged(setting.faces, 1, 0.0)
    for draw in (confusion_png, reliability_png):
        one, again, other = draw(good, "a"), draw(good, "a"), draw(bad, "a")
        assert one.startswith(b"\x89PNG")
        assert one == again
        assert one != other
        image = cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert min(image.shape[:2]) > 600
        assert b"matplotlib" not in one
