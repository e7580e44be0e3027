"""The pages of the Help menu, as HTML."""

from __future__ import annotations

from html import escape

from app.words import per_cent
from models.runtime.card import Card, Metric
from models.runtime.labels import LABEL_SET_NAMES

_KEYS_WIDTH = 130

MEANING = """
<h2>What the numbers mean</h2>
<p>Mien looks at the picture of a face and names its <b>apparent expression</b>: what a stranger
might call the look on that face in that moment. It cannot see what somebody feels, thinks or
intends, and a face often shows something else than what is felt.</p>
<h3>Sure 92 %</h3>
<p>The share of belief that the model gives to this label, out of its own short list. It was
adjusted on pictures kept aside, so that of all such pictures called &ldquo;92 %&rdquo; about 92 in
100 bore the label that people had given them. On other cameras, in other light, or for people
unlike those in the training pictures it can be further off, and it then still looks sure.</p>
<h3>Unsure</h3>
<p>No label is likely enough; the likeliest is named after it. That is an answer, not a fault. The
threshold is the model&rsquo;s own: with it nine of ten labels that it gave to pictures it had not
learnt from were right.</p>
<h3>Quality and advice</h3>
<p>Four dots for how well the face can be read: its size, sharpness, light and turn, whether it is
cut off or covered. The worst of them counts, and a word says what to change. It tells nothing of
whether the label is right.</p>
<h3>Calibrate: a person&rsquo;s neutral face</h3>
<p>Resting faces differ: brows may look angry, lips sad. Five quiet seconds of a face at rest are
compared with the neutral faces the model knows, and the difference is taken off from then on; the
thin line on each bar is the value without it. It lasts as long as the face keeps its number.</p>
<h3>Bars</h3>
<p>One for each label, always in the same order; together they make 100 %. They are smoothed over
a fraction of a second, so a short twitch may not show.</p>
<h3>Base rates: how common each expression is</h3>
<p>Among the photographs that the models learnt from, neutral and smiling faces are common, disgust
and contempt very rare, and they go by that. Where expressions are posed, or shown as often as each
other, choose <i>Model &gt; Base rates &gt; Each as common as any other</i>: rare ones are then
named far more often, and more of what is neutral is taken for them. What cannot be may be left
out. The foot of the window tells when the base rates are not those measured.</p>
<h3>What the model sees, what decided</h3>
<p>The model gets only the small gray picture on the card. The tinted places (the attention map)
are those that spoke for the label. The brightest place is the strongest of this face; brightness
cannot be compared between faces, and it does not prove that the model is right.</p>
<p><i>View &gt; Attention view</i> lists the ways to show this that the model offers:</p>
<ul>
<li><b>Occlusion sensitivity</b>: parts of the picture are covered one after the other; tinted is
what the label could least do without.</li>
<li><b>Guided backpropagation</b>: single pixels whose change would move the label&rsquo;s logit,
the raw number from which its probability is made, most.</li>
<li><b>Class activation map</b>: the map whose mean is the label&rsquo;s logit; it has few,
large fields.</li>
<li><b>Spatial transformer</b>: the outline is the part that the network takes, turns and enlarges;
what it never sees is darker. The dot is the corner shown at top left.</li>
<li><b>Spatial attention</b>: how much each place is let through, in one block or in all; the same
for every label.</li>
<li><b>Regions and their weights</b>: how much each part of the face counts in the decision.</li>
</ul>
<p>The third picture on the card compares the two likeliest labels: each place has the colour of the
label that finds more there. Until the next map is made the last one of the label stays, dimmed once
it is older than a second.</p>
<p><b>No better than chance</b> is said of a way whose places, taken away from pictures, mattered no
more to this model than places at random. Such a tint is no reason. <b>Unproven</b> is a way
that was measured on too few pictures to tell.</p>
<h3>How far to trust it</h3>
<p>People themselves agree only in part on such pictures: two sets of labels for the very same
training images agree on 62 % of them. <i>Model &gt; About this model</i> tells how often this
model agrees with its labels, and for which it fails most.</p>
<h3>Shares and their likely ranges, in Review</h3>
<p>A share is the part of the frames with this face that bear a label. Neighbouring frames are
nearly the same, so the likely range, a 95 % interval, is that of the smaller number of frames that
are as good as independent. It is the range in which the share would lie in the long run, if all
went on in the same way. It assumes that the stretch is of one piece, and it knows nothing of the
model's own errors.</p>
<h3>Two models</h3>
<p><i>Model &gt; Compare with</i> asks a second model as well. On the card its word stands below
that of the first, with <i>also</i> where it is the same and <i>instead</i> where it is not; the
thin bars are its numbers. Below the chart a mark stands where the two differ; where one of them is
unsure there is none, nor is it counted. <b>Not calibrated</b>: only one of the
two takes the neutral face into account; Reset and Calibrate measures it for both. What is drawn on
the picture and recorded is the first model&rsquo;s word alone, and so is what is streamed, but for
WebSocket, which has both; Review reads a recording with any other.</p>
<p>Where two models disagree, at least one is wrong; where they agree, both may be.</p>
<h3>Status line</h3>
<p><b>fps</b>: results each second. <b>ms</b>: from the frame's capture to its result.
<b>dropped</b>: frames passed over because a newer one was there. <b>CPU</b>, <b>CUDA</b> and so
on: what the model really runs on.</p>
"""

