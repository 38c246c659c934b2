"""The bench: what it prints, writes and draws, and that it times no wrong answer. No test asserts a time."""

import json
import os
import sys

import numpy as np
import pytest

from gumbel4j import Session, bench, cli
from gumbel4j.bench import checks, compare, machine, overhead, own, peers, report, timing
from gumbel4j.bench.work import DEFAULT, SEED, TAU, Work, at_size, quick

WORKS = quick(DEFAULT, 1 << 10)
PEERS = (peers.Numpy(), peers.TunedNumpy())


def run(*arguments):
    """Run the command line in this process; return its exit status."""
    try:
        return cli.main(["bench", *map(str, arguments)])
    except SystemExit as end:
        return end.code


@pytest.fixture
def only_numpy(monkeypatch):
    """Hide the peers that take long to import, where they are installed."""
    monkeypatch.setattr(peers, "installed", lambda threads: list(PEERS))


@pytest.mark.usefixtures("only_numpy")
def test_compares_prints_writes_and_draws(tmp_path, capsys):
    path, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    assert run("--quick", "--json", path, "--plot", picture) == 0
    out, err = capsys.readouterr()
    for work in json.loads(path.read_text())["works"]:
        assert work["name"] in err
        assert out.count(f"\n{work['name']} ") == 2  # a line of times and one of ratios
        contenders = work["contenders"]
        assert contenders[compare.OWN]["times_slower"] == 1
        assert {"NumPy", "NumPy, tuned", compare.MEMCPY} <= set(contenders)
        assert (compare.WORDS in contenders) == (work["operator"] != "backward")
        for times in contenders.values():
            assert len(times["samples"]) >= 3
            assert 0 < times["lowest"] <= times["median"] <= max(times["samples"])
    facts = json.loads(path.read_text())["facts"]
    assert {"date", "machine", "load", "gumbel4j", "java", "NumPy", "capped by", "note"} <= set(facts)
    assert all(f"\n{name} " in "\n" + out for name in facts)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_scaling_prints_writes_and_draws(tmp_path, capsys):
    path, picture = tmp_path / "scaling.json", tmp_path / "scaling.svg"
    assert run("--scaling", "--quick", "--threads", 2, "--json", path, "--plot", picture) == 0
    scaling = json.loads(path.read_text())["scaling"]
    assert [point["classes"] for point in scaling["classes"]] == [2**power for power in range(1, 11)]
    assert {point["elements"] for point in scaling["classes"]} == {4096}
    assert [point["rows"] for point in scaling["rows"]] == [1, 10, 100]
    assert [point["threads"] for point in scaling["threads"]] == [1, 2]
    out = capsys.readouterr().out
    assert "Classes, 4,096 elements in all: ns per element" in out
    assert "Rows of 16 classes: ns per element" in out
    assert {"soft 16 x 1024", "categorical 16 x 1024"} <= set(scaling["threads"][1]["processes"])
    assert "gain of processes" in out
    assert "<svg" in picture.read_text()


@pytest.mark.usefixtures("only_numpy")
def test_bridge_prints_writes_and_draws(tmp_path, capsys):
    path, picture = tmp_path / "bridge.json", tmp_path / "bridge.svg"
    assert run("--bridge", "--quick", "--json", path, "--plot", picture) == 0
    measured = json.loads(path.read_text())["bridge"]
    assert [call["bytes"] for call in measured["calls"]] == [1 << 10, 1 << 14, 1 << 18]
    for call in measured["calls"]:
        assert set(call["contenders"]) == {compare.OWN, compare.PYTHON, overhead.COPIED, overhead.COLD}
    assert set(measured["first_call"]) == {overhead.PLAIN, overhead.EMPTY, overhead.SMALL}
    assert measured["batch"][overhead.SINGLE]["median"] > measured["batch"][overhead.BATCH]["median"]
    assert measured["idle_bytes"] > 1 << 20
    assert len(measured["starts"]["samples"]) == 2
    assert len(measured["early_calls"]["samples"]) == 2
    assert measured["page_faults"]["python"] >= 0
    out = capsys.readouterr().out
    for told in ("empty round trip", "times cheaper in a batch", "at least 50 x", "256 KiB: soft 64 x 1024"):
        assert told in out
    assert "<svg" in picture.read_text()


