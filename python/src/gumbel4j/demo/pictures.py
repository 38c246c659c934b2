"""The pictures of the demo, drawn from `numbers` with matplotlib and written as PNG files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure

from gumbel4j.demo import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

# Okabe and Ito's colours, told apart by every kind of colour vision.
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#E69F00"
_GREEN: Final = "#009E73"
_VERMILION: Final = "#D55E00"
_GREY: Final = "#7F7F7F"

_INK: Final = "#222222"
_FAINT: Final = "#D9D9D9"
_WIDTH: Final = 9.0  # inches, at _DPI the width of a notebook's page
_DPI: Final = 110
_HEAD: Final = 0.6  # inches kept at the top for the title and the line below it
_LEGEND: Final[dict[str, Any]] = {"frameon": True, "framealpha": 1, "edgecolor": "none", "borderpad": 0.2}
_TYPE_STYLES: Final = {
    "float32": (_BLUE, "o", 9),
    "float64": (_ORANGE, "s", 7),
    "float16": (_GREEN, "^", 7),
    "bfloat16": (_GREY, "D", 5),
}
_PLATE: Final[dict[str, Any]] = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_CLASSES: Final = [f"class {k + 1}\nlogit {logit:g}" for k, logit in enumerate(numbers.LOGITS)]


@dataclass(frozen=True)
class Picture:
    """A picture written: its file and, in one line, what it shows."""

    path: Path
    shows: str


def example(data: numbers.Example, path: Path) -> Picture:
    """Draw plain softmax, one sample and the mean of many, side by side for each class."""
    shows = (
        "A soft sample leans to one class, not always the likeliest; over many, every class has its share."
    )
    figure, (axes,) = _figure(4.3, "One Gumbel-Softmax sample beside the softmax it is drawn from", shows)
    series = (
        ("softmax, no noise", data.plain, _GREY),
        (f"one sample, tau = {numbers.TAU:g}", data.sample, _VERMILION),
        (f"mean of {numbers.MEAN_OF:,} samples", data.mean, _BLUE),
    )
    _grouped_bars(axes, series)
    axes.set_ylabel("share of the class")
    axes.set_ylim(0, 1)
    axes.legend(**_LEGEND, loc="upper left")
    return _save(figure, path, shows)


def temperatures(data: numbers.Temperatures, path: Path) -> Picture:
    """Draw one row of panels per draw: plain softmax, the soft sample at each tau, the hard sample."""
    shows = "The same noise at falling tau: from nearly uniform to the one-hot of the hard sample."
    draws, columns = data.soft.shape[0], len(data.taus) + 2
    figure, panels = _figure(
        5.0, "Temperature: from soft to hard, for three draws of noise", shows, draws, columns
    )
    grid = np.reshape(np.array(panels, dtype=object), (draws, columns))
    places = np.arange(data.plain.size)
    for draw in range(draws):
        heights: list[tuple[str, NDArray[Any], str]] = [("softmax\nno noise", data.plain, _GREY)]
        heights += [
            (f"tau = {tau:g}", soft, _BLUE) for tau, soft in zip(data.taus, data.soft[draw], strict=True)
        ]
        heights.append(("hard", data.hard[draw], _VERMILION))
        for column, (title, values, colour) in enumerate(heights):
            axes = grid[draw, column]
            axes.bar(places, values, color=colour, width=0.8)
            axes.set_ylim(0, 1)
            axes.set_yticks([0, 0.5, 1])
            axes.set_xticks(places, [str(k + 1) for k in places])
            axes.tick_params(labelleft=column == 0, labelbottom=draw == draws - 1)
            if draw == 0:
                axes.set_title(title, fontsize=10)
            if column == 0:
                axes.set_ylabel(f"draw {draw + 1}")
    figure.supxlabel("class", fontsize=10, color=_INK)
    return _save(figure, path, shows)


def frequencies(data: numbers.Frequencies, path: Path) -> Picture:
    """Draw how often each class won under either noise, and the ratio to its softmax probability."""
    shows = "With Gumbel noise the winners follow the softmax; Gaussian noise of equal variance misses it."
    figure, (left, right) = _figure(4.3, "Only Gumbel noise samples from the softmax", shows, 1, 2)
    gumbel, gaussian = data.gumbel / data.draws, data.gaussian / data.draws
    series = (
        ("softmax probability", data.probabilities, _GREY),
        ("won under Gumbel noise", gumbel, _BLUE),
        ("won under Gaussian noise", gaussian, _ORANGE),
    )
    _grouped_bars(left, series, labels=False)
    left.set_ylabel(f"share of {data.draws:,} draws")
    left.legend(**_LEGEND, loc="upper left")

    places = np.arange(data.probabilities.size)
    right.axhline(1, color=_GREY, linewidth=1.5)
    for shares, chi_square, colour, marker, name in (
        (gumbel, data.gumbel_chi_square, _BLUE, "o", "Gumbel"),
        (gaussian, data.gaussian_chi_square, _ORANGE, "s", "Gaussian"),
    ):
        label = f"{name}, {data.verdict(chi_square)}"
        right.plot(places, shares / data.probabilities, marker, color=colour, markersize=9, label=label)
    right.set_xticks(places, _CLASSES)
    right.set_xlim(-0.5, places.size - 0.5)
    right.set_ylim(0, 1.1 * max(1, *(gumbel / data.probabilities), *(gaussian / data.probabilities)))
    right.set_ylabel("share / softmax probability")
    right.legend(loc="lower right", **_LEGEND)
    return _save(figure, path, shows)


def agreement(data: numbers.Agreement, path: Path) -> Picture:
    """Draw the largest error of every layer in units of its bound, and how many exact values are equal."""
    failed = sum(not check.passed for check in data.checks)
    shows = (
        f"{failed} of {len(data.checks)} comparisons FAIL: run gumbel4j validate."
        if failed
        else "The Java core agrees with NumPy: exact values are equal, all others inside their stated bounds."
    )
    layers = list(dict.fromkeys(check.layer for check in data.checks))
    figure, (axes,) = _figure(1.7 + 0.34 * len(layers), "Java against NumPy, layer by layer", shows)
    axes.axvline(1, color=_VERMILION, linewidth=1.5)
    axes.annotate(
        "stated bound", (1, -0.75), ha="center", va="bottom", color=_VERMILION, annotation_clip=False
    )
    for place, layer in enumerate(layers):
        checks = [check for check in data.checks if check.layer == layer]
        if checks[0].exact:
            count, wrong = sum(check.count for check in checks), sum(check.worst for check in checks)
            text = f"{count - wrong:,.0f} of {count:,} equal"
            axes.annotate(
                text, (0.012, place), va="center", color=_VERMILION if wrong else _GREEN, bbox=_PLATE
            )
            continue
        for check in checks:
            colour, marker, size = _TYPE_STYLES[check.dtype]
            axes.plot(check.worst, place, marker, color=colour, markersize=size, clip_on=False)
    present = {check.dtype for check in data.checks}
    for name, (colour, marker, size) in _TYPE_STYLES.items():
        if name in present:
            axes.plot([], [], marker, color=colour, markersize=size, label=name)
    axes.set_yticks(range(len(layers)), layers)
    axes.set_ylim(len(layers) - 0.5, -0.7)
    axes.set_xlim(0, max(1.08, *(1.05 * check.worst for check in data.checks if not check.exact)))
    axes.set_xlabel("largest error, in units of the stated bound", color=_INK)
    axes.legend(**_LEGEND, loc="lower right", bbox_to_anchor=(0.92, 0.02))
    return _save(figure, path, shows)


def _figure(
    height: float, title: str, shows: str, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a title, a line below it that says what it shows, and plain axes."""
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - _HEAD / height))
    figure.text(0.012, 1 - 0.10 / height, title, va="top", fontsize=13, fontweight="bold", color=_INK)
    figure.text(0.012, 1 - 0.37 / height, shows, va="top", fontsize=10, color=_INK)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_GREY)
        axes.tick_params(color=_GREY, labelcolor=_INK)
        axes.yaxis.label.set_color(_INK)
        axes.grid(axis="y", color=_FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
    return figure, list(grid.flat)


def _grouped_bars(axes: Axes, series: tuple[tuple[str, NDArray[Any], str], ...], labels: bool = True) -> None:
    """Draw each series as one bar per class, the series beside each other."""
    places = np.arange(series[0][1].size)
    width = 0.8 / len(series)
    for k, (name, values, colour) in enumerate(series):
        bars = axes.bar(
            places + (k - (len(series) - 1) / 2) * width, values, width * 0.94, color=colour, label=name
        )
        if labels:
            axes.bar_label(bars, fmt="%.2f", fontsize=9, color=_INK, padding=2)
    axes.set_xticks(places, _CLASSES)


def _save(figure: Figure, path: Path, shows: str) -> Picture:
    figure.savefig(path)
    return Picture(path, shows)
