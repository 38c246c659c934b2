"""Every operator is in every room of the house: fails when a new one was forgotten somewhere.

`gumbel4j.h` lists the operators, and the parts of them that threads share for one long row. Each operator
must have its method in the kernels' interface and in the public Java class, its downcall, its entry in the
gateway, its method in Session and in the reference, and its golden cases; each part its method in the
kernels' interface and its downcall.
"""

import inspect
import re
from pathlib import Path

import pytest

from gumbel4j import Session, reference

ROOT = Path(__file__).resolve().parents[2]
JAVA = ROOT / "src/main/java/org/gumbel4j"

# Python has one function for two operators, as PyTorch does; every other operator keeps its name.
PYTHON_NAMES = {"soft": "gumbel_softmax", "hard": "gumbel_softmax"}


def found(pattern, path):
    """Return the set of what a pattern finds in a file of the repository."""
    return set(re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE))


KERNELS = found(r"^GUMBEL4J_API int64_t gumbel4j_(\w+)\(", "native/include/gumbel4j.h")
OPERATORS = {kernel for kernel in KERNELS if not kernel.startswith("part_")}


def in_java(kernel):
    """Return a name of C as Java writes it: part_one_hot is partOneHot."""
    return re.sub(r"_(\w)", lambda letter: letter[1].upper(), kernel)


def test_the_header_lists_operators_and_parts():
    assert {"gumbel", "soft", "hard", "categorical", "vjp"} <= OPERATORS
    assert {"part_perturb", "part_gradient"} <= KERNELS - OPERATORS


def test_kernels_interface():
    kernels = found(r"^  (?:long|boolean|void) (\w+)\(", JAVA / "kernel/Kernels.java")
    assert kernels == set(map(in_java, KERNELS))


def test_native_downcalls():
    downcalls = found(r'"(?:gumbel4j_)?(\w+)"', JAVA / "kernel/NativeKernels.java")
    assert downcalls >= KERNELS


def test_public_java_operators():
    assert found(r"^  public void (\w+)\(", JAVA / "GumbelSoftmax.java") == OPERATORS


def test_gateway_entries():
    assert found(r'entry\(\s*"(\w+)"', JAVA / "gateway/Operators.java") == OPERATORS


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_session_calls_the_operator(operator):
    method = getattr(Session, PYTHON_NAMES.get(operator, operator))
    assert f'"{operator}"' in inspect.getsource(method)
    assert method.__doc__


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_reference_takes_the_same_arguments(operator):
    name = PYTHON_NAMES.get(operator, operator)
    theirs = set(inspect.signature(getattr(Session, name)).parameters) - {"self", "out"}
    assert set(inspect.signature(getattr(reference, name)).parameters) == theirs


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_golden_cases(operator):
    assert (ROOT / f"src/test/resources/golden/{operator}.txt").stat().st_size > 0
