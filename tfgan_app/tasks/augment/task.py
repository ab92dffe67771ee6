"""The task `augment`: images of wanted classes for training classifiers, and a study of their value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import numpy as np

from tfgan_app.augmentation import ClassicAugmentation
from tfgan_app.config import RunConfig
from tfgan_app.data.labeled import LabeledImages, choose_per_class, labeled_fingerprint
from tfgan_app.latents import seeded_latents
from tfgan_app.metrics import CONFIDENCE, RESAMPLES, SmallClassifier, plan_batches
from tfgan_app.tasks.augment.config import PRESETS, AugmentConfig
from tfgan_app.tasks.augment.discriminator_scorer import DiscriminatorScorer
from tfgan_app.tasks.augment.distances import as_points, copy_distances, nearest
from tfgan_app.tasks.augment.selection import Drawn, Selection, Thresholds, select_images
from tfgan_app.tasks.augment.study import StudyImages, caveats, run_study, summarize
from tfgan_app.tasks.generate.data import GenerateData
from tfgan_app.tasks.generate.sampling import BATCH, sample
from tfgan_app.tasks.generate.task import GenerateTask
from tfgan_app.tasks.preset import Preset

FILTER_SEEDS = 3
"""Number of classifiers of the real images whose mean gives a drawn image's probabilities."""

STUDY_SEED = 2_000_000
"""First seed of the study's images; samples and metrics use other seeds."""


class AugmentData(GenerateData):
    """Like `GenerateData`, with `task.per_class` training images of each class."""

    def training_candidates(self) -> LabeledImages:
        settings = self._config.task
        everything = super().training_candidates()
        if settings.per_class is None:
            return everything
        return choose_per_class(everything, settings.per_class, seed=settings.subset_seed)


