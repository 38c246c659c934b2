"""The measurements as pictures, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from gumbel4j.bench.compare import FLOORS, OWN, PYTHON, Comparison
from gumbel4j.bench.overhead import COLD, COPIED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gumbel4j.bench.overhead import Figures
    from gumbel4j.bench.scaling import Scaling

# Okabe and Ito's colours, told apart by every kind of colour vision.
_COLOURS: Final = {
    "torch": "#D55E00",
    "JAX": "#0072B2",
    "NumPy": "#E69F00",
    "NumPy, tuned": "#F0C75E",
    "plain Java": "#7F7F7F",
}
_SERIES: Final = (("#0072B2", "o"), ("#D55E00", "s"), ("#E69F00", "^"))
_INK: Final = "#222222"
_GREY: Final = "#7F7F7F"
_FAINT: Final = "#D9D9D9"
_DPI: Final = 110


def draw_comparison(comparisons: Sequence[Comparison], facts: dict[str, str], path: Path) -> None:
    """Draw how many times slower than gumbel4j each contender is, as bars on a logarithmic scale."""
    names = list(dict.fromkeys(name for comparison in comparisons for name in comparison.times))
    names = [name for name in names if name not in (OWN, PYTHON, *FLOORS)]
    height = 1.5 + len(comparisons) * (0.21 * len(names) + 0.16)
    title = "Times slower than gumbel4j, in the same run"
    figure, axes = _figure(10.0, height, title, facts)
    bar = 0.84 / max(1, len(names))
    longest = 1.0
    for place, comparison in enumerate(comparisons):
        for k, name in enumerate(names):
            ratio = comparison.ratio(name)
            if ratio is None:
                continue
            longest = max(longest, ratio)
            y = place + (k - (len(names) - 1) / 2) * bar
            # A bar starts at 1, the time of gumbel4j, and goes left where a contender is faster.
            axes.barh(y, ratio - 1, bar * 0.92, left=1, color=_COLOURS.get(name, _GREY))
            text = f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"
            axes.annotate(
                text,
                (max(ratio, 1), y),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=_INK,
            )
    for name in names:
        axes.barh([0], [0], color=_COLOURS.get(name, _GREY), label=name)
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis)
    axes.set_xlim(0.6, 1.6 * longest)
    axes.axvline(1, color=_INK, linewidth=1.2)
    axes.set_yticks(range(len(comparisons)), [comparison.work.name for comparison in comparisons])
    axes.set_ylim(len(comparisons) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)
    axes.set_xlabel("times slower (logarithmic; 1 is gumbel4j's operator, timed inside Java)", color=_INK)
    if names:
        axes.legend(
            ncols=len(names), loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2
        )
    figure.savefig(path)


def draw_scaling(scaling: Scaling, facts: dict[str, str], path: Path) -> None:
    """Draw cost per element over the classes, time over the rows, and gain over the threads."""
    figure, _ = _figure(12.0, 4.6, "How gumbel4j's cost grows", facts, columns=3)
    by_classes, by_rows, by_threads = figure.axes
    classes, rows = scaling.series
    for operator, (colour, marker) in zip(classes.operators, _SERIES, strict=False):
        values = [point.value for point in classes.points]
        costs = [1e9 * point.times[operator].median / point.elements for point in classes.points]
        by_classes.plot(values, costs, marker=marker, color=colour, label=operator)
    by_classes.set_xscale("log", base=2)
    by_classes.set(xlabel="classes", ylabel="ns per element", title=classes.title)
    by_classes.set_ylim(bottom=0)

    values = [point.value for point in rows.points]
    for operator, (colour, marker) in zip(rows.operators, _SERIES, strict=False):
        microseconds = [1e6 * point.times[operator].median for point in rows.points]
        by_rows.plot(values, microseconds, marker=marker, color=colour, label=operator)
        slope = microseconds[-1] / values[-1]
        by_rows.plot(values, [slope * value for value in values], "--", color=colour, linewidth=1)
    by_rows.plot([], [], "--", color=_GREY, linewidth=1, label="proportional to rows")
    by_rows.set(xscale="log", yscale="log", xlabel="rows", ylabel="µs for a call", title=rows.title)

    _draw_gain(by_threads, scaling)
    for axes in figure.axes:
        axes.title.set_fontsize(10)
        axes.grid(color=_FAINT, linewidth=0.8)
        axes.legend(frameon=False, fontsize=9)
    figure.savefig(path)


def draw_bridge(figures: Figures, facts: dict[str, str], path: Path) -> None:
    """Draw the time of a call over the size of its array, inside Java, from Python, cold, and by peers."""
    figure, axes = _figure(8.0, 5.0, "What a call costs from Python", facts)
    markers = {OWN: "o", PYTHON: "s", COPIED: "^", COLD: "v"}
    colours = {OWN: "#0072B2", PYTHON: "#009E73", COPIED: "#E69F00", COLD: _GREY}
    for name in dict.fromkeys(name for _, times in figures.calls for name in times):
        points = [(4 * work.elements, times[name]) for work, times in figures.calls if name in times]
        label = "inside Java" if name == OWN else name
        axes.plot(
            [size for size, _ in points],
            [1e6 * times.median for _, times in points],
            marker=markers.get(name, "D"),
            color=colours.get(name, _COLOURS.get(name, _INK)),
            label=label,
        )
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="bytes of the logits", ylabel="µs for a call")
    axes.grid(color=_FAINT, linewidth=0.8)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path)


def _draw_gain(axes: Axes, scaling: Scaling) -> None:
    threads = [team.threads for team in scaling.threads]
    axes.plot(threads, threads, "--", color=_GREY, linewidth=1, label="ideal")
    together = [scaling.gains(team.times) for team in scaling.threads]
    apart = [scaling.gains(team.apart) for team in scaling.threads]
    for at, (name, (colour, marker)) in enumerate(zip(scaling.threads[0].times, _SERIES, strict=False)):
        axes.plot(threads, [gain[at] for gain in together], marker=marker, color=colour, label=name)
        axes.plot(threads, [gain[at] for gain in apart], ":", color=colour)
    axes.plot([], [], ":", color=_GREY, label="processes that share nothing")
    axes.set(xlabel="threads", ylabel="times faster than one thread", title="Threads")
    axes.set_xticks(threads)
    axes.set_ylim(bottom=0)


def _figure(
    width: float, height: float, title: str, facts: dict[str, str], columns: int = 1
) -> tuple[Figure, Axes]:
    """Make a figure with a title and below it a line that tells what ran where."""
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - 0.62 / height))
    figure.text(0.012, 1 - 0.10 / height, title, va="top", fontsize=13, fontweight="bold", color=_INK)
    told = [facts["machine"], f"gumbel4j {facts['gumbel4j']}"]
    told += [f"{name} {facts[name].split(',')[0]}" for name in ("torch", "JAX", "NumPy") if name in facts]
    told.append(facts["date"].split()[0])
    figure.text(0.012, 1 - 0.37 / height, "; ".join(told), va="top", fontsize=9, color=_INK)
    grid = figure.subplots(1, columns, squeeze=False)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_GREY)
        axes.tick_params(color=_GREY, labelcolor=_INK)
        axes.set_axisbelow(True)
    return figure, grid[0, 0]


def _plain_ticks(axis: Any) -> None:
    """Label a logarithmic axis with plain numbers at 1, 2, 5, 10, ..."""
    axis.set_ticks([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
