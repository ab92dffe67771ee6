"""Prediction with trained and exported models: from images, or from seeds. No training code.

Importing the package loads no TensorFlow: functions that need it are loaded with their modules on first access.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfgan_app.inference.chain import chain_predictors
from tfgan_app.inference.class_folders import class_folders
from tfgan_app.inference.drawing import DEFAULT_COUNT, draw_images, find_labels
from tfgan_app.inference.engines import ENGINES, choose_lite_file
from tfgan_app.inference.finishing import Finish, FinishedPredictor
from tfgan_app.inference.folder import PredictionSummary, predict_path
from tfgan_app.inference.folder_plan import Job, plan_jobs, with_masks
from tfgan_app.inference.lite_engine import load_lite_predictor
from tfgan_app.inference.moving import MovingImages
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.resizing import Sizing
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.styling import Stylist

if TYPE_CHECKING:
    from tfgan_app.inference.blending import blend_weights
    from tfgan_app.inference.loading import (
        AUXILIARY_SEPARATOR,
        color_model,
        is_color,
        load_companions,
        load_keras_model,
        load_predictor,
        model_file,
        predictor_of,
        run_checkpoint,
    )

__all__ = [
    "AUXILIARY_SEPARATOR",
    "DEFAULT_COUNT",
    "ENGINES",
    "Finish",
    "FinishedPredictor",
    "Job",
    "MovingImages",
    "PredictionSummary",
    "Predictor",
    "Sampler",
    "Sizing",
    "Stylist",
    "blend_weights",
    "chain_predictors",
    "choose_lite_file",
    "class_folders",
    "color_model",
    "draw_images",
    "find_labels",
    "is_color",
    "load_companions",
    "load_keras_model",
    "load_lite_predictor",
    "load_predictor",
    "model_file",
    "plan_jobs",
    "predict_path",
    "predictor_of",
    "run_checkpoint",
    "with_masks",
]

_MODULES = {"blend_weights": "blending"}


def __getattr__(name: str) -> Any:
    """Loads the module of a name that needs TensorFlow (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'loading')}"), name)
