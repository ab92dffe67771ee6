// The slider between the images before and after: a range input for keyboards and readers, moved by any pointer.

/** Makes a slider of the elements of the page; returns `show(beforeUrl, afterUrl)`, which resolves to the result's size. */
export function makeCompare({ root, before, after, range }) {
  const place = () => {
    root.style.setProperty("--split", `${range.value}%`);
    root.querySelector(".left").hidden = range.value < 12;
    root.querySelector(".right").hidden = range.value > 88;
    range.setAttribute("aria-valuetext", `${range.value} percent before, ${100 - range.value} percent after`);
  };
  const follow = (event) => {
    const box = range.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    place();
  };
  range.addEventListener("input", place);
  // Browsers differ in what a touch beside the thumb does, and the thumb cannot be seen here.
  range.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    event.preventDefault();
    range.focus({ preventScroll: true });
    range.setPointerCapture(event.pointerId);
    follow(event);
  });
  range.addEventListener("pointermove", (event) => {
    if (range.hasPointerCapture(event.pointerId)) follow(event);
  });

  return async function show(beforeUrl, afterUrl) {
    root.classList.toggle("single", !beforeUrl);
    after.src = afterUrl;
    if (beforeUrl) before.src = beforeUrl;
    await Promise.all([after.decode(), beforeUrl ? before.decode() : null]);
    root.classList.toggle("small-image", after.naturalWidth < 256);
    range.value = 50;
    place();
    return { width: after.naturalWidth, height: after.naturalHeight };
  };
}
