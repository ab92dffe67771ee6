"""Picture files without loss: depth, gray, transparency, colour profile, EXIF and resolution survive."""

from tfgan_app.picture_files.formats import PICTURE_FORMATS
from tfgan_app.picture_files.picture import MAX_OUTPUT_PIXELS, Picture, PictureMetadata
from tfgan_app.picture_files.reading import read_picture
from tfgan_app.picture_files.writing import check_size, format_of, open_picture_writer

__all__ = [
    "MAX_OUTPUT_PIXELS",
    "PICTURE_FORMATS",
    "Picture",
    "PictureMetadata",
    "check_size",
    "format_of",
    "open_picture_writer",
    "read_picture",
]
