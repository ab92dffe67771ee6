// Assembles the results of tiles row by row: blends overlaps and adds transparency.
'use strict';

/* global Tiling */
/* exported Assembly */
class Assembly {
  /**
   * @param {{width: number, height: number, alpha: ?Uint8ClampedArray}} image Alpha is null for an opaque image.
   * @param {{scale: number}} facts Of the model, for `Tiling` too.
   */
  constructor(image, facts) {
    this.image = image;
    this.scale = facts.scale;
    this.blends = !Tiling.isExact(facts);
    this.strip = null;  // One row of tiles, blended from left to right.
    this.above = null;  // The row before.
  }

  /**
   * @param {Float32Array|Uint8Array} values The model's result for a tile.
   * @param {{row: !Object, column: !Object}} spans Spans of the tile from `Tiling.cutAxis`; row by row, left to right.
   * @return {{x: number, y: number, width: number, height: number, pixels: Uint8ClampedArray}} Its kept part, in
   *     output pixels; RGBA, final except where a later tile overlaps.
   */
  add(values, {row, column}) {
    const {scale} = this;
    const block = {
      x: scale * column.keepStart,
      y: scale * row.keepStart,
      width: scale * (column.keepStop - column.keepStart),
      height: scale * (row.keepStop - row.keepStart),
    };
    const corner = {left: block.x - scale * column.start, top: block.y - scale * row.start};
    block.pixels = Tiling.keptPixels(values, {...block, ...corner});
    if (this.blends) {
      this.blend(block);
    }
    if (this.image.alpha) {
      this.addAlpha(block);
    }
    return block;
  }

  blend(block) {
    if (block.x === 0) {
      this.above = this.strip;
      const width = this.scale * this.image.width;
      const pixels = new Uint8ClampedArray(4 * width * block.height);
      this.strip = {y: block.y, width, height: block.height, filled: 0, pixels};
    }
    const {strip, above} = this;
    fadeIn(block, strip, {columns: strip.filled - block.x});
    for (let y = 0; y < block.height; y++) {
      const line = block.pixels.subarray(4 * y * block.width, 4 * (y + 1) * block.width);
      strip.pixels.set(line, 4 * (y * strip.width + block.x));
    }
    strip.filled = block.x + block.width;
    if (above) {
      fadeIn(block, above, {rows: above.y + above.height - block.y});
    }
  }

  addAlpha({x, y, width, height, pixels}) {
    const {alpha, width: columns, height: rows} = this.image;
    const across = Array.from({length: width}, (_, index) => bilinearPlaces(x + index, this.scale, columns));
    for (let line = 0, to = 3; line < height; line++) {
      const [top, bottom, below] = bilinearPlaces(y + line, this.scale, rows);
      for (const [left, right, beside] of across) {
        const upper = alpha[top * columns + left] * (1 - beside) + alpha[top * columns + right] * beside;
        const lower = alpha[bottom * columns + left] * (1 - beside) + alpha[bottom * columns + right] * beside;
        pixels[to] = upper * (1 - below) + lower * below;
        to += 4;
      }
    }
  }
}

/** The two input pixels around the center of an output pixel, and the weight of the second. */
function bilinearPlaces(position, scale, length) {
  const center = Math.min(Math.max((position + 0.5) / scale - 0.5, 0), length - 1);
  const first = Math.floor(center);
  return [first, Math.min(first + 1, length - 1), center - first];
}

/**
 * Blends a block into the earlier pixels below it, along half a cosine.
 *
 * @param {!Object} block Its first `columns` or its first `rows` are changed.
 * @param {!Object} earlier A strip from the image's left to its right border.
 */
function fadeIn(block, earlier, {columns = block.width, rows = block.height}) {
  const across = columns < block.width;
  const length = across ? columns : rows;
  const weights = Float32Array.from({length}, (_, index) => 0.5 - 0.5 * Math.cos(Math.PI * (index + 0.5) / length));
  for (let y = 0; y < rows; y++) {
    let at = 4 * y * block.width;
    let from = 4 * ((block.y - earlier.y + y) * earlier.width + block.x);
    for (let x = 0; x < columns; x++, at += 4, from += 4) {
      const weight = weights[across ? x : y];
      for (let channel = 0; channel < 3; channel++) {
        const before = earlier.pixels[from + channel];
        block.pixels[at + channel] = before + (block.pixels[at + channel] - before) * weight;
      }
    }
  }
}