RESPONSIBLE = """
<h2>Responsible use</h2>
<ul>
<li><b>Not a judge of people.</b> Do not use Mien to decide about anybody: not for hiring, marks,
access, credit, policing, border control or medical diagnosis.</li>
<li><b>Ask first.</b> Point it at people who know and agree, and stop when they say so. That holds
on the screen as well: those in a video call cannot see that they are being read, nor can those
before a camera on the wall.</li>
<li><b>The law.</b> In the European Union, inferring emotions of people at work or in education
is forbidden but for medical and safety reasons (Regulation (EU) 2024/1689, Article 5), and
elsewhere people must be told (Article 50). Other places have rules of their own.</li>
<li><b>Unequal errors.</b> The training pictures were gathered on the web. They show some ages,
skin tones and cultures far more than others, and posed faces more than everyday ones. Expect more
errors for people and looks that are rare in them.</li>
<li><b>It stays here.</b> Mien works on this computer alone and sends nothing, unless you
switch a stream on (<i>File &gt; Streams</i>) or let a trigger call an address (<i>File &gt;
Triggers</i>); the foot of the window then says so. A network
camera that you choose is asked for its pictures, and for nothing else. Nothing is kept unless you
save it: a snapshot is a picture of a person, treat it as one.</li>
<li><b>Recordings.</b> R keeps numbers only, unless you ask for video; a red dot shows for as long
as it runs. Numbers about a person are personal data, too: ask, say for how long, and delete.</li>
</ul>
"""


def about(version: str, parts: list[tuple[str, str]]) -> str:
    """Return the page about the program. parts: name and version of what it is built on."""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(v)}</td></tr>" for name, v in parts)
    return f"""
<h2>Mien {escape(version)}</h2>
<p>Reads apparent facial expressions live from cameras or the screen, on your own computer, and
shows why it says what it says.</p>
<p>MIT licence. The bundled models have licences of their own, see <i>Model &gt; About this
model</i>.</p>
<table cellpadding="4">{rows}</table>
"""


def shortcuts(parts: dict[str, list[tuple[str, str]]]) -> str:
    """Return the page of shortcuts, in two columns. parts: keys and words, by where they work."""
    return f"""
<h2>Keyboard shortcuts</h2>
<table width="100%"><tr>{"".join(_shortcut_column(one, parts) for one in _columns(parts))}</tr>
</table>
<p>Tab goes from one control to the next, Space presses the one that has the focus. In the list of
faces the arrow keys go from card to card and Enter shows that face in the chart.</p>
"""


