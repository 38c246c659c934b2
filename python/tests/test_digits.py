"""Real logits from file to file: a classifier's scores of scikit-learn's digits through `gumbel4j sample`."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gumbel4j import cli, reference

TAU, SEED = 0.5, 7


@pytest.fixture(scope="module", params=[np.float32, np.float64], ids=["float32", "float64"])
def digits(request, tmp_path_factory):
    """Return the file of the 1797 x 10 logits of a logistic regression, the logits, and the true digits."""
    images, labels = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(images, labels)
    logits = model.decision_function(images).astype(request.param)
    assert logits.shape == (1797, 10)
    path = tmp_path_factory.mktemp("digits") / "logits.npy"
    np.save(path, logits)
    return path, logits, labels


def sampled(path, *options):
    """Return what `gumbel4j sample` makes of the file."""
    out = path.with_name("samples.npy")
    assert (
        cli.main(["sample", str(path), "-o", str(out), "--tau", str(TAU), "--seed", str(SEED), *options]) == 0
    )
    return np.load(out, allow_pickle=False)


def test_soft(digits):
    path, logits, _ = digits
    y = sampled(path)
    assert (y.shape, y.dtype) == (logits.shape, logits.dtype)
    error = np.abs(y - reference.gumbel_softmax(logits, TAU, seed=SEED))
    assert (error <= reference.soft_bound(logits, TAU, seed=SEED)).all()


def test_hard(digits):
    path, logits, _ = digits
    one_hot = sampled(path, "--hard")
    decided = reference.decided(logits, seed=SEED)
    assert decided.mean() > 0.999
    expected = reference.gumbel_softmax(logits, hard=True, seed=SEED)
    np.testing.assert_array_equal(one_hot[decided], expected[decided])
    assert (np.sort(one_hot, axis=1) == np.eye(10)[9]).all()


def test_categorical(digits):
    path, logits, labels = digits
    drawn = sampled(path, "--categorical")
    assert (drawn.shape, drawn.dtype) == ((1797,), np.int32)
    decided = reference.decided(logits, seed=SEED)
    np.testing.assert_array_equal(drawn[decided], reference.categorical(logits, seed=SEED)[decided])
    np.testing.assert_array_equal(drawn, sampled(path, "--hard").argmax(axis=1))
    assert (
        drawn == labels
    ).mean() > 0.9  # a good classifier is sure of most digits, so its samples are right


def test_streams_are_other_draws(digits):
    path, logits, _ = digits
    drawn = sampled(path, "--categorical", "--stream", "3")
    decided = reference.decided(logits, seed=SEED, stream=3)
    np.testing.assert_array_equal(drawn[decided], reference.categorical(logits, seed=SEED, stream=3)[decided])
    assert (drawn != sampled(path, "--categorical")).any()
