"""`sample_file`: from a file of logits to a file of samples, of any size and in bounded memory."""

from __future__ import annotations

import importlib.metadata
import math
import operator
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gumbel4j.files import array_sampler, table_sampler
from gumbel4j.files.errors import SampleError, reading, writing
from gumbel4j.files.partial_output import FILE_OF, PartialOutput, identity
from gumbel4j.files.sampler import Drawn, Kind, Request, Sampler
from gumbel4j.functions import shared_session
from gumbel4j.generator import Generator, resolve

if TYPE_CHECKING:
    from gumbel4j.session import Session

SLICE_BYTES: Final = 1 << 24
"""How much is read at once; four times this, about, is held."""

_KINDS: Final = ("soft", "hard", "categorical")
_ARRAY_SUFFIXES: Final = (".npy", ".npz")
_TABLE_SUFFIXES: Final = (".arrow", ".feather", ".parquet")


def sample_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    kind: Kind = "soft",
    *,
    tau: float | str | os.PathLike[str] = 1.0,
    axis: int = -1,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    names: Sequence[str] = (),
    resume: bool = False,
    session: Session | Callable[[], Session] | None = None,
    slice_bytes: int = SLICE_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Drawn, ...]:
    """Draw one sample for each row of the logits in a file, and write the samples into a file.

    The samples are those that `gumbel_softmax` and `categorical` draw from the whole array, to the last bit.
    Files may be larger than memory: they are read and written in slices.

    Parameters
    ----------
    source
        The file of logits, told by its first bytes: .npy (float16, float32 or float64; C or Fortran order;
        either byte order), .npz, or a table, an Arrow IPC file (Feather) or Parquet, whose columns of
        fixed-size lists are logits, a row each; tables need pyarrow: `pip install gumbel4j[arrow]`.
    target
        The file to write: .npy or .npz for arrays (C order; not compressed), .arrow, .feather or .parquet
        for tables, whose other columns are copied. It appears when it is whole, and may be `source`.
    kind
        "soft" or "hard" as in `gumbel_softmax`, or "categorical": int32 indices.
    tau
        Temperature of soft samples: a number, or the path of a .npy file of them that broadcasts to the shape
        of the logits with size 1 along `axis`. Tables take a number.
    axis
        The axis of the classes. Tables have theirs in the lists.
    seed, stream, first_row
        As in `gumbel_softmax`. The second array of a file gets the next stream, and so on. When resuming,
        None stands for the seed and stream of the work that is resumed.
    names
        The members or columns to draw from; none for all (of a table: all fixed-size lists of floats).
    resume
        Go on with the unfinished output that an earlier call with the same arguments left, however it ended;
        the file becomes the same, to the last byte. If there is none, start from the beginning.
    session
        Where to draw, or a function that returns it, called when nothing else can be refused any more; None
        for the one behind the module's functions.
    slice_bytes
        How much is read at once. About four times this is held in shared memory. A row is never divided, nor
        is a record batch of a compressed Arrow file: it is expanded as a whole.
    progress
        Called with the numbers of rows that are done and of all, in this thread, after each slice.

    Returns
    -------
    tuple of Drawn
        What was written, array by array.

    Raises
    ------
    SampleError
        A ValueError: an argument or what a file holds cannot be used, or differs from what is resumed. A bad
        row is named by its number in the whole array. Nothing is left behind.
    FileError
        An OSError: a file cannot be read or written, there is not enough room (the message has the sizes),
        or another process writes the same target.
    ImportError
        If a table needs pyarrow and it is missing.
    MemoryError, RuntimeError
        As `gumbel_softmax`.

    Notes
    -----
    Unfinished output lies beside the target as `.NAME.partial` and `.NAME.partial.json`. It stays after
    Ctrl-C, a full disk or the end of the process, safe on the disk up to the last two seconds; the errors
    carry a note that says so. A process that is killed may leave `.NAME.partial.reserve` and `.NAME.made` as
    well; the next call with this target removes them. A call without `resume` starts anew, unless it is
    refused. A file that was copied, moved or changed in any way counts as another, and work is not resumed
    with it.
    """
    source, target = Path(source), Path(target)
    if kind not in _KINDS:
        raise SampleError(f"kind = {kind!r}: must be one of {', '.join(_KINDS)}")
    axis = _integer("axis", axis)
    first_row = _integer("first_row", first_row, 0)
    slice_bytes = _integer("slice_bytes", slice_bytes, 1)
    names = _distinct(names)
    if target.suffix not in (*_ARRAY_SUFFIXES, *_TABLE_SUFFIXES):
        allowed = ", ".join((*_ARRAY_SUFFIXES, *_TABLE_SUFFIXES))
        raise SampleError(f"cannot write {target}: its name must end in one of {allowed}")
    with ExitStack() as files:
        with reading(source):
            file = files.enter_context(source.open("rb"))
            before = os.fstat(file.fileno())
            magic = os.pread(file.fileno(), 6, 0)
        is_table = magic.startswith(table_sampler.MAGICS)
        if is_table != (target.suffix in _TABLE_SUFFIXES):
            held = "a table" if is_table else "arrays"
            allowed = " or ".join(_TABLE_SUFFIXES if is_table else _ARRAY_SUFFIXES)
            raise SampleError(
                f"cannot write {target}: {source} holds {held}, so its name must end in {allowed}"
            )
        request = Request(kind, _temperature(tau), axis, first_row, names)
        sampler: Sampler
        if is_table:
            sampler = table_sampler.TableSampler(source, target, request, files)
        else:
            sampler = array_sampler.ArraySampler(source, file, target, request, files)
        partial = PartialOutput(target, resume=resume)
        try:
            recorded = partial.recorded or {}
            sampler.plan(
                _keys(seed, stream, sampler.count, recorded), int(recorded.get("slice_bytes", slice_bytes))
            )
            partial.need(sampler.nbytes, sampler.copies)
            partial.begin(
                {
                    "gumbel4j": importlib.metadata.version("gumbel4j"),
                    f"{FILE_OF}logits": identity(source, before),
                    "kind": kind,
                    "first_row": first_row,
                    "slice_bytes": slice_bytes,
                    **sampler.parameters,
                }
            )
        except BaseException:
            partial.abandon()
            raise
        with _kept_or_removed(partial):
            ready = session() if callable(session) else session or shared_session()
            sampler.run(ready, partial, progress)
            after = os.fstat(file.fileno())
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise SampleError(f"{source} was changed while it was read")
            with writing(target):
                partial.save()
            partial.finish(sampler.finish(partial))
        return sampler.drawn


