"""The images of an `augment` run: those of `generate`, or some of each class."""

from __future__ import annotations

from tfgan_app.data.labeled import LabeledImages, choose_per_class
from tfgan_app.tasks.generate.data import GenerateData


class AugmentData(GenerateData):
    """As `GenerateData`; only `task.per_class` images of each class are trained on."""

    def training_candidates(self) -> LabeledImages:
        settings = self._config.task
        everything = super().training_candidates()
        if settings.per_class is None:
            return everything
        return choose_per_class(everything, settings.per_class, seed=settings.subset_seed)
