"""Running trained and exported models: on pictures, and out of nothing but seeds; without any training code."""

from tfgan_app.inference.blending import blend_weights
from tfgan_app.inference.class_folders import class_folders
from tfgan_app.inference.drawing import DEFAULT_COUNT, draw_pictures, find_labels
from tfgan_app.inference.folder import PredictionSummary, predict_path
from tfgan_app.inference.folder_plan import Job, plan_jobs
from tfgan_app.inference.loading import (
    COMPANION,
    colour_model,
    is_colour,
    load_companions,
    load_keras_model,
    load_predictor,
    model_file,
    predictor_of,
    run_checkpoint,
)
from tfgan_app.inference.moving import MovingImages
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.styling import Stylist

__all__ = [
    "COMPANION",
    "DEFAULT_COUNT",
    "Job",
    "MovingImages",
    "PredictionSummary",
    "Predictor",
    "Sampler",
    "Stylist",
    "blend_weights",
    "class_folders",
    "colour_model",
    "draw_pictures",
    "find_labels",
    "is_colour",
    "load_companions",
    "load_keras_model",
    "load_predictor",
    "model_file",
    "plan_jobs",
    "predict_path",
    "predictor_of",
    "run_checkpoint",
]
