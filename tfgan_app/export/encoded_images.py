"""Image files inside a graph: their size before decoding, and their pixels upright."""

from __future__ import annotations

import tensorflow as tf

from tfgan_app.image_io.png_chunks import PNG_SIGNATURE

_EXIF_ENTRIES = 64
"""Bytes of an EXIF block that are searched; the orientation is among the first tags."""

_EXIF_BYTES = 2**16
"""Largest EXIF block of a JPEG file in bytes."""

_ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4
"""Types of the orientation: two bytes as specified, or four."""
_TAIL_BYTES = 2**20
_BYTE_ORDER_MARKS = (b"II*\0", b"MM\0*")
_HEAD_BYTES = 2**17
"""Bytes of a JPEG file that are searched for segments; an EXIF segment takes at most half of it."""

_BITMAP_BITS = 24


def decode_image(data: tf.Tensor, *, channels: int, max_pixels: int) -> tf.Tensor:
    """Decodes an image file as Pillow does; the EXIF orientation of JPEG, PNG and WebP files is applied.

    EXIF of a JPEG file is searched in its first 128 kB. An orientation in XMP alone is ignored.
    TensorFlow's decoders ignore the single transparent color of a PNG or GIF file.

    Args:
        data: string [], a PNG, JPEG, WebP (still), GIF or BMP file (of 24 bits); of an animated GIF the first image
            is decoded.
        channels: 3 composites transparency on white; 4 keeps it as the fourth channel.
        max_pixels: Limit on the pixels of an image, or of an animation in all. Larger ones are not decoded.

    Returns:
        uint8 [height, width, channels]. The graph fails with InvalidArgumentError for any other data.
    """
    with tf.control_dependencies(_checks(data, max_pixels)):
        data = tf.identity(data)
    decoded = tf.cond(
        tf.io.is_jpeg(data),
        lambda: _upright(tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"), jpeg_orientation(data)),
        lambda: _upright(tf.io.decode_image(data, expand_animations=False), chunk_orientation(data)),
    )
    color, alpha = _split_alpha(decoded)
    on_white = (color * alpha + 255 * (255 - alpha) + 127) // 255
    image = tf.concat([color, alpha], axis=-1) if channels == 4 else on_white
    return tf.ensure_shape(tf.cast(image, tf.uint8), [None, None, channels])


def _checks(data: tf.Tensor, max_pixels: int) -> list[tf.Operation]:
    size = image_size(data)
    height, width = size[0], size[1]
    known = tf.debugging.Assert(
        tf.reduce_all(size > 0),
        [
            "Each image must be a PNG, JPEG, still WebP, GIF or 24-bit BMP file. Received bytes:",
            tf.strings.length(data),
        ],
    )
    # Divided, since the product of a hostile header's numbers may overflow 64 bits.
    small = height <= max_pixels // tf.maximum(width, 1)
    is_gif = tf.strings.substr(data, 0, 4) == b"GIF8"
    in_all = tf.cond(is_gif, lambda: gif_pixels(data), lambda: tf.constant(0, tf.int64))
    message = f"An image must have at most {max_pixels} pixels, and an animation in all. Received: height and width"
    small &= in_all <= max_pixels
    return [known, tf.debugging.Assert(small | tf.reduce_any(size <= 0), [message, size])]


def image_size(data: tf.Tensor) -> tf.Tensor:
    """Size of an image file by its header, read without decoding.

    Args:
        data: string [], the file.

    Returns:
        int64 [2]: height and width; 0 for anything but a PNG, JPEG, still WebP, GIF or 24-bit BMP file.
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
        bmp = tf.stack([tf.minimum(height, 2**32 - height), number(21, 20, 19, 18)])  # Negative: stored top row first.
        bmp = tf.where(number(29, 28) == _BITMAP_BITS, bmp, 0)  # TensorFlow reads palette indices as gray.
        found = tf.zeros([2], tf.int64)
        webp = _webp_size(head)
        for signature, size in ((PNG_SIGNATURE, png), (b"GIF8", gif), (b"BM", bmp), (b"RIFF", webp)):
            found = tf.where(tf.strings.substr(data, 0, len(signature)) == signature, size, found)
        return found

    # Called only for files long enough: a shorter one is passed as an empty string.
    return tf.cond(
        tf.strings.length(data) < 4,
        lambda: tf.zeros([2], tf.int64),
        lambda: tf.cond(tf.io.is_jpeg(data), jpeg, other),
    )


def _webp_size(head: tf.Tensor) -> tf.Tensor:
    """Height and width from the first 32 bytes of a WebP file, int64 [2]; 0 for animations and other files."""

    def number(first: int, last: int) -> tf.Tensor:
        """An unsigned number from its bytes, the least significant first."""
        return tf.add_n([head[place] * 256**power for power, place in enumerate(range(first, last + 1))])

    lossy = tf.stack([number(28, 29) % 2**14, number(26, 27) % 2**14])
    lossless = tf.stack([number(21, 24) // 2**14 % 2**14, number(21, 24) % 2**14]) + 1
    extended = tf.stack([number(27, 29), number(24, 26)]) + 1
    is_animated = head[20] // 2 % 2  # A decoder would decode all of its images.
    extended *= 1 - is_animated
    found = tf.zeros([2], tf.int64)
    for kind, size in (("WEBPVP8 ", lossy), ("WEBPVP8L", lossless), ("WEBPVP8X", extended)):
        found = tf.where(tf.reduce_all(head[8:16] == [ord(letter) for letter in kind]), size, found)
    return found


def gif_pixels(data: tf.Tensor) -> tf.Tensor:
    """Number of pixels in all images of a GIF file, each of which has its own size.

    Args:
        data: string [], the file.

    Returns:
        int64 [].
    """
    values = tf.concat([tf.cast(tf.io.decode_raw(data, tf.uint8), tf.int64), tf.zeros([16], tf.int64)], axis=0)
    last = tf.size(values, tf.int64) - 16

    def table_bytes(flags: tf.Tensor) -> tf.Tensor:
        """Size of the palette that follows."""
        return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8), 0)

    def step(place: tf.Tensor, pixels: tf.Tensor, in_blocks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Reads one block of data, or the beginning of an image or an extension."""
        here = values[place : place + 16]
        kind, is_image, is_extension = here[0], here[0] == 0x2C, here[0] == 0x21
        area = (here[5] + 256 * here[6]) * (here[7] + 256 * here[8])
        begun = tf.where(is_image, 11 + table_bytes(here[9]), tf.where(is_extension, tf.constant(2, tf.int64), last))
        following = place + tf.where(in_blocks, kind + 1, begun)
        return following, pixels + tf.where(is_image & ~in_blocks, area, 0), tf.where(in_blocks, kind != 0, True)

    start = 13 + table_bytes(values[10])
    zero = tf.constant(0, tf.int64)
    _, pixels, _ = tf.while_loop(lambda place, *_: place < last, step, (start, zero, tf.constant(False)))
    return pixels


def _exif_place(values: tf.Tensor) -> tf.Tensor:
    """Position of the EXIF segment in a JPEG file, or 0."""

    def goes_on(place: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        # Pixels begin after the segment 0xDA.
        return (place + 10 < tf.size(values)) & ~found & (values[place] == 0xFF) & (values[place + 1] != 0xDA)

    def step(place: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        del found
        name = tf.reduce_all(values[place + 4 : place + 10] == [ord(letter) for letter in "Exif\0\0"])
        is_exif = (values[place + 1] == 0xE1) & name
        length = tf.maximum(values[place + 2] * 256 + values[place + 3], 2)
        return tf.where(is_exif, place, place + 2 + tf.cast(length, tf.int32)), is_exif

    place, found = tf.while_loop(goes_on, step, (tf.constant(2), tf.constant(False)), maximum_iterations=100)
    return tf.where(found, place, 0)


def jpeg_orientation(data: tf.Tensor) -> tf.Tensor:
    """The EXIF orientation of a JPEG file.

    Args:
        data: string [], the file.

    Returns:
        int64 [], 1 to 8; 1 (upright) if the file has none.
    """
    values = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, _HEAD_BYTES), tf.uint8), tf.int64)
    place = _exif_place(values)
    block = tf.strings.substr(data, tf.minimum(place + 10, tf.strings.length(data)), _EXIF_BYTES)
    return tf.cond(place > 0, lambda: _orientation(block), lambda: tf.constant(1, tf.int64))


