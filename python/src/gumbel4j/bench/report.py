"""The measurements as tables of plain text, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gumbel4j.bench.compare import FLOORS, OWN, PYTHON, Comparison
from gumbel4j.bench.overhead import BATCH, EMPTY, PLAIN, SINGLE, SMALL, Figures
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


def bridge_table(figures: Figures) -> str:
    """Lay out what the bridge costs, with what it may at most."""
    small = figures.first_call[SMALL].times_slower_than(figures.first_call[PLAIN])
    gain = figures.batch[SINGLE].times_slower_than(figures.batch[BATCH])
    memory = figures.memory
    lines = [
        ["", "measured", "to be"],
        ["first result of a new session", f"{figures.starts.median:.2f} s", "at most 0.5 s"],
        ["the 50 calls after it, each, µs", _microseconds(figures.early_calls), ""],
        ["empty round trip of Py4J's own client, µs", _microseconds(figures.first_call[PLAIN]), ""],
        ["empty round trip of the bridge, µs", _microseconds(figures.first_call[EMPTY]), ""],
        ["call on 1 x 10, µs", _microseconds(figures.first_call[SMALL]), ""],
        ["  times an empty round trip of Py4J", f"{small:.2f} x", "at most 1.15 x"],
        ["each of 1,000 calls on 10 classes, µs", _microseconds(figures.batch[SINGLE], 1000), ""],
        ["  in a batch, µs", _microseconds(figures.batch[BATCH], 1000), ""],
        ["  times cheaper in a batch", f"{gain:.0f} x", "at least 50 x"],
        ["idle Java", "-" if memory.idle is None else f"{memory.idle / 2**20:.0f} MiB", "at most 100 MiB"],
        ["page faults of a warm call, 4 MiB", f"{memory.python_faults:.1f}", "0"],
        ["  in Java", "-" if memory.java_faults is None else f"{memory.java_faults:.1f}", ""],
    ]
    names = list(dict.fromkeys(name for _, times in figures.calls for name in times))
    calls = [["µs for a call", *names, "beyond the work", "torch / from Python"]]
    for work, times in figures.calls:
        beyond = times[PYTHON].median - times[OWN].median
        peer = times.get("torch")
        calls.append(
            [
                f"{_binary(4 * work.elements)}: {work.name}",
                *(_microseconds(times[name]) for name in names),
                f"{_digits(max(0.0, 1e6 * beyond))}",
                "-" if peer is None else f"{_digits(peer.times_slower_than(times[PYTHON]))} x",
            ]
        )
    legend = (
        "Medians; after ± half the distance of the quartiles. gumbel4j: the work inside Java; from Python:\n"
        "a whole call on shared memory, with a new result; copied in: on an array of NumPy's own; cold:\n"
        "with a result in memory that nobody has touched; beyond the work: from Python less gumbel4j."
    )
    remarks = "".join(f"\n{remark}" for remark in figures.remarks)
    return f"{_aligned(lines)}\n\n{_aligned(calls)}\n{legend}{remarks}"


def bridge_json(facts: dict[str, str], figures: Figures) -> dict[str, Any]:
    """Return all that was measured; times in nanoseconds for one call, or for the 1,000 of a batch."""
    memory = figures.memory
    groups = {"first_call": figures.first_call, "batch": figures.batch}
    return {
        "facts": facts,
        "bridge": {
            "starts": _times_json(figures.starts),
            "early_calls": _times_json(figures.early_calls),
            **{
                group: {name: _times_json(times) for name, times in of_group.items()}
                for group, of_group in groups.items()
            },
            "calls": [
                {
                    "name": work.name,
                    "bytes": 4 * work.elements,
                    "contenders": {name: _times_json(times) for name, times in of_work.items()},
                }
                for work, of_work in figures.calls
            ],
            "idle_bytes": memory.idle,
            "page_faults": {"python": memory.python_faults, "java": memory.java_faults},
            "remarks": figures.remarks,
        },
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
    lines = [["threads", "", *scaling.threads[0].times]]
    for team in scaling.threads:
        lines.append(
            [str(team.threads), "time", *(f"{1e3 * times.median:.2f} ms" for times in team.times.values())]
        )
        if team.threads > 1:
            lines.append(["", "gain", *(f"{gain:.2f} x" for gain in scaling.gains(team.times))])
            lines.append(["", "gain of processes", *(f"{gain:.2f} x" for gain in scaling.gains(team.apart))])
    legend = (
        "Medians; gains are medians of the ratios in each round. gain of processes: of as many that work\n"
        "at once with one thread each and share nothing; more the machine does not give."
    )
    tables.append(f"Threads\n{_aligned(lines)}\n{legend}")
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
            for axis, points in series
        }
        | {
            "threads": [
                {
                    "threads": team.threads,
                    "times": {name: _times_json(times) for name, times in team.times.items()},
                    "processes": {name: _times_json(times) for name, times in team.apart.items()},
                }
                for team in scaling.threads
            ]
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


def _microseconds(times: Times, calls: int = 1) -> str:
    return f"{_digits(1e6 * times.median / calls)} ±{100 * times.spread:.0f}%"


def _binary(nbytes: int) -> str:
    """Return a size that is a power of two in its largest unit."""
    power = min(3, (nbytes.bit_length() - 1) // 10)
    return f"{nbytes >> 10 * power} {('B', 'KiB', 'MiB', 'GiB')[power]}"


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
