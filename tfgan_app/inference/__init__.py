"""Running trained and exported models on pictures, without any training code."""

from tfgan_app.inference.folder import PredictionSummary, predict_path
from tfgan_app.inference.predictor import Predictor, load_keras_model, load_predictor, run_checkpoint

__all__ = [
    "PredictionSummary",
    "Predictor",
    "load_keras_model",
    "load_predictor",
    "predict_path",
    "run_checkpoint",
]
