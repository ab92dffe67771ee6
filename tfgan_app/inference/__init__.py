"""Running trained and exported models: on pictures, and out of nothing but seeds; without any training code."""

from tfgan_app.inference.drawing import draw_pictures
from tfgan_app.inference.folder import PredictionSummary, predict_path
from tfgan_app.inference.loading import load_keras_model, load_predictor, run_checkpoint
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler

__all__ = [
    "PredictionSummary",
    "Predictor",
    "Sampler",
    "draw_pictures",
    "load_keras_model",
    "load_predictor",
    "predict_path",
    "run_checkpoint",
]
