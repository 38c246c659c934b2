"""The command line: `gumbel4j demo | validate | sample | info | bench | soak`.

Exit status: 0 all well; 1 a validation or a soak failed; 2 the arguments, a file or the Java installation
cannot be used, said in one message on standard error; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import gumbel4j
from gumbel4j.bench.machine import MAX_ISAS, cap
from gumbel4j.files import SampleError, sample_file
from gumbel4j.generator import Generator

_SECONDS_BETWEEN_SIGNS: Final = 10.0
"""Of life, in a command that takes long."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gumbel4j.session import Session


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; `argv` defaults to the process's own arguments."""
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every file name has characters
    try:
        status: int = args.run(args)
        if sys.stdout is not None:  # it may have been closed
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has had enough of it, as in `gumbel4j demo | head`
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # Python flushes it once more at its end
        return 141
    except (SampleError, OSError, RuntimeError, MemoryError, ImportError) as error:
        print(f"gumbel4j {args.command}: error: {_with_notes(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"gumbel4j {args.command}: {_with_notes(error, 'interrupted')}", file=sys.stderr)
        return 130
    return status


def _with_notes(error: BaseException, text: str = "") -> str:
    """Return the message of an error in one line, or `text` instead, and what was noted of it."""
    return "; ".join([text or str(error), *getattr(error, "__notes__", ())])


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gumbel4j", description="Gumbel-Softmax samples, drawn by a Java core.")
    parser.add_argument("--version", action="version", version=f"gumbel4j {gumbel4j.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    engine = _Parser(add_help=False)
    group = engine.add_argument_group("engine")
    group.add_argument("--backend", choices=("auto", "native", "java"), default="auto", help="default: auto")
    group.add_argument(
        "--threads", type=_integer, metavar="N", help="default: every core; bench but for --scaling: one"
    )
    group.add_argument("--java-home", metavar="DIR", help="default: looked for in the usual places")

    demo = commands.add_parser("demo", parents=[engine], help="show in numbers and pictures what it does")
    demo.add_argument(
        "--out", type=Path, default=Path("gumbel4j-demo"), metavar="DIR", help="folder of the pictures"
    )
    demo.set_defaults(run=_demo)

    validate = commands.add_parser(
        "validate", parents=[engine], help="check Java against NumPy, layer by layer"
    )
    validate.add_argument("--json", type=_new_file, metavar="FILE", help="write the table to FILE as well")
    validate.set_defaults(run=_validate)

    draw = commands.add_parser(
        "sample", parents=[engine], help="draw samples from a file of logits, of any size, into a file"
    )
    draw.add_argument(
        "logits", type=Path, help=".npy, .npz, Arrow IPC (Feather) or Parquet; float16, float32 or float64"
    )
    draw.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write: .npy, .npz, .arrow, .feather or .parquet",
    )
    draw.add_argument(
        "--tau",
        type=_temperature,
        default=1.0,
        metavar="TAU",
        help="temperature of soft samples, or a .npy file of one for each row (default: 1)",
    )
    kinds = draw.add_mutually_exclusive_group()
    kinds.add_argument(
        "--hard", dest="kind", action="store_const", const="hard", help="one-hot samples; tau has no effect"
    )
    kinds.add_argument(
        "--categorical",
        dest="kind",
        action="store_const",
        const="categorical",
        help="int32 class indices; tau has no effect",
    )
    draw.add_argument(
        "--axis", type=_integer, default=-1, metavar="N", help="axis of the classes (default: -1)"
    )
    draw.add_argument(
        "--seed", type=_integer, metavar="N", help="0 to 2**64 - 1 (default: drawn and printed)"
    )
    draw.add_argument("--stream", type=_integer, metavar="N", help="number of the draw (default: 0)")
    draw.add_argument(
        "--first-row",
        type=_integer,
        default=0,
        metavar="N",
        help="row of a larger array at which the logits start",
    )
    draw.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="member of a .npz file or column of a table, may be repeated (default: all)",
    )
    draw.add_argument(
        "--resume", action="store_true", help="go on with what an earlier, unfinished run left, if it did"
    )
    draw.add_argument("--quiet", action="store_true", help="print nothing but errors")
    draw.set_defaults(run=_sample, kind="soft")

    bench = commands.add_parser(
        "bench", parents=[engine], help="measure it beside torch, JAX and NumPy, where installed"
    )
    kinds = bench.add_mutually_exclusive_group()
    kinds.add_argument("--size", type=_shape, metavar="ROWSxCLASSES", help="every operator at this shape")
    kinds.add_argument(
        "--scaling", action="store_true", help="how the cost grows with classes, rows and threads"
    )
    kinds.add_argument(
        "--bridge",
        action="store_true",
        help="what a call costs beyond its work, the start, batches, memory; beside torch",
    )
    bench.add_argument("--only", default="", metavar="TEXT", help="only works with TEXT in their name")
    bench.add_argument(
        "--seconds", type=_positive, default=120.0, metavar="S", help="about how long (default: 120)"
    )
    bench.add_argument(
        "--quick", action="store_true", help="a try that takes seconds; its figures mean nothing"
    )
    bench.add_argument(
        "--max-isa", choices=MAX_ISAS, help="cap the instruction set of gumbel4j, torch and JAX alike"
    )
    bench.add_argument("--json", type=_new_file, metavar="FILE", help="write every sample to FILE")
    bench.add_argument("--plot", type=_picture, metavar="FILE", help="draw a picture: .png, .svg or .pdf")
    bench.set_defaults(run=_bench)

    soak = commands.add_parser("soak", help="disturb sessions for a while, and check every result")
    soak.add_argument("--minutes", type=_positive, default=1.0, metavar="N", help="how long (default: 1)")
    soak.add_argument(
        "--seed", type=_seed, metavar="N", help="chooses what happens (default: drawn and printed)"
    )
    soak.add_argument("--json", type=_new_file, metavar="FILE", help="write the counters to FILE as well")
    soak.set_defaults(run=_soak)

    info = commands.add_parser("info", parents=[engine], help="versions, Java, backend, data plane, threads")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_info)
    return parser


