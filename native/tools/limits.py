"""Shows how near the loops of a soft sample come to what a processor can do, and prints the tables of native/LIMITS.md.

For each loop of a tier: its instructions, the fewest cycles that the pipes of AMD's Zen 3 need for them, and the cycles it
takes here, all for one vector of elements. The pipes, from AMD's "Software Optimization Guide for AMD Family 19h Processors"
(publication 56665): four, of which an operation can use some; two loads and one store of a vector a cycle; six operations begin
in a cycle. For avx512 the same are taken, twice as wide. Needs gcc, whose labels it knows; the cycles taken are left out on
a machine that lacks the tier, and mean more than the fewest on one that is no Zen 3:

    python native/tools/limits.py [avx2 | avx512]          some seconds
"""

import ctypes
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

FLAGS = "-O3 -fPIC -fno-omit-frame-pointer -std=c11 -ffp-contract=off -fno-math-errno -fno-trapping-math -w"
FLAGS_OF = {
    "avx2": "-mavx2 -mfma -mf16c",
    "avx512": "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mprefer-vector-width=512",
}
VECTOR_BYTES = {"avx2": 32, "avx512": 64}
BYTES_OF = {"float32": 4, "float64": 8}

# The pipes that an operation can use, by the start of its name; the first that fits.
PIPES = [
    ("vpmul", "03"),
    ("vf|vmul|vdiv|vcmp|vmax|vmin|vblendv", "01"),
    ("vadd|vsub|vcvt", "23"),
    ("vpsrl|vpsll|vpsra|vpshuf|vshuf|vpbroadcast|vbroadcast|vperm", "12"),
    ("vp|vand|vor|vxor", "0123"),
]
# A division takes the place of three operations on its pipe, and ends so many cycles after the one before: print_divisions.
SLOTS_OF_DIVISION = 3
CYCLES_OF_DIVISION = {"vdivps": 3.5, "vdivpd": 4.5}
LOOPS = ["words", "survivals", "logs", "noise", "perturb", "exp_parts", "exp", "scale"]
UNROLLED = ["survivals", "noise", "perturb", "scale"]
CHAINS = {
    "ten rounds of Philox": "philox",
    "noise of the words": "noise",
    "less the largest": "largest",
    "over tau, exponential": "exp",
    "over the sum": "scale",
}


def innermost_loop(assembly: str, function: str) -> list[str]:
    """The instructions of the longest loop of a function that holds no other."""
    body = assembly[assembly.index(f"\n{function}:\n") :]
    lines = body[: body.index("\t.size\t")].splitlines()
    places = {line[:-1]: number for number, line in enumerate(lines) if re.match(r"\.L\w+:$", line)}
    loops = []
    for end, line in enumerate(lines):
        jump = re.match(r"\tj\w+\t(\.L\w+)$", line)
        if jump and places.get(jump[1], end) < end:
            loops.append((places[jump[1]], end + 1))
    inner = [(a, b) for a, b in loops if not any((a, b) != (c, d) and a <= c and d <= b for c, d in loops)]
    start, end = max(inner, key=lambda loop: loop[1] - loop[0])
    return [line.strip() for line in lines[start:end] if re.match(r"\t[a-z]", line)]


def pipes_of(instruction: str) -> str:
    """The pipes that an instruction can use; none for a move, a broadcast from memory, or what is no vector's."""
    name, _, operands = instruction.partition("\t")
    if re.match("vmov|vpbroadcast|vbroadcast", name) and not operands.startswith("%"):
        return ""
    return next((pipes for pattern, pipes in PIPES if re.match(pattern, name)), "")


def fewest_cycles(instructions: list[str]) -> float:
    """What any order of the instructions takes at least, were every operand there at once."""
    use = Counter(pipes_of(instruction) for instruction in instructions)
    divisions = [line.split("\t")[0] for line in instructions if line.startswith("vdiv")]
    use["01"] += (SLOTS_OF_DIVISION - 1) * len(divisions)
    # A jump begins with the comparison before it.
    bounds = [
        sum(not line.startswith("j") for line in instructions) / 6,
        sum(map(CYCLES_OF_DIVISION.__getitem__, divisions)),
    ]
    for size in range(1, 5):
        for some in itertools.combinations("0123", size):
            bounds.append(
                sum(count for pipes, count in use.items() if pipes and set(pipes) <= set(some)) / size
            )
    in_memory = [line for line in instructions if re.search(r"%[yz]mm", line) and "(" in line]
    stores = sum(line.endswith(")") for line in in_memory)
    return max(*bounds, stores, (len(in_memory) - stores) / 2)


