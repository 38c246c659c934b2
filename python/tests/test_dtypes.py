"""Which dtypes are known, and that ml_dtypes is asked for only where it is needed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gumbel4j import _dtypes

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@pytest.mark.parametrize("dtype", [np.float32, "float64", np.float16, BFLOAT16, "bfloat16", ">f4", ">f2"])
def test_floating_dtypes(dtype: Any) -> None:
    native = _dtypes.floating(dtype)
    assert native.isnative
    assert _dtypes.native_floating(np.dtype(dtype)) == np.dtype(dtype).newbyteorder("=")
    assert _dtypes.is_bfloat16(native) == (native == BFLOAT16)
    assert _dtypes.computed_in(native) == (np.float64 if native == np.float64 else np.float32)
    assert _dtypes.java_name(native) == native.name


@pytest.mark.parametrize("dtype", [int, bool, complex, np.longdouble, "V2", ml_dtypes.float8_e5m2, object])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    assert _dtypes.native_floating(np.dtype(dtype)) is None
    for take in (_dtypes.floating, _dtypes.shareable):
        with pytest.raises(TypeError, match=r"dtype = .*: must be .*float32, float64, float16"):
            take(dtype)


def test_dtypes_in_shared_memory() -> None:
    for dtype in (np.float16, BFLOAT16, np.int32, np.uint32, np.uint64):
        assert _dtypes.shareable(dtype) == np.dtype(dtype)
    assert [_dtypes.java_name(np.dtype(kind)) for kind in (np.int32, np.uint32, np.uint64)] == [
        "int32",
        "int32",
        "int64",
    ]
    with pytest.raises(TypeError, match="in native byte order"):
        _dtypes.shareable(">f4")


def test_only_the_name_bfloat16_imports_ml_dtypes_and_its_absence_is_told() -> None:
    program = """
import sys
import numpy as np
from gumbel4j import _dtypes, functions, reference, session
_dtypes.floating(np.float16), reference.gumbel((2, 3), seed=1, dtype="bfloat16")
assert "ml_dtypes" not in sys.modules
_dtypes.floating("bfloat16")
assert "ml_dtypes" in sys.modules
del sys.modules["ml_dtypes"]
sys.modules["ml_dtypes"] = None
try:
    _dtypes.floating("bfloat16")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'gumbel4j[bfloat16]'" in done.stdout
