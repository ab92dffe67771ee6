// Reads image files into pixels, within what browsers can show.

/** Safari on phones shows no larger canvas, and it holds 64 MB. */
const PHONE_PIXELS = 4096 * 4096;
const DESKTOP_PIXELS = 4 * PHONE_PIXELS;
const LONGEST_SIDE = 16384;

/** Largest number of result pixels on this device. */
export function largestResult() {
  return matchMedia('(pointer: coarse)').matches ? PHONE_PIXELS : DESKTOP_PIXELS;
}

/**
 * Decodes a file and applies its EXIF orientation.
 *
 * Colors come in sRGB: a wide-gamut photo is converted, since the page writes files without a profile, which
 * are read as sRGB everywhere. Images in sRGB and those without a profile are not changed.
 *
 * @param {Blob} file
 * @return {Promise<ImageBitmap>}
 */
export async function decode(file) {
  try {
    return await createImageBitmap(file, {imageOrientation: 'from-image'});
  } catch {
    throw new Error(`This browser cannot read ${file.name ? `“${file.name}”` : 'this'} as an image. ` +
        'Choose a PNG, JPEG, WebP, GIF or BMP file that opens in the browser.');
  }
}

/**
 * The largest size like an image's for which the result can be shown.
 *
 * @param {{width: number, height: number}} image
 * @param {number} scale Of the model.
 * @return {{width: number, height: number, share: number}} `share` is 1 if the whole image fits.
 */
export function fitting({width, height}, scale) {
  const share = Math.min(
      1, Math.sqrt(largestResult() / (width * height)) / scale, LONGEST_SIDE / scale / Math.max(width, height));
  if (share === 1) {
    return {width, height, share};
  }
  return {width: Math.max(1, Math.floor(width * share)), height: Math.max(1, Math.floor(height * share)), share};
}

/**
 * Draws an image, its center, or a smaller copy, and reads the pixels back.
 *
 * Canvases keep colors multiplied by alpha: half transparent ones lose some precision, and those of fully transparent
 * pixels are lost. They get colors of their neighbors for the model, or edges would darken.
 *
 * @param {ImageBitmap} bitmap
 * @param {!HTMLCanvasElement} canvas
 * @param {{width: number, height: number, shrink: boolean}} size Of the result.
 * @return {{pixels: Uint8ClampedArray, width: number, height: number, alpha: ?Uint8ClampedArray}} RGBA and, where not
 *     all is opaque, alpha by itself.
 */
export function draw(bitmap, canvas, {width, height, shrink}) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.imageSmoothingQuality = 'high';
  if (shrink) {
    context.drawImage(bitmap, 0, 0, width, height);
  } else {
    context.drawImage(bitmap, Math.floor((width - bitmap.width) / 2), Math.floor((height - bitmap.height) / 2));
  }
  const {data: pixels} = context.getImageData(0, 0, width, height);
  if (!hasTransparency(pixels)) {
    return {pixels, width, height, alpha: null};
  }
  const alpha = new Uint8ClampedArray(width * height);
  const spread = spreadColors(canvas);
  for (let index = 0; index < alpha.length; index++) {
    alpha[index] = pixels[4 * index + 3];
    if (alpha[index] === 0) {
      pixels.set(spread.subarray(4 * index, 4 * index + 3), 4 * index);
    }
  }
  return {pixels, width, height, alpha};
}

function hasTransparency(pixels) {
  for (let index = 3; index < pixels.length; index += 4) {
    if (pixels[index] !== 255) {
      return true;
    }
  }
  return false;
}

/** RGBA of an image drawn over ever coarser versions of itself, which fill transparent pixels. */
function spreadColors(canvas) {
  const levels = [canvas];
  while (levels[0].width > 1 || levels[0].height > 1) {
    const {width, height} = levels[0];
    levels.unshift(scaled(levels[0], Math.ceil(width / 2), Math.ceil(height / 2)));
  }
  const {width, height} = canvas;
  const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
  // Coarse levels are nearly transparent where little below them is opaque: drawn repeatedly, they become solid.
  const repeats = 4;
  for (const level of levels) {
    for (let time = 0; time < repeats; time++) {
      context.drawImage(level, 0, 0, width, height);
    }
  }
  return context.getImageData(0, 0, width, height).data;
}

function scaled(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(source, 0, 0, width, height);
  return context.canvas;
}
