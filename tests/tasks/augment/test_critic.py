"""Features and scores of every family of discriminators."""

import numpy as np
import pytest

from tfgan_app.networks import IMAGE_DISCRIMINATORS
from tfgan_app.tasks.augment.critic import Critic


@pytest.mark.parametrize("family", IMAGE_DISCRIMINATORS)
def test_features_know_the_picture_and_scores_the_class_too(family):
    critic = Critic(IMAGE_DISCRIMINATORS[family](size_px=16, channels=1, classes=2, width=4))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)
    features = critic.features(pictures)
    assert len(features) == 3
    assert np.ptp(features, axis=0).max() > 0
    np.testing.assert_allclose(critic.features(pictures[1:2])[0], features[1], atol=1e-5)
    assert critic.scores(pictures, np.zeros(3, np.int32)).shape == (3,)
