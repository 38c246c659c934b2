"""Side by side with torch, JAX and NumPy: what `gumbel4j bench` runs.

All contenders do the same work on one machine in one run, in turn (A B C A B C ...), so that whatever else
the machine does falls on all alike. Every answer is checked before it is timed. Times of gumbel4j are taken
inside Java, around the operator; "from Python" is the whole call as a user makes it, in a session that has
made many small ones before: its first ones take longer, as `bench --bridge` shows.

    work.py       the operators and shapes that are measured
    own.py        gumbel4j as a contender: inside Java, from Python, and its floors
    peers.py      torch, JAX and NumPy as contenders
    checks.py     is an answer right?
    timing.py     warm-up, turns, medians
    compare.py    every work by every contender
    scaling.py    how the cost grows with classes, rows and threads
    overhead.py   what a call costs beyond its work; the start, batches, memory
    machine.py    what ran where, and how far it was capped
    report.py     the results as tables and JSON
    pictures.py   the results as pictures
    command.py    all of this from options to a report
"""

from __future__ import annotations

from gumbel4j.bench.checks import WrongAnswerError
from gumbel4j.bench.command import Report, bridge, comparison, scaling

__all__ = ["Report", "WrongAnswerError", "bridge", "comparison", "scaling"]
