"""Running trained and exported models: on pictures, and out of nothing but seeds; without any training code."""

from tfgan_app.inference.blending import blend_weights
from tfgan_app.inference.class_folders import class_folders
from tfgan_app.inference.drawing import draw_pictures
from tfgan_app.inference.folder import PredictionSummary, predict_path
from tfgan_app.inference.loading import (
    load_keras_model,
    load_predictor,
    model_file,
    predictor_of,
    run_checkpoint,
)
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler

__all__ = [
    "PredictionSummary",
    "Predictor",
    "Sampler",
    "blend_weights",
    "class_folders",
    "draw_pictures",
    "load_keras_model",
    "load_predictor",
    "model_file",
    "predict_path",
    "predictor_of",
    "run_checkpoint",
]
