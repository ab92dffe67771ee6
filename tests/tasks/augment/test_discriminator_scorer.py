"""Features and scores of every family of discriminators."""

import numpy as np
import pytest

from tfgan_app.networks import IMAGE_DISCRIMINATORS
from tfgan_app.tasks.augment.discriminator_scorer import DiscriminatorScorer


@pytest.mark.parametrize("family", IMAGE_DISCRIMINATORS)
def test_features_know_the_image_and_scores_the_class_too(family):
    scorer = DiscriminatorScorer(IMAGE_DISCRIMINATORS[family](size_px=16, channels=1, classes=2, width=4))
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)
    features = scorer.features(images)
    assert len(features) == 3
    assert np.ptp(features, axis=0).max() > 0
    np.testing.assert_allclose(scorer.features(images[1:2])[0], features[1], atol=1e-5)
    assert scorer.scores(images, np.zeros(3, np.int32)).shape == (3,)
