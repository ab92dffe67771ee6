// Cuts images into the tiles of a model that takes one size only, and extracts their results.
'use strict';

/* exported Tiling */
const Tiling = (() => {
  // Where exact tiles would spend most of their pixels on context, tiles overlap less and are blended.
  const SMALLEST_USEFUL_SHARE = 1 / 4;
  const BLEND_SHARE = 1 / 8;

  const roundUp = (size, multiple) => Math.ceil(size / multiple) * multiple;

  /**
   * Whether each pixel of the result sees all that it depends on.
   *
   * @param {{tile_px: number, halo_px: ?number, multiple: number}} facts Of the model.
   */
  function isExact({tile_px: tile, halo_px: context, multiple}) {
    return context !== null && tile - 2 * roundUp(context, multiple) >= tile * SMALLEST_USEFUL_SHARE;
  }

  /**
   * Cuts one axis of an image.
   *
   * Networks pad beyond the image, most with zeros, so a tile must not extend beyond it: the last one
   * ends where the image ends. Sides that are no multiple of the network's are mirrored up to the next one, as
   * such networks do themselves. Sides shorter than a tile are mirrored up to a tile: there the network sees a
   * mirrored image beyond the right or bottom border where it would else see its own padding, and the pixels within
   * its context of that border differ slightly from those of the image run whole.
   *
   * @param {number} length Of the axis, in pixels.
   * @param {{tile_px: number, halo_px: ?number, multiple: number}} facts Of the model.
   * @return {{start: number, keepStart: number, keepStop: number}[]} The kept part of each tile, in input pixels.
   *     Neighbors overlap where tiles are blended.
   */
  function cutAxis(length, facts) {
    const {tile_px: tile, multiple} = facts;
    const exact = isExact(facts);
    const share = roundUp(tile * BLEND_SHARE, multiple);
    const margin = exact ? roundUp(facts.halo_px, multiple) : share;
    const overlap = exact ? 0 : share;
    const last = Math.max(0, roundUp(length, multiple) - tile);
    const gaps = Math.ceil(last / (tile - 2 * margin - overlap));
    const starts = [0];
    for (let gap = 1; gap <= gaps; gap++) {
      starts.push(Math.floor(gap * last / gaps / multiple) * multiple);
    }
    return starts.map((start, index) => ({
      start,
      keepStart: index === 0 ? 0 : start + margin,
      keepStop: index === gaps ? length : starts[index + 1] + margin + overlap,
    }));
  }

  /** Folds positions beyond the last pixel back inside, as a mirror on the border pixel does. */
  function mirrored(position, length) {
    const period = Math.max(2 * length - 2, 1);
    const folded = position % period;
    return Math.min(folded, period - folded);
  }

  /**
   * Reads one tile.
   *
   * @param {{pixels: Uint8ClampedArray, width: number, height: number}} image RGBA.
   * @param {{left: number, top: number}} at Corner of the tile.
   * @param {Float32Array|Uint8Array} target Gets [tile, tile, 3] in [0, 1] or [0, 255].
   */
  function readTile(image, {left, top}, target) {
    const {pixels, width, height} = image;
    const tile = Math.sqrt(target.length / 3);
    const peak = target instanceof Float32Array ? 255 : 1;
    const columns = Array.from({length: tile}, (_, x) => 4 * mirrored(left + x, width));
    let to = 0;
    for (let y = 0; y < tile; y++) {
      const row = 4 * width * mirrored(top + y, height);
      for (const column of columns) {
        const from = row + column;
        target[to++] = pixels[from] / peak;
        target[to++] = pixels[from + 1] / peak;
        target[to++] = pixels[from + 2] / peak;
      }
    }
  }

  /**
   * The part of a result that is kept, as pixels.
   *
   * @param {Float32Array|Uint8Array} values [size, size, 3], float in [0, 1].
   * @param {{left: number, top: number, width: number, height: number}} part In output pixels of the tile.
   * @return {Uint8ClampedArray} RGBA, opaque. Rounds to the nearest, halves to the even one.
   */
  function keptPixels(values, {left, top, width, height}) {
    const size = Math.sqrt(values.length / 3);
    const peak = values instanceof Float32Array ? 255 : 1;
    const kept = new Uint8ClampedArray(4 * width * height);
    let to = 0;
    for (let y = top; y < top + height; y++) {
      let from = 3 * (y * size + left);
      for (let x = 0; x < width; x++) {
        kept[to++] = values[from++] * peak;
        kept[to++] = values[from++] * peak;
        kept[to++] = values[from++] * peak;
        kept[to++] = 255;
      }
    }
    return kept;
  }

  return {isExact, cutAxis, readTile, keptPixels};
})();