def _columns(parts: dict[str, list[tuple[str, str]]]) -> tuple[list[str], list[str]]:
    """Share the parts out, in their order, to two columns of about the same height."""
    whole, above = sum(map(len, parts.values())), 0
    left: list[str] = []
    right: list[str] = []
    for part, rows in parts.items():
        (left if above + len(rows) / 2 < whole / 2 else right).append(part)
        above += len(rows)
    return left, right


def _shortcut_column(names: list[str], parts: dict[str, list[tuple[str, str]]]) -> str:
    body = ""
    for name in names:
        rows = "".join(
            f"<tr><td width='{_KEYS_WIDTH}'><b>{escape(keys)}</b></td><td>{escape(text)}</td></tr>"
            for keys, text in parts[name]
        )
        body += f"<h3>{escape(name)}</h3><table cellpadding='1'>{rows}</table>"
    return f"<td width='50%'>{body}</td>"


def model_name(card: Card) -> str:
    """Return what a model is called on the screen: two may share an architecture."""
    return f"{card.title} ({LABEL_SET_NAMES.get(card.label_set, card.label_set)})"


def _unsure_fact(card: Card) -> list[tuple[str, str]]:
    rule = card.unsure.get("mirror")
    if rule is None:
        return []
    threshold, right, named = (
        per_cent(share, digits=0) for share in (rule.threshold, rule.precision, rule.coverage)
    )
    told = f"{threshold}: then {right} of its labels are right and {named} of faces get one"
    return [("Unsure below", f"{told} ({rule.split})")]


def _rates_fact(card: Card) -> list[tuple[str, str]]:
    rates = card.base_rates.get("mirror")
    if rates is None:
        return []
    shares = [
        f"{label} {per_cent(rate, digits=0 if rate >= 0.1 else 1)}"
        for label, rate in zip(card.labels, rates, strict=True)
    ]
    return [("Takes to be common", ", ".join(shares))]


def model_card(card: Card) -> str:
    """Return the page about a model."""
    facts = [
        ("Network", f"{card.architecture}, {card.trainable:,} parameters"),
        ("Labels", ", ".join(card.labels)),
        ("Looks at", f"{card.input.size} by {card.input.size} pixels, gray"),
        *_unsure_fact(card),
        *_rates_fact(card),
        ("Trained on", "; ".join(card.data)),
        ("Paper", card.paper),
        ("Licence", card.licence),
    ]
    if card.file is not None:
        facts.append(("File", f"{card.file.name}, {card.file.bytes / 1000:,.0f} kB"))
        facts.append(("SHA-256", card.file.sha256))
    rows = "".join(
        f"<tr><td><b>{escape(name)}</b>&nbsp;&nbsp;</td><td>{escape(value)}</td></tr>"
        for name, value in facts
    )
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
    return f"""
<h2>{escape(model_name(card))}</h2>
<table cellpadding="4">{rows}</table>
<h3>How often it agrees with its labels</h3>
{"".join(_metric(metric) for metric in card.metrics) or "<p>Nobody has measured it.</p>"}
<h3>Limits</h3>
<ul>{limits}</ul>
"""


def _metric(metric: Metric) -> str:
    words = {"mirror": "with the mirrored crop averaged in", "ten-crop": "ten crops averaged"}
    crops = words.get(metric.crops, "one crop")
    recall = ", ".join(
        f"{escape(label)} {per_cent(share, digits=0)}" for label, share in metric.recall.items()
    )
    return f"""
<p><b>{per_cent(metric.accuracy)}</b> of {metric.n:,} pictures ({escape(metric.split)},
{escape(metric.rule)}, {crops}; {escape(metric.date)}).<br>
Mean F1 over the labels {metric.macro_f1:.2f}; stated sureness is off by {per_cent(metric.ece)} on
average.<br>Found of each label: {recall}.</p>
"""
