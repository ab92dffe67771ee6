// The upload of a chosen file: the file itself, or the browser's rendering of a format that the server does not read.

// The server turns images by their EXIF orientation as browsers do, and keeps transparency.
const SENT_AS_THEY_ARE = new Set(["image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "image/avif"]);

/** Returns `{blob, width, height}`, in a format that the server reads. Throws if it is not an image. */
export async function prepare(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap && file.type === "image/tiff") return { blob: file }; // The server reads what browsers do not.
  if (!bitmap) throw new Error(`“${file.name || "This"}” is not an image that this browser can open.`);
  const { width, height } = bitmap;
  if (SENT_AS_THEY_ARE.has(file.type)) {
    bitmap.close();
    return { blob: file, width, height };
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("This image is too large for this browser. Scale it down first.");
  return { blob, width, height };
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
