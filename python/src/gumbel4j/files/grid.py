"""Which part of an array is worked on at a time: boxes of whole rows that fit a budget.

Rows are numbered in C order over the axes other than the classes', however the file is laid out, since their
noise goes by that number. A box is a range along each of those axes. Its rows form one or more runs of
consecutive numbers, each of which is one call.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Ranges = tuple[slice, ...]

_READ_BYTES: Final = 4096  # a page: what the disk is asked for at least, if rows lie scattered


@dataclass(frozen=True)
class Grid:
    """An array's rows divided into boxes.

    Attributes
    ----------
    sizes
        The array's shape without the axis of the classes.
    extents
        The shape of a box; those at the upper ends may be smaller.
    is_scattered
        Whether little of a box lies side by side in the file.
    """

    sizes: tuple[int, ...]
    extents: tuple[int, ...]
    is_scattered: bool = False

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of boxes along each axis."""
        return tuple(-(-size // extent) for size, extent in zip(self.sizes, self.extents, strict=True))

    def __len__(self) -> int:
        return math.prod(self.counts)

    def box(self, number: int) -> Ranges:
        """Return a box by its number, in C order."""
        ranges = []
        for size, extent, count in zip(
            reversed(self.sizes), reversed(self.extents), reversed(self.counts), strict=True
        ):
            number, at = divmod(number, count)
            ranges.append(slice(at * extent, min(size, (at + 1) * extent)))
        return tuple(reversed(ranges))

    def runs(self, box: Ranges) -> Iterator[tuple[Ranges, int]]:
        """Divide a box into runs of consecutive rows: ranges counted from the box's start, and first row."""
        whole = len(self.sizes)
        while whole > 0 and extent(box[whole - 1]) == self.sizes[whole - 1]:
            whole -= 1
        outer = max(whole - 1, 0)  # a part of one axis, and all of those behind it, is consecutive
        inner = tuple(slice(0, extent(side)) for side in box[outer:])
        for index in itertools.product(*(range(extent(side)) for side in box[:outer])):
            first = 0
            starts = [side.start + at for side, at in zip(box[:outer], index, strict=True)]
            starts += [side.start for side in box[outer:]]
            for size, start in zip(self.sizes, starts, strict=True):
                first = first * size + start
            yield (*(slice(at, at + 1) for at in index), *inner), first


def extent(side: slice) -> int:
    """Return the length of a range."""
    return int(side.stop - side.start)


def divide(shape: tuple[int, ...], axis: int, is_fortran: bool, itemsize: int, budget: int) -> Grid:
    """Divide an array in a file into boxes of whole rows.

    Parameters
    ----------
    shape, axis
        The array's shape, and the axis of its classes, not negative.
    is_fortran
        Whether the first axis is the one whose elements are neighbours in the file, instead of the last.
    itemsize
        The size of an element in bytes.
    budget
        The size of a box in bytes, exceeded where a single row is larger, and up to twice where rows
        lie scattered in the file: the more of them are in a box, the longer are the stretches to read.
    """
    sizes = shape[:axis] + shape[axis + 1 :]
    classes = shape[axis]
    extents = [1] * len(sizes)
    rows = max(1, budget // (classes * itemsize))

    def grow(order: Iterator[int], wanted: int) -> None:
        for at in order:
            others = math.prod(extents) // extents[at]
            extents[at] = max(extents[at], min(max(sizes[at], 1), wanted // others))
            if extents[at] < sizes[at]:
                return

    inward = range(len(sizes))
    neighbours = 0 if is_fortran else len(shape) - 1
    run = itemsize * (classes if axis == neighbours else 1)
    wanted = min(-(-_READ_BYTES // run), math.prod(sizes))
    is_scattered = wanted > rows
    rows = max(rows, min(wanted, 2 * budget // (classes * itemsize)))
    # First along the axes whose elements are neighbours in the file, then so that rows are consecutive.
    grow(iter(inward if is_fortran else reversed(inward)), min(rows, wanted))
    grow(reversed(inward), rows)
    return Grid(sizes, tuple(extents), is_scattered)
