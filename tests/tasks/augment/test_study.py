"""The study: data and length of its trainings, and its conclusions."""

import numpy as np
import pytest

from tfgan_app.metrics import SmallClassifier
from tfgan_app.tasks.augment.study import (
    ARMS,
    CLASSIC,
    CLASSIC_GAN,
    GAN_ONLY,
    PROBE_FEATURES,
    PROBE_UNTRAINED,
    REAL,
    StudyImages,
    arm_data,
    caveats,
    run_study,
    study_lines,
    summarize,
)

STEPS = 6


def _images(synthetic=6):
    """Real images are dark, synthetic ones light; the classes are a bright left and a bright right half."""
    rng = np.random.default_rng(0)

    def halves(count, base):
        labels = np.tile(np.arange(2), count)[:count].astype(np.int32)
        images = np.full((count, 8, 8, 1), base, np.uint8) + rng.integers(0, 9, (count, 8, 8, 1)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 4 * label : 4 * label + 4] += 60
        return images, labels

    (real, labels), (drawn, wanted), (test, test_labels) = halves(8, 0), halves(synthetic, 150), halves(20, 0)
    targets = np.eye(2, dtype=np.float32)[wanted]
    features = (lambda images: images[:, 0, :, 0], lambda images: images[:, :1, 0, 0] % 2)
    return StudyImages(real, labels, drawn, targets, test, test_labels, *features)


@pytest.mark.parametrize("name", ARMS)
def test_each_arm_sees_its_images_with_their_classes_for_the_same_steps(name):
    arm, images = ARMS[name], _images()
    seen_images, targets, plan = arm_data(arm, images, classes=2, steps=STEPS, seed=0, share=0.5, until=1.0)
    assert plan.shape == (STEPS, 64)
    seen = seen_images[plan.ravel()]
    is_synthetic = seen.reshape(len(seen), -1).min(axis=1) >= 150
    assert is_synthetic.mean() == (0.5 if arm.real and arm.synthetic else float(arm.synthetic))
    left, right = seen[:, :, :4].mean(axis=(1, 2, 3)), seen[:, :, 4:].mean(axis=(1, 2, 3))
    np.testing.assert_array_equal(targets[plan.ravel()].argmax(axis=1), right > left)


class _Recording(SmallClassifier):
    """Records its calls."""

    def __init__(self):
        super().__init__((8, 8, 1), classes=2, steps=STEPS, width=2)
        self.asked = []

    def train(self, images, targets, plan, *, seed, augmented):
        self.asked.append((len(images), len(plan), seed, augmented))
        return super().train(images, targets, plan, seed=seed, augmented=augmented)


def test_every_arm_is_trained_with_every_seed_and_measured_on_every_image():
    classifier = _Recording()
    correct = run_study(_images(), classifier, seeds=2, share=0.5, until=1.0, report=lambda line: None)
    counts = [8, 8, 14, 14, 6]
    augmented = [False, True, False, True, False]
    expected = [(n, STEPS, seed, flag) for n, flag in zip(counts, augmented, strict=True) for seed in (0, 1)]
    assert classifier.asked == expected
    assert {rows.shape for rows in correct.values()} == {(2, 20)}
    assert correct[PROBE_FEATURES].all()
    assert not correct[PROBE_UNTRAINED].all()


def test_without_synthetic_images_the_other_arms_remain():
    classifier = _Recording()
    correct = run_study(_images(0), classifier, seeds=1, share=0.5, until=1.0, report=lambda line: None)
    assert {REAL, CLASSIC, PROBE_FEATURES} <= correct.keys()
    assert GAN_ONLY not in correct
    assert "No synthetic image passed" in summarize(correct)["conclusion"]


def _summary(added):
    """A study whose last arm gets `added` more of 100 images right than the others, which get 50."""
    rows = np.zeros((3, 100), bool)
    rows[:, :50] = True
    more = rows.copy()
    more[:, 50 : 50 + added] = True
    return summarize({REAL: rows, CLASSIC: rows, CLASSIC_GAN: more})


def test_the_conclusion_is_plain():
    assert _summary(0)["conclusion"].startswith("No measurable gain from synthetic images: +0.00 points")
    assert _summary(30)["conclusion"].startswith("Gain from synthetic images: +30.00 points [+")
    assert _summary(0)["arms"][REAL] == {"accuracy": 0.5, "seed_deviation": 0.0}
    probed = summarize({REAL: np.ones((2, 9), bool), PROBE_FEATURES: np.ones((2, 9), bool)})
    assert probed["arms"][PROBE_FEATURES]["seed_deviation"] is None


def test_caveats_name_images_of_the_gan_alone_and_short_classes():
    told = {"gan_images": 200, "real_images": 20, "short_classes": {"bag": 3}}
    more, short = caveats(told)
    assert "have seen 200 real images, the classifiers 20" in more
    assert short == "Too few synthetic images passed of: bag 3."
    assert caveats({"gan_images": 20, "real_images": 20, "short_classes": {}}) == []


def test_the_baseline_is_the_better_of_the_trainings_without_synthetic_images():
    real, other = np.ones((2, 50), bool), np.zeros((2, 50), bool)
    assert summarize({REAL: real, CLASSIC: other, CLASSIC_GAN: other})["conclusion"].endswith("over real.")


def test_the_table_names_sizes_arms_and_intervals():
    size = {"real_per_class": 4, "real_images": 8, "synthetic_images": 6, "caveats": ["Beware."], **_summary(30)}
    text = "\n".join(study_lines({"sizes": [size]}))
    assert "8 real images (4 a class), 6 synthetic:" in text
    assert "  Beware." in text
    assert "real + classic + GAN           80.00 %" in text
    assert "real + classic + GAN - real + classic: +30.00 points" in text
