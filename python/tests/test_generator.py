"""Generator, the default generator, and how seed and stream become a key."""

import copy
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gumbel4j as gj
from gumbel4j.generator import Generator, default_generator, resolve


@pytest.fixture(autouse=True)
def _fresh_default():
    yield
    gj.seed()


def test_counts_streams_of_one_seed():
    rng = Generator(7)
    assert [rng.next(), rng.next(), rng.next()] == [(7, 0), (7, 1), (7, 2)]
    assert (rng.seed, rng.stream) == (7, 3)


def test_takes_its_seed_from_the_system():
    assert Generator().seed != Generator().seed
    assert all(0 <= Generator().seed < 2**64 for _ in range(100))


def test_equality_follows_what_comes_next():
    one, other = Generator(7), Generator(7)
    assert one == other
    one.next()
    assert one != other
    other.next()
    assert one == other
    assert one != Generator(8, stream=1)
    assert one != (7, 1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_repr_makes_an_equal_one():
    rng = Generator(2**64 - 1)
    rng.next()
    assert repr(rng) == "Generator(18446744073709551615, stream=1)"
    assert eval(repr(rng)) == rng


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda rng: pickle.loads(pickle.dumps(rng))])
def test_copies_go_on_by_themselves(duplicate):
    rng = Generator(7)
    rng.next()
    other = duplicate(rng)
    assert other == rng
    assert other.next() == rng.next() == (7, 1)


def test_threads_get_different_streams():
    rng = Generator(7)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: rng.next(), range(2000)))
    assert sorted(keys) == [(7, stream) for stream in range(2000)]


def test_refuses_to_pass_its_last_stream():
    rng = Generator(7, stream=2**63 - 1)
    assert rng.next() == (7, 2**63 - 1)
    with pytest.raises(ValueError, match="streams of seed 7 are used up"):
        rng.next()


def test_seed_restarts_the_default():
    gj.seed(7)
    assert default_generator() == Generator(7)
    assert resolve(None, None) == (7, 0)
    assert resolve(None, None) == (7, 1)
    gj.seed(7)
    assert resolve(None, None) == (7, 0)
    gj.seed()
    assert default_generator().seed != 7


@pytest.mark.parametrize(("seed", "repeats"), [(None, False), (7, True)])
def test_fork_repeats_only_a_chosen_seed(seed, repeats):
    gj.seed(seed)
    mine = default_generator().seed
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(default_generator().seed).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(read, 100))
    os.close(read)
    os.close(write)
    assert (mine == theirs) is repeats


@pytest.mark.parametrize("integer", [int, np.uint64, np.int32, np.asarray])
def test_resolve_takes_integers_of_numpy(integer):
    key = resolve(integer(7), integer(3))
    assert key == (7, 3)
    assert [type(part) for part in key] == [int, int]


def test_resolve_takes_the_whole_range():
    assert resolve(2**64 - 1, 2**63 - 1) == (2**64 - 1, 2**63 - 1)
    assert resolve(np.uint64(2**64 - 1), None) == (2**64 - 1, 0)


@pytest.mark.parametrize("value", [-1, 2**64, np.int64(-1)])
def test_seed_out_of_64_bits_is_refused(value):
    for use in (Generator, gj.seed, lambda seed: resolve(seed, None)):
        with pytest.raises(ValueError, match=rf"seed must be an integer in \[0, 2\*\*64\).*got {value}"):
            use(value)


@pytest.mark.parametrize("value", [-1, 2**63])
def test_stream_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=rf"stream must be an integer in \[0, 2\*\*63\); got {value}"):
        resolve(7, value)


@pytest.mark.parametrize("value", [True, 7.0, "7", np.float32(7), np.bool_(True), [7]])
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(TypeError, match="seed must be an integer"):
        resolve(value, None)
    with pytest.raises(TypeError, match="seed must be an integer"):
        Generator(value)
    with pytest.raises(TypeError, match="stream must be an integer"):
        resolve(7, value)


@pytest.mark.parametrize("seed", [None, Generator(7)])
def test_stream_without_integer_seed_is_refused_and_costs_no_draw(seed):
    rng = default_generator() if seed is None else seed
    before = rng.stream
    with pytest.raises(ValueError, match="stream=3 was given with .* leave stream out"):
        resolve(seed, 3)
    assert rng.stream == before