def chunk_orientation(data: tf.Tensor) -> tf.Tensor:
    """EXIF orientation of a PNG file (before or behind its pixels) or a WebP file.

    The chunk is searched for. In a PNG file by its name and the beginning of its content, 8 bytes that pixels do not
    match by chance; in a WebP file as the last of its name in the last megabyte.

    Args:
        data: string [], the file.

    Returns:
        int64 [], 1 to 8; 1 (upright) if the file has none, or is of another format.
    """
    upright = tf.constant(1, tf.int64)

    def png() -> tf.Tensor:
        found = []
        for mark in _BYTE_ORDER_MARKS:
            pieces = tf.concat([tf.strings.split(data, b"eXIf" + mark, maxsplit=1), [b""]], axis=0)
            found.append(_orientation(mark + tf.strings.substr(pieces[1], 0, _EXIF_BYTES)))
        return tf.maximum(*found)

    def webp() -> tf.Tensor:
        tail = tf.strings.substr(data, tf.maximum(tf.strings.length(data) - _TAIL_BYTES, 0), _TAIL_BYTES)
        # The name is followed by four bytes of length, and in some files by JPEG's EXIF marker.
        block = tf.strings.substr(tf.strings.split(tail, b"EXIF")[-1] + bytes(16), 4, _EXIF_BYTES)
        is_named = tf.strings.substr(block, 0, 6) == b"Exif\0\0"
        block = tf.cond(is_named, lambda: tf.strings.substr(block, 6, _EXIF_BYTES), lambda: block)
        is_exif = tf.reduce_any(tf.strings.substr(block, 0, 4) == tf.constant(_BYTE_ORDER_MARKS))
        return tf.cond(is_exif, lambda: _orientation(block), lambda: upright)

    is_png = tf.strings.substr(data, 0, len(PNG_SIGNATURE)) == PNG_SIGNATURE
    is_webp = tf.strings.substr(data, 0, 4) == b"RIFF"
    return tf.cond(is_png, png, lambda: tf.cond(is_webp, webp, lambda: upright))


