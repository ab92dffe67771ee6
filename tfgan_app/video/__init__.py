"""Videos and animations, processed frame by frame with their timing, sound and color."""

from tfgan_app.video.animations import ANIMATION_SUFFIXES, animation_suffix, is_animation
from tfgan_app.video.kinds import SHARED_SUFFIXES, VIDEO_INPUT_SUFFIXES, is_video
from tfgan_app.video.prediction import MAX_FRAME_PIXELS, VIDEO_SUFFIXES, first_frame, predict_video

__all__ = [
    "ANIMATION_SUFFIXES",
    "MAX_FRAME_PIXELS",
    "SHARED_SUFFIXES",
    "VIDEO_INPUT_SUFFIXES",
    "VIDEO_SUFFIXES",
    "animation_suffix",
    "first_frame",
    "is_animation",
    "is_video",
    "predict_video",
]
