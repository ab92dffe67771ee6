"""Picture files without loss: depth, gray, transparency, colour profile, EXIF and resolution survive."""

from tfgan_app.picture_files.deep import tiff_pages
from tfgan_app.picture_files.formats import PICTURE_FORMATS, PictureFormat, fitting_metadata
from tfgan_app.picture_files.picture import MAX_OUTPUT_PIXELS, Picture, PictureMetadata, turned
from tfgan_app.picture_files.png_stream import PngRows, png_chunk, png_metadata_chunks
from tfgan_app.picture_files.reading import open_still, read_picture
from tfgan_app.picture_files.writing import check_size, format_of, open_pages_writer, open_picture_writer

__all__ = [
    "MAX_OUTPUT_PIXELS",
    "PICTURE_FORMATS",
    "Picture",
    "PictureFormat",
    "PictureMetadata",
    "PngRows",
    "check_size",
    "fitting_metadata",
    "format_of",
    "open_pages_writer",
    "open_picture_writer",
    "open_still",
    "png_chunk",
    "png_metadata_chunks",
    "read_picture",
    "tiff_pages",
    "turned",
]
