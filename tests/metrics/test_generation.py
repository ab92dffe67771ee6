"""All metrics of generated images: refused inputs, independence of the order, memory."""

import subprocess
import sys

import numpy as np
import pytest

from tfgan_app.metrics import (
    FrechetMoments,
    check_comparable,
    density_coverage,
    frechet_distance,
    generation_metrics,
    generation_protocol,
    kernel_inception_distance,
    precision_recall,
)
from tfgan_app.metrics import generation as module


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 8)).astype(np.float32), rng.normal(0.3, 1, (100, 8)).astype(np.float32)


def test_every_metric_is_there_and_its_own(features, monkeypatch):
    real, fake = features
    measured = generation_metrics(real[:100], fake, intervals=False)
    assert measured == {
        "fid": frechet_distance(FrechetMoments.of(real[:100]), FrechetMoments.of(fake)),
        **kernel_inception_distance(real[:100], fake),
        **precision_recall(real[:100], fake),
        **density_coverage(real[:100], fake),
    }
    assert all(type(value) is float for value in measured.values())
    # Neighbors are those of equally many, chosen by the seed.
    monkeypatch.setattr(module, "NEIGHBOR_SAMPLES", 60)
    sampled = [generation_metrics(real, fake, seed=seed) for seed in (0, 1)]
    assert sampled[0]["fid"] == sampled[1]["fid"]
    assert sampled[0]["recall"] != sampled[1]["recall"]


def test_the_order_of_the_images_changes_nothing(features):
    real, fake = features
    shuffled = generation_metrics(real[::-1], np.random.default_rng(1).permutation(fake), seed=3)
    assert shuffled == pytest.approx(generation_metrics(real, fake, seed=3), rel=1e-9)


def test_what_cannot_be_measured_is_refused(features):
    real, fake = features
    with pytest.raises(ValueError, match="At least 6 real samples are needed. Received: 5"):
        generation_metrics(real[:5], fake)
    with pytest.raises(ValueError, match="At least 6 fake samples"):
        generation_metrics(real, fake[:3])
    with pytest.raises(ValueError, match="the same number of features. Received: 8 real and 7 fake"):
        generation_metrics(real, fake[:, :7])
    with pytest.raises(ValueError, match=r"\[count, dim\]. Received: shape \[120\]"):
        generation_metrics(real[:, 0], fake)
    fake[50, 3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity among the fake"):
        generation_metrics(real, fake)
    generation_metrics(real[:6], real[6:12])


def test_the_protocol_tells_counts_apart_but_not_seeds():
    protocol = generation_protocol(real_count=20_000, fake_count=50_000)
    assert "10000 of each side" in protocol["precision_recall"]
    assert "100 subsets of 1000" in protocol["kid"]
    check_comparable(protocol, generation_protocol(real_count=20_000, fake_count=50_000, seed=1))
    with pytest.raises(ValueError, match="generated_images: 50000 and 40000"):
        check_comparable(protocol, generation_protocol(real_count=20_000, fake_count=40_000))


STREAMED = """
rng = np.random.default_rng(0)
def moments():
    moments = FrechetMoments(512)
    for _ in range(500):
        moments.update(rng.standard_normal((100, 512), np.float32))
    return moments
before = peak()
frechet_distance(moments(), moments())
"""

WHOLE = """
rng = np.random.default_rng(0)
real, fake = rng.standard_normal((2, 50_000, 256), np.float32)
before = peak()
generation_metrics(real, fake)
"""


@pytest.mark.manual
@pytest.mark.parametrize(
    ("code", "most_mb"),
    [
        # One side alone is 100 MB in float32 and 200 MB in float64.
        pytest.param(STREAMED, 80, id="streamed"),
        # All pairs of 10,000 samples are 800 MB.
        pytest.param(WHOLE, 200, id="whole"),
    ],
)
def test_memory_stays_bounded(code, most_mb):
    head = (
        "import resource, numpy as np\n"
        "from tfgan_app.metrics import FrechetMoments, frechet_distance, generation_metrics\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{head}{code}\nprint(peak() - before)"], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < most_mb