def _integer(name: str, value: Any, least: int | None = None) -> int:
    """Return an argument that must be an integer, not smaller than the least allowed."""
    allowed = "an integer" if least is None else f"an integer, {least} or more"
    try:
        if isinstance(value, bool):
            raise TypeError("a bool is no number here")
        number = operator.index(value)
    except TypeError:
        raise SampleError(f"{name} = {value!r}: must be {allowed}") from None
    if least is not None and number < least:
        raise SampleError(f"{name} = {number}: must be {allowed}")
    return number


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, none of which is given twice."""
    allowed = "must be a list of different names"
    if isinstance(names, str):  # else its letters would be the names
        raise SampleError(f"names = {names!r}: {allowed}, such as [{names!r}]")
    try:
        given = list(names)
    except TypeError:
        raise SampleError(f"names = {names!r}: {allowed}") from None
    for number, name in enumerate(given):
        if not isinstance(name, str):
            raise SampleError(f"names = {given!r}: {allowed}; {name!r} is no string")
        if name in given[:number]:
            raise SampleError(f"names = {given!r}: {allowed}; {name!r} is there twice")
    return given


def _temperature(tau: float | str | os.PathLike[str]) -> float | Path:
    """Return a number that is checked, or a path."""
    if isinstance(tau, str | os.PathLike):
        return Path(tau)
    try:
        number = float(tau)
    except (TypeError, ValueError, OverflowError):
        raise SampleError(f"tau = {tau!r}: must be a number or the path of a .npy file") from None
    if not 0 <= number < math.inf:
        raise SampleError(f"tau = {number}: must be finite and not negative")
    return number


def _keys(
    seed: int | Generator | None, stream: int | None, count: int, recorded: dict[str, Any]
) -> list[tuple[int, int]]:
    """Return the seed and stream of each array."""
    if seed is None and stream is None and len(recorded.get("keys", ())) == count:
        return [(int(key[0]), int(key[1])) for key in recorded["keys"]]
    try:
        if seed is None or isinstance(seed, Generator):
            return [resolve(seed, stream) for _ in range(count)]
        key, first = resolve(seed, stream)
        following = Generator(key, stream=first)
        return [following.next() for _ in range(count)]
    except (TypeError, ValueError) as error:
        raise SampleError(str(error)) from error


@contextmanager
def _kept_or_removed(partial: PartialOutput) -> Iterator[None]:
    """Keep the unfinished output if it can be gone on with, and say so in a note to the error."""
    try:
        yield
    except BaseException as error:
        is_stopped = isinstance(error, OSError | MemoryError | RuntimeError | KeyboardInterrupt)
        if partial.is_finished:
            partial.discard()
            error.add_note(f"{partial.target} is whole")
        elif is_stopped and partial.done:
            error.add_note(partial.keep(error))
        else:
            partial.discard()
        raise
