"""The demo: what Gumbel-Softmax does, in four pictures and the numbers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gumbel4j.demo import numbers, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gumbel4j.session import Session


def run(session: Session, folder: Path) -> Iterator[str]:
    """Compute the four parts, write their pictures and yield the report, line by line.

    `folder` is made if it is missing; files of the same names in it are replaced.

    Raises OSError if the folder or a picture cannot be written.
    """
    info = session.info()
    folder.mkdir(parents=True, exist_ok=True)
    yield f"Gumbel-Softmax by {info['backend']} ({info['isa']}) on Java {info['java']}"

    example = numbers.example(session)
    yield from _part("1. The classic example: logits 1, 2, 3, 4 and tau = 0.5", example.lines())
    yield _picture(pictures.example(example, folder / "1-example.png"))

    temperatures = numbers.temperatures(session)
    yield from _part("2. The temperature, from 10 to 0.1", temperatures.lines())
    yield _picture(pictures.temperatures(temperatures, folder / "2-temperature.png"))

    frequencies = numbers.frequencies(session)
    yield from _part("3. Why Gumbel noise: how often each class wins", frequencies.lines())
    yield _picture(pictures.frequencies(frequencies, folder / "3-frequencies.png"))

    agreement = numbers.agreement(session)
    yield from _part("4. Java against NumPy", agreement.lines())
    yield _picture(pictures.agreement(agreement, folder / "4-agreement.png"))


def _part(title: str, lines: list[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"   {line}" for line in lines)


def _picture(picture: pictures.Picture) -> str:
    return f"   {picture.path}: {picture.shows}"