def _orientation(block: tf.Tensor) -> tf.Tensor:
    """Orientation in an EXIF block: int64 [], 1 to 8, 1 if it is damaged."""
    tiff = _bytes(block, _EXIF_BYTES)
    big = tiff[0] == ord("M")

    def pair(places: tf.Tensor) -> tf.Tensor:
        """Numbers of two bytes, in the file's byte order."""
        first, second = tf.gather(tiff, places), tf.gather(tiff, places + 1)
        return tf.where(big, first * 256 + second, second * 256 + first)

    # The directory's position has four bytes; one beyond what was read counts as missing.
    directory = pair(tf.where(big, [6], [4]))[0]
    length = tf.size(tiff)
    entries = tf.cast(directory, tf.int32) + 2 + 12 * tf.range(_EXIF_ENTRIES)
    entries = tf.boolean_mask(entries, entries + 12 <= length)
    entries = entries[: tf.cast(pair(tf.minimum(tf.cast(directory, tf.int32), length - 2)[tf.newaxis])[0], tf.int32)]
    kinds = pair(entries + 2)
    values = tf.where(big & (kinds == _LONG), pair(entries + 10), pair(entries + 8))
    values = tf.boolean_mask(values, (pair(entries) == _ORIENTATION_TAG) & ((kinds == _SHORT) | (kinds == _LONG)))
    value = tf.concat([values, [1]], axis=0)[0]
    return tf.where((value >= 1) & (value <= 8), value, 1)


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Flips and rotates an image [height, width, channels] according to the eight EXIF orientations."""
    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    # With axes swapped first, the left side is flipped for 2, 3, 6 and 7, and the top for 3, 4, 7 and 8.
    for values, axis in (([2, 3, 6, 7], 1), ([3, 4, 7, 8], 0)):
        mirrored = tf.reduce_any(orientation == tf.constant(values, tf.int64))
        image = tf.cond(mirrored, lambda axis=axis, it=image: tf.reverse(it, [axis]), lambda it=image: it)
    return image


def _bytes(data: tf.Tensor, count: int) -> tf.Tensor:
    """The first bytes of a file as int64 [count], zeros beyond its end."""
    values = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, count), tf.uint8), tf.int64)
    return tf.pad(values, [[0, count - tf.size(values)]])


def _split_alpha(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Color [height, width, 3] and alpha [height, width, 1], int32, of gray, gray and alpha, RGB or RGBA."""
    shape = tf.shape(image)
    has_alpha = 1 - shape[2] % 2
    values = tf.cast(image, tf.int32)
    color = tf.broadcast_to(values[..., : shape[2] - has_alpha], [shape[0], shape[1], 3])
    return color, tf.where(has_alpha == 1, values[..., -1:], 255)
