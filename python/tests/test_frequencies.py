"""Classes are drawn as often as softmax says, and the same test sees that with other noise they are not."""

import math

import numpy as np
import pytest

from gumbel4j import reference, validate

DRAWS = 200_000


def softmax(logits):
    """Return the probabilities of one row of logits."""
    e = np.exp(np.float64(logits) - np.max(logits))
    return e / e.sum()


def agrees(drawn, logits):
    """Tell whether chi-square finds the frequencies of the drawn classes in line with softmax."""
    counts = np.bincount(drawn, minlength=len(logits))
    return validate.chi_square(counts, softmax(logits)) < validate.CHI_SQUARE_CRITICAL[len(logits) - 1]


CASES = [np.array([1.0, 2.0, 3.0, 4.0]), np.random.default_rng(5).normal(0, 1.5, 10)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("logits", CASES, ids=["4 classes", "10 classes"])
def test_classes_follow_softmax(session, logits, dtype):
    rows = np.tile(logits.astype(dtype), (DRAWS, 1))
    assert agrees(session.categorical(rows, seed=7), logits)
    assert agrees(session.gumbel_softmax(rows, 0.5, seed=7, stream=1).argmax(axis=1), logits)
    assert agrees(session.gumbel_softmax(rows, hard=True, seed=7, stream=2).argmax(axis=1), logits)


@pytest.mark.parametrize("logits", CASES, ids=["4 classes", "10 classes"])
def test_gaussian_noise_of_equal_variance_is_found_out(logits):
    noise = np.random.default_rng(7).normal(0, math.pi / math.sqrt(6), (DRAWS, len(logits)))
    assert not agrees((logits + noise).argmax(axis=1), logits)


def test_float32_noise_is_not_cut_at_24_bits(session):
    """Words below 2^8 give noise above 16.6, where noise from 24-bit uniforms ends; all of it is there."""
    shape, found = (2**13, 2**11), 0
    for stream in range(4):
        words = session.words(shape, seed=7, stream=stream)
        for row, column in np.argwhere(words < 256):
            key = {"seed": 7, "stream": stream, "first_row": int(row)}
            value = session.gumbel((1, shape[1]), **key)[0, column]
            expected = reference.gumbel((1, shape[1]), **key)[0, column]
            assert value > 16.6
            assert abs(value - expected) <= reference.gumbel_bound(expected)
            found += 1
    assert 1 <= found <= 16  # 4 expected


def test_masked_classes_leave_their_share_to_the_others(session):
    logits = np.random.default_rng(5).normal(0, 1.5, 10)
    rows = np.tile(np.insert(logits, 4, -np.inf).astype(np.float32), (DRAWS, 1))
    drawn = session.categorical(rows, seed=7)
    assert not (drawn == 4).any()
    assert agrees(np.where(drawn > 4, drawn - 1, drawn), logits)