class AugmentTask(GenerateTask):
    """Like `generate` with classes, plus a selection of images and a study of their use.

    Training, validation and the files of a run are those of `generate`. The study (`run_study`) takes
    minutes, so only `tfgan_app evaluate` runs it.
    """

    config_class = AugmentConfig
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    data_class = AugmentData
    has_study = True

    def __init__(self, config: RunConfig, **options: Any):
        if not config.task.conditional:
            raise ValueError(
                "`task.conditional` must be true for `augment`, which draws images of wanted classes. "
                "Received: false; use `--task generate` for images of any."
            )
        super().__init__(config, **options)

    def prepare(self) -> None:
        """Prepares as `generate` does; checks for at least two classes, with enough images for the study."""
        super().prepare()
        names = self.data.class_names
        if len(names) < 2:
            raise ValueError(f"`augment` needs at least 2 classes, a folder for each. Received: {', '.join(names)}.")
        self._check_study_sizes()

    def _check_study_sizes(self) -> None:
        names = self.data.class_names
        counts = np.bincount(self.data.training.labels, minlength=len(names))
        if max(self.config.task.study_sizes, default=0) > counts.min():
            raise ValueError(
                f"`task.study_sizes` must be at most the {counts.min()} training images of {names[counts.argmin()]}. "
                f"Received: {list(self.config.task.study_sizes)}."
            )

    @functools.cached_property
    def classifier(self) -> SmallClassifier:
        """The classifier of the study, which also checks the classes of drawn images."""
        settings, size_px = self.config.task, self.config.data.image_size
        classic = ClassicAugmentation(
            horizontal_flip=settings.classic_flip,
            shift=settings.classic_shift,
            scale=settings.classic_scale,
            rotation_degrees=settings.classic_rotation_degrees,
            erase=settings.classic_erase,
        )
        return SmallClassifier(
            (size_px, size_px, self.data.channels),
            classes=len(self.data.class_names),
            steps=settings.classifier_steps,
            width=settings.classifier_width,
            augment=classic,
        )

    def select(
        self,
        model: keras.Model,
        discriminator: keras.Model,
        *,
        per_class: int,
        first_seed: int = 0,
        batch_size: int = BATCH,
        confidence_images: LabeledImages | None = None,
        on_progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> Selection:
        """Draws images of each class and keeps those that pass; see `select_images`.

        Args:
            model: Inference model of the generator.
            discriminator: Discriminator of the same run.
            per_class: Images wanted of each class.
            first_seed: First seed of each class.
            batch_size: Images drawn at a time.
            confidence_images: Real images that the confidence is based on; the training images by default. Copies are
                always those of any training image.
            on_progress: Called with the numbers of kept and of wanted images.
        """
        confidence_images = self.data.training if confidence_images is None else confidence_images
        assessed = _Assessment(
            self, model, DiscriminatorScorer(discriminator), confidence_images, batch_size=batch_size
        )
        return select_images(
            assessed,
            classes=len(self.data.class_names),
            per_class=per_class,
            first_seed=first_seed,
            thresholds=assessed.thresholds,
            batch_size=batch_size,
            on_progress=on_progress,
        )

    def filter_weights(self, images: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
        """Trains the classifiers that check drawn images, on real ones with classic augmentation."""
        targets = np.eye(self.classifier.classes, dtype=np.float32)[labels]
        steps = self.config.task.classifier_steps
        self._report("training the classifiers that check drawn images")
        trained = []
        for seed in range(FILTER_SEEDS):
            # Not the seeds of the study, whose trainings would otherwise check their own images.
            plan = plan_batches(len(images), 0, steps=steps, seed=STUDY_SEED + seed)
            trained.append(self.classifier.train(images, targets, plan, seed=STUDY_SEED + seed, augmented=True))
        return trained

    def study(self, model: keras.Model, discriminator: keras.Model) -> dict[str, Any]:
        """Measures the value of synthetic images and of the discriminator's features for a classifier.

        Args:
            model: Inference model of the generator.
            discriminator: Discriminator of the same run.

        Returns:
            `sizes` (see `study_lines`) and `protocol`, ready for JSON.
        """
        self._check_study_sizes()
        settings = self.config.task
        test = self.data.held_out
        sizes = [
            self._study_size(count, model, discriminator, self.data.load(test), test.labels)
            for count in (settings.study_sizes or (None,))
        ]
        return {"sizes": sizes, "protocol": self._study_protocol()}

    def _study_size(self, count, model, discriminator, test, test_labels) -> dict[str, Any]:
        settings, training = self.config.task, self.data.training
        real = training if count is None else choose_per_class(training, count, seed=settings.subset_seed)
        selection = self.select(
            model, discriminator, per_class=settings.study_synthetic, first_seed=STUDY_SEED, confidence_images=real
        )
        images = StudyImages(
            real=self.data.load(real),
            real_labels=real.labels,
            synthetic=selection.kept.images,
            synthetic_targets=self._targets(selection.kept),
            test=test,
            test_labels=test_labels,
            features=DiscriminatorScorer(discriminator).features,
            untrained_features=self._untrained().features,
        )
        correct = run_study(
            images,
            self.classifier,
            seeds=settings.study_seeds,
            share=settings.synthetic_share,
            until=settings.synthetic_until,
            report=self._report,
        )
        kept = zip(self.data.class_names, selection.counts, strict=True)
        found = {
            "real_per_class": count or settings.per_class,
            "real_images": len(real),
            "gan_images": len(training),
            "synthetic_images": len(selection.kept),
            "short_classes": {name: count.kept for name, count in kept if count.is_short},
            **summarize(correct),
        }
        return found | {"caveats": caveats(found)}

    def _untrained(self) -> DiscriminatorScorer:
        """The discriminator with the initial weights of the run."""
        keras.utils.set_random_seed(self.config.training.seed)
        return DiscriminatorScorer(self.build_networks().discriminators["discriminator"])

    def _targets(self, drawn: Drawn) -> np.ndarray:
        wanted = np.eye(self.classifier.classes, dtype=np.float32)[drawn.labels]
        return wanted if self.config.task.synthetic_labels == "wanted" else (wanted + drawn.probabilities) / 2.0

    def _study_protocol(self) -> dict[str, Any]:
        settings = self.config.task
        names = ("study_seeds", "classifier_steps", "synthetic_share", "synthetic_until", "synthetic_labels")
        classic = ("flip", "shift", "scale", "rotation_degrees", "erase")
        return {
            "test_images": len(self.data.held_out),
            "test_digest": labeled_fingerprint(self.data.held_out)[:12],
            "gan_trained_on": f"{len(self.data.training)} images",
            **{name: getattr(settings, name) for name in names},
            "classic": {name: getattr(settings, f"classic_{name}") for name in classic},
            "interval": f"{CONFIDENCE:.0%}, paired bootstrap over seeds and test images, {RESAMPLES} resamples; "
            "of this choice of real images and this GAN",
        }


class _Assessment:
    """Draws images and computes their scores, probabilities and distances.

    Args:
        task: The task, for its settings, classifier and training images.
        model: Inference model of the generator.
        scorer: Discriminator of the same run.
        confidence_images: Real images that the classifiers for the confidence are trained on.
        batch_size: Images drawn at a time.
    """

    def __init__(
        self,
        task: AugmentTask,
        model: keras.Model,
        scorer: DiscriminatorScorer,
        confidence_images: LabeledImages,
        *,
        batch_size: int,
    ):
        self._model, self._scorer, self._batch_size = model, scorer, batch_size
        self._classifier = task.classifier
        self._filter_weights = task.filter_weights(task.data.load(confidence_images), confidence_images.labels)
        settings, training = task.config.task, task.data.training
        images = task.data.load(training)
        points = as_points(images)
        distances = copy_distances(
            points, training.labels, classes=len(task.data.class_names), quantile=settings.copy_quantile
        )
        self.thresholds = Thresholds(settings.min_confidence, distances, settings.duplicate_share, settings.max_draws)
        # A generator trained on mirrored images may have memorized those.
        mirrored = [as_points(images[:, :, ::-1])] if settings.horizontal_flip else []
        self._real = np.concatenate([points, *mirrored])
        self._count = len(points)

    def __call__(self, seeds: np.ndarray, labels: np.ndarray) -> Drawn:
        latents = seeded_latents(seeds, self._model.inputs[0].shape[1]).numpy()
        images = sample(self._model, latents, labels, batch_size=self._batch_size)
        found = nearest(as_points(images), self._real)
        probabilities = [self._classifier.predict(weights, images) for weights in self._filter_weights]
        return Drawn(
            images=images,
            labels=labels,
            seeds=seeds,
            scores=self._scorer.scores(images, labels),
            probabilities=np.mean(probabilities, axis=0),
            distances=found.distances,
            nearest=found.indices % self._count,
        )
