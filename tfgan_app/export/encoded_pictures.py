"""Picture files inside of a graph: their size before anything is decoded, and upright as they were taken."""

from __future__ import annotations

import tensorflow as tf

_EXIF_ENTRIES = 32
_EXIF_BYTES = 512
"""Phones and cameras put the orientation among the first entries, right at the start of the file."""

_ORIENTATION_TAG = 0x0112
_JFIF_BYTES = 18


def decode_picture(data: tf.Tensor, *, channels: int, max_pixels: int) -> tf.Tensor:
    """Decodes a picture file as Pillow does, turned as its EXIF orientation says.

    Args:
        data: string [], a PNG, JPEG, BMP or GIF file; of an animation the first picture is taken.
        channels: 3 composites transparency on white; 4 keeps it as the fourth channel.
        max_pixels: Of a larger picture nothing is decoded.

    Returns:
        uint8 [height, width, channels]. The graph fails with InvalidArgumentError for anything else than such a file.
    """
    with tf.control_dependencies(_checks(data, max_pixels)):
        data = tf.identity(data)
    decoded = tf.cond(
        tf.io.is_jpeg(data),
        lambda: _upright(tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"), jpeg_orientation(data)),
        lambda: tf.io.decode_image(data, expand_animations=False),
    )
    colour, alpha = _split_alpha(decoded)
    if channels == 4:
        picture = tf.concat([colour, alpha], axis=-1)
    else:
        picture = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return tf.ensure_shape(tf.cast(picture, tf.uint8), [None, None, channels])


def _checks(data: tf.Tensor, max_pixels: int) -> list[tf.Operation]:
    size = picture_size(data)
    height, width = size[0], size[1]
    known = tf.debugging.Assert(
        tf.reduce_all(size > 0), ["Each picture must be a PNG, JPEG, BMP or GIF file. Received bytes:", tf.shape(data)]
    )
    # Divided, since the product of what a hostile header says may be too large for 64 bits.
    small = height <= max_pixels // tf.maximum(width, 1)
    message = f"A picture must have at most {max_pixels} pixels. Received: height and width"
    return [known, tf.debugging.Assert(small | tf.reduce_any(size <= 0), [message, size])]


def picture_size(data: tf.Tensor) -> tf.Tensor:
    """What the header of a picture file says of its size, read without decoding.

    Args:
        data: string [], the file.

    Returns:
        int64 [2]: height and width; 0 where this is no PNG, JPEG, GIF or BMP file.
    """
    head = _bytes(data, 32)

    def number(*places: int) -> tf.Tensor:
        """An unsigned number from its bytes, the most significant first."""
        return tf.add_n([head[place] * 256**power for power, place in enumerate(reversed(places))])

    def jpeg() -> tf.Tensor:
        return tf.cast(tf.image.extract_jpeg_shape(data)[:2], tf.int64)

    def other() -> tf.Tensor:
        png = tf.stack([number(20, 21, 22, 23), number(16, 17, 18, 19)])
        gif = tf.stack([number(9, 8), number(7, 6)])
        height = number(25, 24, 23, 22)
        bmp = tf.stack([tf.minimum(height, 2**32 - height), number(21, 20, 19, 18)])  # Upside down where negative.
        found = tf.zeros([2], tf.int64)
        for signature, size in ((b"\x89PNG\r\n\x1a\n", png), (b"GIF8", gif), (b"BM", bmp)):
            found = tf.where(tf.strings.substr(data, 0, len(signature)) == signature, size, found)
        return found

    # Asked only of files long enough: a shorter one is read as an empty string.
    return tf.cond(
        tf.strings.length(data) < 4,
        lambda: tf.zeros([2], tf.int64),
        lambda: tf.cond(tf.io.is_jpeg(data), jpeg, other),
    )


def jpeg_orientation(data: tf.Tensor) -> tf.Tensor:
    """The EXIF orientation of a JPEG file.

    Args:
        data: string [], the file.

    Returns:
        int64 [], 1 to 8; 1 (upright) where the file says nothing.
    """
    head = _bytes(data, _EXIF_BYTES)
    # EXIF follows the first two bytes, or a JFIF segment of the usual length.
    start = tf.where(head[3] == 0xE0, 2 + _JFIF_BYTES, 2)
    here = head[start:]
    is_exif = (here[1] == 0xE1) & tf.reduce_all(here[4:10] == [ord(letter) for letter in "Exif\0\0"])
    tiff = here[10:]
    big = tiff[0] == ord("M")

    def pair(places: tf.Tensor) -> tf.Tensor:
        """Numbers of two bytes, in the file's byte order."""
        first, second = tf.gather(tiff, places), tf.gather(tiff, places + 1)
        return tf.where(big, first * 256 + second, second * 256 + first)

    # The directory's place is a number of four bytes; one beyond what was read counts as not there.
    directory = pair(tf.where(big, [6], [4]))[0]
    length = tf.size(tiff)
    entries = tf.cast(directory, tf.int32) + 2 + 12 * tf.range(_EXIF_ENTRIES)
    entries = tf.boolean_mask(entries, entries + 12 <= length)
    entries = entries[: tf.cast(pair(tf.minimum(tf.cast(directory, tf.int32), length - 2)[tf.newaxis])[0], tf.int32)]
    values = tf.boolean_mask(pair(entries + 8), pair(entries) == _ORIENTATION_TAG)
    value = tf.concat([values, [1]], axis=0)[0]
    return tf.where(is_exif & (value >= 1) & (value <= 8), value, 1)


def _upright(picture: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Mirrors and turns a picture [height, width, channels] as the eight values of EXIF say."""
    picture = tf.cond(orientation >= 5, lambda: tf.transpose(picture, [1, 0, 2]), lambda: picture)
    # With axes swapped first, the left side is mirrored for 2, 3, 6 and 7, and the top for 3, 4, 7 and 8.
    for values, axis in (([2, 3, 6, 7], 1), ([3, 4, 7, 8], 0)):
        mirrored = tf.reduce_any(orientation == tf.constant(values, tf.int64))
        picture = tf.cond(mirrored, lambda axis=axis, it=picture: tf.reverse(it, [axis]), lambda it=picture: it)
    return picture


def _bytes(data: tf.Tensor, count: int) -> tf.Tensor:
    """The first bytes of a file as int64 [count], zeros beyond its end."""
    values = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, count), tf.uint8), tf.int64)
    return tf.pad(values, [[0, count - tf.size(values)]])


def _split_alpha(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Colour [height, width, 3] and alpha [height, width, 1], int32, of gray, gray and alpha, RGB or RGBA."""
    shape = tf.shape(picture)
    has_alpha = 1 - shape[2] % 2
    values = tf.cast(picture, tf.int32)
    colour = tf.broadcast_to(values[..., : shape[2] - has_alpha], [shape[0], shape[1], 3])
    return colour, tf.where(has_alpha == 1, values[..., -1:], 255)
