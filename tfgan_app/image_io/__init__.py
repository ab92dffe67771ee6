"""Lossless handling of image files: depth, gray, transparency, color profile, EXIF and resolution survive."""

from tfgan_app.image_io.decoded_image import MAX_OUTPUT_PIXELS, DecodedImage, ImageMetadata, apply_orientation
from tfgan_app.image_io.deep import tiff_pages
from tfgan_app.image_io.formats import IMAGE_FORMATS, ImageFormat, fitting_metadata
from tfgan_app.image_io.png_stream import PngRows, png_chunk, png_metadata_chunks
from tfgan_app.image_io.reading import open_still, read_image
from tfgan_app.image_io.writing import check_size, format_of, open_image_writer, open_pages_writer

__all__ = [
    "IMAGE_FORMATS",
    "MAX_OUTPUT_PIXELS",
    "DecodedImage",
    "ImageFormat",
    "ImageMetadata",
    "PngRows",
    "apply_orientation",
    "check_size",
    "fitting_metadata",
    "format_of",
    "open_image_writer",
    "open_pages_writer",
    "open_still",
    "png_chunk",
    "png_metadata_chunks",
    "read_image",
    "tiff_pages",
]