def vectors_of(loop: str, tier: str, element: str) -> int:
    """How many vectors one turn of a loop works out: those of two groups of words or of a step of a sum, one or two."""
    unrolled = 2 * VECTOR_BYTES[tier] if loop in UNROLLED else VECTOR_BYTES[tier]
    return {"words": 2 * 256, "exp": 16 * BYTES_OF[element]}.get(loop, unrolled) // VECTOR_BYTES[tier]


def compile_loops(tier: str, directory: Path) -> tuple[str, Path]:
    """The assembly of the loops, and a library of them."""
    source = Path(__file__).with_name("limits.c")
    command: list[str | Path] = [os.environ.get("CC", "gcc"), *FLAGS.split(), *FLAGS_OF[tier].split(), source]
    subprocess.run([*command, "-S", "-o", directory / "limits.s"], check=True)
    scratch = source.parent.parent / "src" / "scratch.c"
    subprocess.run([*command, scratch, "-shared", "-o", directory / "limits.so", "-lm"], check=True)
    return (directory / "limits.s").read_text(), directory / "limits.so"


def cycles_taken(library: Path, names: list[str]) -> list[float]:
    """How many cycles each loop takes."""
    functions = ctypes.CDLL(str(library))
    functions.cycles.restype = functions.seconds_of_cycle.restype = ctypes.c_double
    loops = [ctypes.cast(getattr(functions, name), ctypes.c_void_p).value for name in names]
    addresses = (ctypes.c_void_p * len(loops))(*loops)
    taken = [functions.cycles(addresses, ctypes.c_int(number + 1)) for number in range(len(loops))]
    print(f"A cycle takes {functions.seconds_of_cycle() * 1e9:.3f} ns here.", file=sys.stderr)
    return taken


def print_divisions(library: Path) -> None:
    """Print what a division takes: alone, and beside eight operations on pipes 0 and 1, which take four cycles."""
    functions = ctypes.CDLL(str(library))
    functions.cycles_of_step.restype = ctypes.c_double
    for instruction in CYCLES_OF_DIVISION:
        alone, beside = (
            functions.cycles_of_step(getattr(functions, f"{instruction}_{what}"))
            for what in ("alone", "beside")
        )
        print(
            f"{instruction}: {alone:.1f} cycles, {beside:.1f} with eight fused multiplications",
            file=sys.stderr,
        )


def print_chains(library: Path) -> None:
    """Print how many cycles a small row waits in each stage of a soft sample."""
    functions = ctypes.CDLL(str(library))
    functions.cycles_of_step.restype = ctypes.c_double

    def cycles(chain: str) -> float:
        return float(functions.cycles_of_step(getattr(functions, f"{chain}_chain")))

    print("\n| stage of a small row | cycles from its operands to its result |\n| --- | --- |")
    taken = {stage: cycles(chain) for stage, chain in CHAINS.items()}
    taken["**all of these**"] = sum(taken.values())
    taken["a sample that waits for the one before"] = cycles("sample")
    for stage, number in taken.items():
        print(f"| {stage} | {number:.0f} |")


def print_row(name: str, numbers: list[float]) -> None:
    *counts, least, taken = numbers
    cells = [f"{number:.0f}" for number in counts] + [f"{least:.1f}"]
    cells += [f"{taken:.1f}", f"{least / taken:.0%}"] if taken > 0 else []
    print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    tier = sys.argv[1] if len(sys.argv) > 1 else "avx2"
    flag = {"avx2": "avx2", "avx512": "avx512dq"}[tier]
    is_here = flag in Path("/proc/cpuinfo").read_text().split()
    head = ["loop", "instructions", "on pipes 0 and 1", "on all four", "cycles at least"]
    head += ["cycles taken", "used"] if is_here else []
    print(f"| {' | '.join(head)} |")
    print("|" + " --- |" * len(head))
    with tempfile.TemporaryDirectory() as directory:
        assembly, library = compile_loops(tier, Path(directory))
        for element in BYTES_OF:
            names = [f"{loop}_loop_{element}" for loop in LOOPS]
            taken = cycles_taken(library, names) if is_here else [0.0] * len(names)
            rows = []
            for loop, name, cycles in zip(LOOPS, names, taken, strict=True):
                instructions = innermost_loop(assembly, name)
                use = Counter(pipes_of(instruction) for instruction in instructions)
                counts = [
                    len(instructions),
                    use["01"],
                    sum(use.values()) - use[""],
                    fewest_cycles(instructions),
                ]
                rows.append([count / vectors_of(loop, tier, element) for count in counts] + [cycles])
                print_row(f"{element} {loop}", rows[-1])
            print_row(f"**{element}, all**", [sum(column) for column in zip(*rows, strict=True)])
        if is_here:
            print_chains(library)
            print_divisions(library)


if __name__ == "__main__":
    main()
