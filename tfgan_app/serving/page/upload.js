// What is sent of a file that a person chose: the file itself, or what the browser sees in it where the server would not.

const SENT_AS_THEY_ARE = new Set(["image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp"]);
const ORIENTATION_TAG = 0x0112;

/** Returns `{blob, width, height}`, upright and in a format that the server reads. Throws where it is no picture. */
export async function prepare(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`“${file.name || "This"}” is not a picture that this browser can open.`);
  });
  const { width, height } = bitmap;
  const bytes = new DataView(await file.slice(0, 2 ** 17).arrayBuffer());
  const isUpright = file.type !== "image/jpeg" || jpegOrientation(bytes) === 1;
  if (SENT_AS_THEY_ARE.has(file.type) && isUpright) {
    bitmap.close();
    return { blob: file, width, height };
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("This picture is too large for this browser. Scale it down first.");
  return { blob, width, height };
}

/** The EXIF orientation of a JPEG, 1 (upright) where it has none: the server does not turn pictures, browsers do. */
export function jpegOrientation(bytes) {
  try {
    for (let at = 2; bytes.getUint8(at) === 0xff; at += 2 + bytes.getUint16(at + 2)) {
      if (bytes.getUint8(at + 1) === 0xe1 && bytes.getUint32(at + 4) === 0x45786966) {
        return tiffOrientation(bytes, at + 10);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

function tiffOrientation(bytes, start) {
  const little = bytes.getUint16(start) === 0x4949;
  const directory = start + bytes.getUint32(start + 4, little);
  const count = bytes.getUint16(directory, little);
  for (let index = 0; index < count; index += 1) {
    const entry = directory + 2 + 12 * index;
    if (bytes.getUint16(entry, little) === ORIENTATION_TAG) return bytes.getUint16(entry + 8, little);
  }
  return 1;
}

/** The base64 of a blob. */
export function toBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file could not be read."));
    reader.readAsDataURL(blob);
  });
}
