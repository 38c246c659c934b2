"""The demo: four pictures with something on them, and a report that says what they show."""

import numpy as np
import pytest
from matplotlib import image

from gumbel4j import demo, validate
from gumbel4j.demo import numbers

PICTURES = ["1-example.png", "2-temperature.png", "3-frequencies.png", "4-agreement.png"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demo once; return its report and the folder of its pictures."""
    from gumbel4j import Session

    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    with Session() as session:
        return "\n".join(demo.run(session, folder)), folder


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_drawn(shown, name):
    pixels = image.imread(shown[1] / name)
    height, width, _ = pixels.shape
    assert 900 <= width <= 1100
    assert 400 <= height <= 800
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50
    blank = (pixels[..., :3] == 1).all(axis=2).mean()
    assert 0.3 < blank < 0.97


def test_nothing_else_is_written(shown):
    assert sorted(path.name for path in shown[1].iterdir()) == PICTURES


def test_report_says_what_each_picture_shows(shown):
    lines = shown[0].splitlines()
    for name in PICTURES:
        (line,) = [line for line in lines if name in line]
        assert line.endswith(".")
        assert len(line.split(": ", 1)[1]) > 40
    assert all(
        title in shown[0] for title in ("1. The classic", "2. The temp", "3. Why Gumbel", "4. Java against")
    )


def test_report_holds_the_verdicts(shown):
    report = shown[0]
    (gumbel,) = [line for line in report.splitlines() if line.strip().startswith("under Gumbel noise")]
    (gaussian,) = [line for line in report.splitlines() if line.strip().startswith("under Gaussian noise")]
    assert gumbel.endswith("(agrees)")
    assert gaussian.endswith("(differs)")
    assert "raw words" in report
    assert "FAIL" not in report


def test_numbers_are_those_of_the_operators(session):
    example = numbers.example(session)
    np.testing.assert_allclose(example.plain, [0.0321, 0.0871, 0.2369, 0.6439], atol=1e-4)
    assert example.sample.sum() == pytest.approx(1)
    assert example.mean.sum() == pytest.approx(1)
    temperatures = numbers.temperatures(session)
    np.testing.assert_array_equal(temperatures.soft[:, -1].argmax(axis=1), temperatures.hard.argmax(axis=1))
    spread = temperatures.soft.max(axis=2) - temperatures.soft.min(axis=2)
    assert (np.diff(spread, axis=1) > 0).all()
    frequencies = numbers.frequencies(session)
    assert frequencies.gumbel.sum() == frequencies.gaussian.sum() == frequencies.draws
    assert frequencies.gumbel_chi_square < frequencies.critical < frequencies.gaussian_chi_square


def test_a_failed_comparison_is_drawn_as_one(tmp_path):
    from gumbel4j.demo import pictures

    checks = (
        validate.Check("raw words", "float32", "reference", 10, 1.0, exact=True, passed=False),
        validate.Check("soft samples", "float64", "reference", 10, 3.0, exact=False, passed=False),
    )
    picture = pictures.agreement(numbers.Agreement(checks), tmp_path / "picture.png")
    assert picture.shows.startswith("2 of 2 comparisons FAIL")
    assert picture.path.stat().st_size > 5000
