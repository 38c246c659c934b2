"""The measurements as tables of plain text, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gumbel4j.bench.compare import FLOORS, OWN, Comparison
from gumbel4j.bench.scaling import Scaling
from gumbel4j.bench.timing import Times

_TINY: Final = 1024
"""Works of fewer elements are told per call: what they cost is the call."""


def header(facts: dict[str, str]) -> str:
    """Lay out what ran where."""
    width = max(map(len, facts))
    return "\n".join(f"{name:{width}}  {text}" for name, text in facts.items())


def comparison_table(comparisons: Sequence[Comparison]) -> str:
    """Lay out times and ratios, one work a line."""
    columns = list(dict.fromkeys(name for comparison in comparisons for name in comparison.times))
    columns.sort(key=lambda name: name in FLOORS)
    times = [["ns per element", *columns]]
    ratios = [["times slower than gumbel4j", *(name for name in columns if name != OWN)]]
    for comparison in comparisons:
        name = comparison.work.name + (" (per call)" if _divisor(comparison) == 1 else "")
        times.append([name, *(_time(comparison, column) for column in columns)])
        ratios.append([name, *(_ratio(comparison, column) for column in columns if column != OWN)])
    remarks = "".join(f"\n{remark}" for comparison in comparisons for remark in comparison.remarks)
    floors = "memcpy: copying as many bytes as are read and written; raw words: Philox alone."
    return "\n\n".join(
        (
            _aligned(times) + "\nMedians; after ± half the distance of the quartiles.",
            _aligned(ratios) + f"\nMedians of the ratios in each round; below 1 is faster. {floors}{remarks}",
        )
    )


def comparison_json(facts: dict[str, str], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return all that was measured; times in nanoseconds for one call."""
    return {
        "facts": facts,
        "works": [
            {
                "name": comparison.work.name,
                "operator": comparison.work.operator,
                "rows": comparison.work.rows,
                "classes": comparison.work.classes,
                "dtype": comparison.work.dtype,
                "inner": comparison.work.inner,
                "remarks": comparison.remarks,
                "contenders": {
                    name: {**_times_json(times), "times_slower": comparison.ratio(name)}
                    for name, times in comparison.times.items()
                },
            }
            for comparison in comparisons
        ],
    }


def scaling_table(scaling: Scaling) -> str:
    """Lay out the cost per element as classes and rows grow, and the gain from threads."""
    tables = []
    for series in scaling.series:
        head = [series.axis, *(f"{operator}" for operator in series.operators)]
        lines = [head]
        for point in series.points:
            costs = [f"{1e9 * point.times[name].median / point.elements:.2f}" for name in series.operators]
            lines.append([f"{point.value:,}", *costs])
        tables.append(f"{series.title}: ns per element\n{_aligned(lines)}")
    lines = [["threads", *scaling.threads[0].times, *(f"{name}: gain" for name in scaling.threads[0].times)]]
    for point in scaling.threads:
        costs = [f"{1e3 * times.median:.2f} ms" for times in point.times.values()]
        gains = [
            f"{scaling.threads[0].times[name].median / times.median:.2f} x"
            for name, times in point.times.items()
        ]
        lines.append([str(point.value), *costs, *gains])
    tables.append(f"Threads\n{_aligned(lines)}")
    return "\n\n".join(tables)


def scaling_json(facts: dict[str, str], scaling: Scaling) -> dict[str, Any]:
    """Return all that was measured; times in nanoseconds for one call."""
    series = [(series.axis, series.points) for series in scaling.series]
    return {
        "facts": facts,
        "scaling": {
            axis: [
                {
                    axis: point.value,
                    "elements": point.elements,
                    "times": {name: _times_json(times) for name, times in point.times.items()},
                }
                for point in points
            ]
            for axis, points in [*series, ("threads", scaling.threads)]
        },
    }


def _divisor(comparison: Comparison) -> int:
    """Return what a time is divided by: the elements, or 1 for a call that is told as a whole."""
    return 1 if comparison.work.elements < _TINY else comparison.work.elements


def _time(comparison: Comparison, contender: str) -> str:
    times = comparison.times.get(contender)
    if times is None:
        return "-"
    return f"{_digits(1e9 * times.median / _divisor(comparison))} ±{100 * times.spread:.0f}%"


def _ratio(comparison: Comparison, contender: str) -> str:
    ratio = comparison.ratio(contender)
    return "-" if ratio is None else f"{_digits(ratio)} x"


def _digits(value: float) -> str:
    """Return a positive number with about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _times_json(times: Times) -> dict[str, Any]:
    return {
        "median": 1e9 * times.median,
        "lowest": 1e9 * times.lowest,
        "spread": times.spread,
        "samples": [1e9 * sample for sample in times.samples],
    }


def _aligned(lines: list[list[str]]) -> str:
    """Lay out columns: the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
