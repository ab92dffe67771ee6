"""Study of the value of synthetic images: repeated trainings of a classifier with and without them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfgan_app.metrics import Difference, SmallClassifier, linear_probe, paired_difference, plan_batches

REAL, CLASSIC, GAN, CLASSIC_GAN, GAN_ONLY = (
    "real",
    "real + classic",
    "real + GAN",
    "real + classic + GAN",
    "GAN only",
)
PROBE_PIXELS, PROBE_UNTRAINED, PROBE_FEATURES = (
    "linear on pixels",
    "linear on untrained features",
    "linear on GAN features",
)
PROBES = (PROBE_PIXELS, PROBE_UNTRAINED, PROBE_FEATURES)
COMPARISONS = (
    (CLASSIC, REAL),
    (GAN, REAL),
    (CLASSIC_GAN, REAL),
    (CLASSIC_GAN, CLASSIC),
    (GAN_ONLY, REAL),
    (PROBE_FEATURES, PROBE_PIXELS),
    (PROBE_FEATURES, PROBE_UNTRAINED),
    (PROBE_FEATURES, CLASSIC),
)
"""Pairs of arms to compare."""


@dataclasses.dataclass(frozen=True)
class Arm:
    """Training images of one arm of the study.

    Attributes:
        real: Whether it has real images.
        synthetic: Whether it has synthetic ones.
        augmented: Whether they are augmented in the classic way.
    """

    real: bool = True
    synthetic: bool = False
    augmented: bool = False


ARMS: dict[str, Arm] = {
    REAL: Arm(),
    CLASSIC: Arm(augmented=True),
    GAN: Arm(synthetic=True),
    CLASSIC_GAN: Arm(synthetic=True, augmented=True),
    # The classification accuracy score of Ravuri & Vinyals 2019, arXiv:1905.10887.
    GAN_ONLY: Arm(real=False, synthetic=True),
}


@dataclasses.dataclass(frozen=True)
class StudyImages:
    """Data of a study; images uint8 `[count, height, width, channels]`, labels int32 `[count]`.

    Attributes:
        real: Labeled real images.
        real_labels: Their classes.
        synthetic: Synthetic images, possibly none.
        synthetic_targets: float32 `[count, classes]`, targets of the classifier for them.
        test: Held-out real images.
        test_labels: Their classes.
        features: `images -> float32 [count, dim]`, of the discriminator.
        untrained_features: The same for random weights, whose features are informative too.
    """

    real: np.ndarray
    real_labels: np.ndarray
    synthetic: np.ndarray
    synthetic_targets: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    features: Callable[[np.ndarray], np.ndarray]
    untrained_features: Callable[[np.ndarray], np.ndarray]


def run_study(
    images: StudyImages,
    classifier: SmallClassifier,
    *,
    seeds: int,
    share: float,
    until: float,
    report: Callable[[str], Any],
) -> dict[str, np.ndarray]:
    """Trains every arm with every seed, for the same number of steps from the same initial weights.

    Args:
        images: Data to train and measure on; without synthetic images the arms that need them are left out.
        classifier: The classifier to train.
        seeds: Trainings of each arm.
        share: Share of synthetic images in a batch.
        until: Share of the steps with synthetic images.
        report: Called with progress messages.

    Returns:
        Arm -> bool `[seeds, tests]`, its correct answers on held-out images.
    """
    correct: dict[str, np.ndarray] = {}
    for name, arm in ARMS.items():
        if arm.synthetic and not len(images.synthetic):
            continue
        rows = []
        for seed in range(seeds):
            rows.append(_train_once(arm, images, classifier, seed=seed, share=share, until=until))
            report(f"study: {name}, seed {seed + 1} of {seeds}")
        correct[name] = np.stack(rows)
    return correct | _probes(images, classes=classifier.classes, seeds=seeds)


def _train_once(
    arm: Arm, labeled: StudyImages, classifier: SmallClassifier, *, seed: int, share: float, until: float
) -> np.ndarray:
    images, targets, plan = arm_data(
        arm, labeled, classes=classifier.classes, steps=classifier.steps, seed=seed, share=share, until=until
    )
    trained = classifier.train(images, targets, plan, seed=seed, augmented=arm.augmented)
    return classifier.predict(trained, labeled.test).argmax(axis=1) == labeled.test_labels


def arm_data(
    arm: Arm, labeled: StudyImages, *, classes: int, steps: int, seed: int, share: float, until: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, targets and plan of an arm, as `SmallClassifier.train` takes them."""
    real = labeled.real if arm.real else labeled.real[:0]
    synthetic = labeled.synthetic if arm.synthetic else labeled.synthetic[:0]
    wanted = np.eye(classes, dtype=np.float32)[labeled.real_labels[: len(real)]]
    images = np.concatenate([real, synthetic])
    targets = np.concatenate([wanted, labeled.synthetic_targets[: len(synthetic)]])
    plan = plan_batches(len(real), len(synthetic), steps=steps, seed=seed, share=share, until=until)
    return images, targets, plan


