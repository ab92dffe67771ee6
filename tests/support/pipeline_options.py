"""Options of the pipelines as keywords: those of crops and of schedules in the dataclasses that take them."""

import dataclasses

from tfgan_app.data.specs import CropSpec, Schedule


def specs(**options):
    """`crops`, `schedule` and all other options, as the pipelines take them."""
    found = {}
    for name, kind in (("crops", CropSpec), ("schedule", Schedule)):
        names = [field.name for field in dataclasses.fields(kind)]
        found[name] = kind(**{each: options.pop(each) for each in names if each in options})
    return found | options
