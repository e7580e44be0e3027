"""What each data set calls the expressions, as tables.

Every table gives the word of this project; `translate` turns words into the indices of a label
set. The orders differ everywhere, so nothing here is ever guessed from a position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.runtime.labels import LABEL_SETS

JAFFE: dict[str, str] = {
    "NE": "neutral",
    "HA": "happiness",
    "SA": "sadness",
    "SU": "surprise",
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
}
"""Lyons et al., "Coding Facial Expressions with Gabor Wavelets", FG 1998: letters of file names."""

CK_PLUS: dict[int, str] = {
    0: "neutral",
    1: "anger",
    2: "contempt",
    3: "disgust",
    4: "fear",
    5: "happiness",
    6: "sadness",
    7: "surprise",
}
"""Lucey et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPRW 2010: numbers of Emotion/."""

FERG: dict[str, str] = {
    "anger": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "joy": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprise": "surprise",
}
"""Aneja et al., "Modeling Stylized Character Expressions via Deep Learning", ACCV 2016."""

RAF_DB: dict[int, str] = {
    1: "surprise",
    2: "fear",
    3: "disgust",
    4: "happiness",
    5: "sadness",
    6: "anger",
    7: "neutral",
}
"""Li et al., "Reliable Crowdsourcing and Deep Locality-Preserving Learning", CVPR 2017."""

AFFECTNET: dict[int, str] = {
    0: "neutral",
    1: "happiness",
    2: "sadness",
    3: "surprise",
    4: "fear",
    5: "disgust",
    6: "anger",
    7: "contempt",
}
"""Mollahosseini et al., "AffectNet", arXiv 1708.03985, table 3."""

AFFECTNET_WITHOUT_EXPRESSION: dict[int, str] = {8: "none", 9: "uncertain", 10: "no face"}
"""Pictures that AffectNet lists but gives no expression."""

FOLDERS: dict[str, str] = {
    "anger": "anger",
    "angry": "anger",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "happiness": "happiness",
    "happy": "happiness",
    "joy": "happiness",
    "sadness": "sadness",
    "sad": "sadness",
    "surprise": "surprise",
    "surprised": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
    "contemptuous": "contempt",
}
"""Names of class folders, in lower case. Numbers mean something else in every data set."""


def translate(labels: NDArray[np.int64], source: str, target: str) -> NDArray[np.int64]:
    """Return indices (N,) into one label set as indices into another, by their words.

    -1 stays -1, and stands where the target has no such word.
    """
    words = LABEL_SETS[target]
    table = [words.index(word) if word in words else -1 for word in LABEL_SETS[source]]
    return np.array([*table, -1], dtype=np.int64)[labels]
