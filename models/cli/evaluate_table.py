"""What fer-evaluate prints: aligned tables."""

from __future__ import annotations

import textwrap

from models.results import Comparison, Result, Setting, by_label_set, spoilt
from models.robustness import table

_WIDTH = 100


def print_tables(setting: Setting, results: list[Result], comparisons: list[Comparison]) -> None:
    """Print what was measured, a table for each label set, and the paired tests."""
    _say(f"{setting.data}, {setting.split}: {len(setting.faces):,} pictures")
    _say(f"split      {setting.split_note}")
    if setting.images is not None:
        _say(f"list       {setting.images.sentence()}")
    _say(f"copies     {setting.copies_note}")
    if setting.rates_note:
        _say(f"base rates {setting.rates_note}")
    for crops in dict.fromkeys(result.crops for result in results):
        _say(f"crops      {crops}")
    for label_set, group in by_label_set(results).items():
        print()
        _say(f"{label_set}: {group[0].rule}")
        print_table(*_figures(group))
        print()
        print_table(*_recalls(group))
    if comparisons:
        print()
        _say("Paired on the same pictures (McNemar, two-sided; not corrected for many pairs)")
        print_table(*_tests(comparisons))
    for label_set, group in by_label_set(results).items():
        if measured := spoilt(group):
            print()
            _say(f"{label_set}, spoilt pictures named right, % (slight / clear / strong)")
            print_table(*table(measured))
    print()
    for result in results:
        _say(f"temperature of {result.name}: {result.temperature_note}")


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print rows of text in columns, the first one to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())


def _figures(group: list[Result]) -> tuple[list[str], list[list[str]]]:
    header = ["model", "n", "accuracy", "95%", "mean recall", "macro-F1", "ECE", "NLL"]
    header += ["without copies", "ms"]
    rows = []
    for result in group:
        whole, apart = result.evaluation.whole, result.evaluation.deduplicated
        low, high = whole.accuracy_interval
        rows.append(
            [
                result.name,
                f"{whole.n:,}",
                f"{whole.accuracy:.2%}",
                f"{low:.1%}-{high:.1%}",
                f"{whole.mean_recall:.2%}",
                f"{whole.macro_f1:.3f}",
                f"{whole.ece:.3f}",
                f"{whole.nll:.3f}",
                "-" if apart is None else f"{apart.accuracy:.2%} of {apart.n:,}",
                f"{result.latency_ms:.2f}",
            ]
        )
    return header, rows


def _recalls(group: list[Result]) -> tuple[list[str], list[list[str]]]:
    labels = group[0].evaluation.labels
    rows = []
    for result in group:
        recall = result.evaluation.whole.per_class_recall
        rows.append(
            [result.name] + [f"{recall[label]:.1%}" if label in recall else "-" for label in labels]
        )
    return ["recall", *labels], rows


def _tests(comparisons: list[Comparison]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"{entry.first} / {entry.second}",
            f"{entry.outcome.first_only:,}",
            f"{entry.outcome.second_only:,}",
            "< 0.001" if entry.outcome.p < 0.001 else f"{entry.outcome.p:.3f}",
            entry.outcome.test,
        ]
        for entry in comparisons
    ]
    return ["first / second", "only first right", "only second right", "p", "test"], rows


def _say(text: str) -> None:
    print(textwrap.fill(text, _WIDTH, subsequent_indent=" " * 11))