def _probes(images: StudyImages, *, classes: int, seeds: int) -> dict[str, np.ndarray]:
    """Results of linear classifiers on the same labels; in closed form, thus equal for every seed."""
    spaces = {
        PROBE_PIXELS: _pixels,
        PROBE_UNTRAINED: images.untrained_features,
        PROBE_FEATURES: images.features,
    }
    found = {}
    for name, space in spaces.items():
        predicted, _ = linear_probe(space(images.real), images.real_labels, space(images.test), classes=classes)
        found[name] = np.tile(predicted == images.test_labels, (seeds, 1))
    return found


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255.0


def summarize(correct: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Accuracies, differences and a conclusion, ready for JSON.

    Args:
        correct: Result of `run_study`.

    Returns:
        `arms`: name -> `accuracy`, and `seed_deviation`, its standard deviation over seeds, or None;
        `differences`: `first`, `second`, `mean`, `low`, `high`, `verdict` each; `conclusion`: a sentence.
    """
    arms = {}
    for name, rows in correct.items():
        # Linear classifiers in closed form have no seed.
        varies = len(rows) > 1 and name not in PROBES
        deviation = float(rows.mean(axis=1).std(ddof=1)) if varies else None
        arms[name] = {"accuracy": float(rows.mean()), "seed_deviation": deviation}
    differences = []
    for first, second in COMPARISONS:
        if first in correct and second in correct:
            difference = paired_difference(correct[second], correct[first])
            row = {"first": first, "second": second, **dataclasses.asdict(difference)}
            differences.append(row | {"verdict": difference.verdict})
    return {"arms": arms, "differences": differences, "conclusion": _conclusion(correct)}


def _conclusion(correct: Mapping[str, np.ndarray]) -> str:
    """States the gain of synthetic images over the best training without them."""
    if CLASSIC_GAN not in correct:
        return "No synthetic image passed the checks: nothing was added to the real ones."
    baseline = max((REAL, CLASSIC), key=lambda name: correct[name].mean())
    difference = paired_difference(correct[baseline], correct[CLASSIC_GAN])
    word = difference.verdict
    start = word[0].upper() + word[1:]
    return f"{start} from synthetic images: {points(difference)} over {baseline}."


def points(difference: Difference) -> str:
    """A difference in percentage points with its interval."""
    mean, low, high = (100.0 * value for value in (difference.mean, difference.low, difference.high))
    return f"{mean:+.2f} points [{low:+.2f}, {high:+.2f}]"


def caveats(size: Mapping[str, Any]) -> list[str]:
    """Caveats of the figures of one size.

    Args:
        size: `real_images`, `gan_images` (training images of the GAN), `short_classes`.
    """
    lines = []
    if size["gan_images"] > size["real_images"]:
        lines.append(
            f"The GAN and its features have seen {size['gan_images']} real images, the classifiers "
            f"{size['real_images']}: a gain may come from the additional ones."
        )
    if size["short_classes"]:
        listed = ", ".join(f"{name} {count}" for name, count in size["short_classes"].items())
        lines.append(f"Too few synthetic images passed of: {listed}.")
    return lines


def study_lines(study: Mapping[str, Any]) -> list[str]:
    """Lines of a study for a terminal.

    Args:
        study: `sizes`: results of `summarize` with `real_per_class`, `real_images`, `synthetic_images`
            and `caveats`.
    """
    lines = []
    for size in study["sizes"]:
        count = size["real_per_class"]
        each = "" if count is None else f" ({count} a class)"
        lines.append(f"{size['real_images']} real images{each}, {size['synthetic_images']} synthetic:")
        lines += [f"  {line}" for line in size.get("caveats", ())]
        for name, arm in size["arms"].items():
            deviation = "" if arm["seed_deviation"] is None else f"  +- {100 * arm['seed_deviation']:.2f}"
            lines.append(f"  {name:<30}{100 * arm['accuracy']:6.2f} %{deviation}")
        for row in size["differences"]:
            difference = Difference(row["mean"], row["low"], row["high"])
            lines.append(f"  {row['first']} - {row['second']}: {points(difference)}  {row['verdict']}")
        lines.append(f"  {size['conclusion']}")
    return lines