def _integer(text: str) -> int:
    """Read a decimal, 0x, 0o or 0b integer."""
    for base in (0, 10):  # 007 is of base 10 alone
        with contextlib.suppress(ValueError):
            return int(text, base)
    raise argparse.ArgumentTypeError(f"{text!r} is not an integer")


def _seed(text: str) -> int:
    """Read a seed."""
    seed = _integer(text)
    if not 0 <= seed < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not in [0, 2**64)")
    return seed


def _temperature(text: str) -> float | Path:
    """Read a number or the name of a .npy file."""
    try:
        return float(text)
    except ValueError:
        if text.endswith(".npy"):
            return Path(text)
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number nor the name of a .npy file"
        ) from None


def _shape(text: str) -> tuple[int, int]:
    """Read rows and classes with an x between them."""
    rows, _, classes = text.partition("x")
    if not (rows.isdecimal() and classes.isdecimal() and int(rows) and int(classes)):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ROWSxCLASSES, such as 4096x1024")
    return int(rows), int(classes)


def _positive(text: str) -> float:
    """Read a positive number."""
    with contextlib.suppress(ValueError):
        number = float(text)
        if 0 < number < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")


def _new_file(text: str) -> Path:
    """Read the name of a file that can be written, which may be long after."""
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file")
    return path


def _picture(text: str) -> Path:
    """Read the name of a picture that can be drawn."""
    path = _new_file(text)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise argparse.ArgumentTypeError(f"{text!r} must end in .png, .svg or .pdf")
    return path


def _session(args: argparse.Namespace, **instead: Any) -> Session:
    options = {"threads": args.threads, "backend": args.backend, "java_home": args.java_home}
    try:
        return gumbel4j.Session(**(options | instead))
    except (TypeError, ValueError) as error:
        raise SampleError(str(error)) from error


def _demo(args: argparse.Namespace) -> int:
    from gumbel4j import demo  # here: it imports matplotlib, which the other commands do without

    with _session(args) as session:
        for line in demo.run(session, args.out):
            print(line, flush=True)
    return 0


