"""Use and abuse of sessions for minutes or days, with every result checked: what `gumbel4j soak` runs.

`cases` draws calls at random and knows what they must return; `storm` makes them from several threads while
Java is killed, Python forks and users press Ctrl-C; `remains` looks for what is left behind.
"""

from __future__ import annotations

from gumbel4j.soak.storm import Counters, Storm, soak

__all__ = ["Counters", "Storm", "soak"]