@pytest.mark.usefixtures("only_numpy")
def test_size_only_threads_and_backend(tmp_path):
    path = tmp_path / "bench.json"
    arguments = ("--size", "3x5", "--only", "soft", "--threads", 2, "--backend", "java")
    assert run("--quick", *arguments, "--json", path) == 0
    data = json.loads(path.read_text())
    assert [work["name"] for work in data["works"]] == [
        "soft 3 x 5",
        "soft float64 3 x 5",
        "soft float16 3 x 5",
        "soft bfloat16 3 x 5",
    ]
    assert "java, jvm, threads 2" in data["facts"]["gumbel4j"]
    assert all(compare.PLAIN_JAVA not in work["contenders"] for work in data["works"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "3"], "'3' is not of the form ROWSxCLASSES"),
        (["--size", "0x4"], "'0x4' is not of the form ROWSxCLASSES"),
        (["--seconds", "0"], "'0' is not a positive number"),
        (["--plot", "bench.txt"], "must end in .png, .svg or .pdf"),
        (["--only", "sort"], "only = 'sort'"),
        (["--threads", "0"], "threads = 0"),
        (["--scaling", "--size", "3x5"], "not allowed with"),
        (["--scaling", "--bridge"], "not allowed with"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(capsys, arguments, message):
    assert run("--quick", *arguments) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


@pytest.mark.parametrize("work", [*WORKS, *at_size(3, 5)], ids=lambda work: work.name)
def test_a_wrong_answer_is_not_timed(session, work):
    mine = own.Own(session, work)
    answer = mine.answer().copy()
    checks.check_own(work, mine.inputs, answer)
    last_row = (-1, slice(None), -1)[: answer.ndim]
    answer[last_row] = answer[last_row] + 1
    with pytest.raises(checks.WrongAnswerError, match=f"{work.name} is wrong in row {work.rows - 1}"):
        checks.check_own(work, mine.inputs, answer)


@pytest.mark.parametrize(
    "work", [*at_size(64, 50), Work("soft", 64, 50, inner=4)], ids=lambda work: work.name
)
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_do_the_work_and_nothing_else_passes(session, peer, work):
    mine = own.Own(session, work)
    answer = peer.as_numpy(peer.call(work, mine.inputs)())
    gradient = mine.answer() * TAU
    assert checks.check_peer(peer.name, work, answer, gradient) is None
    for wrong in (answer[:-1], answer + work.classes):
        with pytest.raises(checks.WrongAnswerError, match=f"{peer.name} does something else"):
            checks.check_peer(peer.name, work, wrong, gradient)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rows_of_nan_are_told_in_types_of_16_bits_and_wrong_in_others(dtype):
    work = Work("soft", 8, 4, dtype)
    answer = np.full(work.shape, 0.25, dtype)
    answer[2:4, 1] = np.nan
    if dtype == "float32":
        with pytest.raises(checks.WrongAnswerError):
            checks.check_peer("it", work, answer, None)
    else:
        remark = checks.check_peer("it", work, answer, None)
        assert remark == "it gives NaN or infinity in 2 of 8 rows of soft float16 8 x 4."
        table = report.comparison_table(
            [compare.Comparison(work, {compare.OWN: timing.Times([1.0] * 3)}, [remark])]
        )
        assert table.endswith(remark)


def test_works_of_a_dtype_that_numpy_does_not_have_are_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ValueError, match="only = 'bfloat16'"):
        bench.comparison(Session, print, seconds=1, only="bfloat16")


def test_installed_peers_are_found():
    assert [peer.name for peer in PEERS] == [peer.name for peer in peers.installed(1)][-2:]


def test_java_time_is_part_of_the_whole_call(session):
    mine = own.Own(session, Work("soft", 64, 1000))
    before = mine.inside_java()(1)
    assert 0 < before < 60
    expected = session.gumbel_softmax(mine.inputs["logits"], TAU, seed=SEED)
    np.testing.assert_array_equal(mine.answer(), expected)


def test_a_failing_call_leaves_the_clock(session):
    bad = np.full((1, 3), np.nan, np.float32)
    with pytest.raises(ValueError, match="nan|NaN"), session._runtime.timed(5) as clock:
        session.gumbel_softmax(bad, seed=7)
    assert clock.nanoseconds == 0
    session.gumbel((2, 3), seed=7)
    assert clock.nanoseconds == 0


def test_contenders_take_turns_and_samples_are_long_enough():
    calls = []

    def timer(name, seconds):
        def run(count):
            calls.append((name, count))
            return count * seconds

        return run

    times = timing.measure({"a": timer("a", 1e-6), "b": timer("b", 1.0)}, timing.QUICK)
    assert [name for name, _ in calls[-6:]] == ["a", "b"] * 3
    assert times["a"].samples == pytest.approx([1e-6] * 3)
    assert calls[-2][1] >= 4000
    assert calls[-1][1] == 1
    assert times["b"].times_slower_than(times["a"]) == pytest.approx(1e6)


def test_statistics():
    times = timing.Times([4.0, 1.0, 2.0, 3.0, 10.0])
    assert (times.median, times.lowest) == (3, 1)
    assert times.spread == pytest.approx((4 - 2) / 2 / 3)
    # The second round was slow for both: the ratio is still 2.
    assert timing.Times([2.0, 20.0, 2.0]).times_slower_than(timing.Times([1.0, 10.0, 1.0])) == 2


def test_table_tells_times_by_element_and_tiny_works_by_call():
    comparisons = [
        compare.Comparison(
            work, {compare.OWN: timing.Times([1e-6] * 3), "torch": timing.Times([12.34e-6] * 3)}
        )
        for work in (Work("soft", 1, 4), Work("categorical", 10, 1000, "float64"))
    ]
    lines = [line.split() for line in report.comparison_table(comparisons).splitlines()]
    assert ["soft", "1", "x", "4", "(per", "call)", "1,000", "±0%", "12,340", "±0%"] in lines
    assert ["categorical", "float64", "10", "x", "1000", "0.10", "±0%", "1.23", "±0%"] in lines
    assert ["categorical", "float64", "10", "x", "1000", "12.3", "x"] in lines


def test_caps_are_set_for_all_and_told(monkeypatch, session):
    for name in machine.CAPS:
        monkeypatch.delenv(name, raising=False)
    assert machine.facts(session, ())["capped by"] == "nothing"
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    machine.cap("avx2")
    told = machine.facts(session, ())["capped by"]
    assert told == (
        "GUMBEL4J_MAX_ISA=avx2, ATEN_CPU_CAPABILITY=avx2, XLA_FLAGS=--xla_dump_to=x --xla_cpu_max_isa=AVX2"
    )
    for name in machine.CAPS:
        os.environ.pop(name)


def test_python_functions_are_what_the_command_calls():
    lines = []
    made = bench.comparison(
        lambda *, threads, backend=None: Session(threads=threads, backend=backend or "auto"),
        lines.append,
        seconds=1,
        only="noise",
        is_quick=True,
    )
    assert lines == ["1/1  noise 16 x 1024"]
    assert made.text.count("noise 16 x 1024") == 2