def _validate(args: argparse.Namespace) -> int:
    from gumbel4j import validate

    with _session(args) as session:
        checks = validate.run(session)
    print(validate.table(checks))
    if args.json is not None:
        args.json.write_text(json.dumps([check.as_dict() for check in checks], indent=1) + "\n")
    return 0 if all(check.passed for check in checks) else 1


def _sample(args: argparse.Namespace) -> int:
    seed = args.seed
    if seed is None and not (args.resume and args.stream is None):
        seed = Generator().seed  # else that of the work that is resumed, if there is any
    is_shown = sys.stderr.isatty() and not args.quiet
    with contextlib.ExitStack() as stack, _progress_bar(is_shown=is_shown) as progress:
        drawn = sample_file(
            args.logits,
            args.output,
            args.kind,
            tau=args.tau,
            axis=args.axis,
            seed=seed,
            stream=args.stream,
            first_row=args.first_row,
            names=args.name,
            resume=args.resume,
            session=lambda: stack.enter_context(_session(args)),
            progress=progress,
        )
    kind = f"soft, tau {args.tau}" if isinstance(args.tau, Path) else f"soft, tau {args.tau:g}"
    for samples in drawn if not args.quiet else ():
        place = f"{args.output}[{samples.name}]" if samples.name else f"{args.output}"
        shape = " x ".join(map(str, samples.shape)) or "one value"
        print(
            f"{place}: {shape}, {samples.dtype}, {kind if args.kind == 'soft' else args.kind}, "
            f"seed {samples.seed}, stream {samples.stream}"
        )
    return 0


@contextlib.contextmanager
def _progress_bar(*, is_shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show how many rows are done, on standard error."""
    if not is_shown:
        yield None
        return
    from tqdm import tqdm  # here: the other commands do without

    with tqdm(unit=" rows", unit_scale=True, dynamic_ncols=True, leave=False) as bar:

        def show(done: int, total: int) -> None:
            if bar.total is None:
                bar.reset(total)
                bar.initial = bar.n = done
            bar.update(done - bar.n)

        yield show


def _bench(args: argparse.Namespace) -> int:
    from gumbel4j import bench

    def sessions(*, threads: int, backend: str | None = None) -> Session:
        return _session(args, threads=threads, backend=backend or args.backend)

    def progress(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if args.only and (args.scaling or args.bridge):
        raise SampleError(f"--only = {args.only!r}: goes with no mode or --size; leave it out")
    if args.max_isa is not None:
        cap(args.max_isa)
    options = {"seconds": args.seconds, "threads": args.threads, "is_quick": args.quick}
    try:
        if args.scaling:
            report = bench.scaling(sessions, progress, **options)
        elif args.bridge:
            report = bench.bridge(sessions, progress, **options)
        else:
            report = bench.comparison(sessions, progress, size=args.size, only=args.only, **options)
    except ValueError as error:
        raise SampleError(str(error)) from error
    print(report.text, flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(report.data, indent=1) + "\n")
    if args.plot is not None:
        report.draw(args.plot)
    return 0


def _soak(args: argparse.Namespace) -> int:
    from gumbel4j.soak import Counters, soak

    seed = Generator().seed if args.seed is None else args.seed
    shown = time.monotonic()

    def progress(counters: Counters) -> None:
        nonlocal shown
        if time.monotonic() - shown > _SECONDS_BETWEEN_SIGNS:
            shown = time.monotonic()
            print(f"round {counters.rounds}: {counters.calls} results right", file=sys.stderr, flush=True)

    counters = soak(args.minutes, seed, progress)
    facts = {"minutes": args.minutes, "seed": seed, **counters.as_dict()}
    problems = facts.pop("problems")
    width = max(map(len, facts))
    for name, value in facts.items():
        text = f"{value:,}" if isinstance(value, int) and name not in ("seed", "is_clean") else f"{value}"
        print(f"{name.replace('_', ' '):{width}}  {text}")
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    if args.json is not None:
        args.json.write_text(json.dumps(facts | {"problems": problems}, indent=1) + "\n")
    return 0 if counters.is_clean else 1


def _info(args: argparse.Namespace) -> int:
    with _session(args) as session:
        facts = session.info()
    if args.json:
        print(json.dumps(facts, indent=1))
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            print(f"{name.replace('_', ' '):{width}}  {value}")
    return 0
