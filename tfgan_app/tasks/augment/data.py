"""The images of an `augment` run: those of `generate`, or a subset of each class."""

from __future__ import annotations

from tfgan_app.data.labeled import LabeledImages, choose_per_class
from tfgan_app.tasks.generate.data import GenerateData


class AugmentData(GenerateData):
    """Like `GenerateData`, with `task.per_class` training images of each class."""

    def training_candidates(self) -> LabeledImages:
        settings = self._config.task
        everything = super().training_candidates()
        if settings.per_class is None:
            return everything
        return choose_per_class(everything, settings.per_class, seed=settings.subset_seed)
