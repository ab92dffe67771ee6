"""Videos, frame by frame, with their times, sound and colours."""

from tfgan_app.video.prediction import MAX_FRAME_PIXELS, VIDEO_SUFFIXES, is_video, predict_video

__all__ = ["MAX_FRAME_PIXELS", "VIDEO_SUFFIXES", "is_video", "predict_video"]
