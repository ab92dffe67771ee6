// The image before and after, split by a handle.

const frame = document.getElementById('frame');
const viewport = document.getElementById('viewport');
const images = document.getElementById('images');
const after = document.getElementById('after');
const split = document.getElementById('split');
const zoom = document.getElementById('zoom');

// Leaves room for the title above and the buttons below.
const HEIGHT_SHARE = 0.68;

// Narrower results are enlarged pixel by pixel.
const SMALL_PX = 256;

/** Fits the images into the window, or shows one pixel of the result per pixel of the screen. */
export function layOut() {
  const actual = zoom.getAttribute('aria-pressed') === 'true';
  viewport.classList.toggle('actual', actual);
  const width = actual ? after.width / devicePixelRatio : innerHeight * HEIGHT_SHARE * after.width / after.height;
  frame.classList.toggle('small-image', after.width < SMALL_PX);
  frame.style.setProperty('--width', `${width}px`);
  images.style.width = actual ? `${width}px` : '';
  moveSplit();
}

function moveSplit() {
  const place = viewport.clientWidth * split.value / 100;
  frame.style.setProperty('--split', `${place}px`);
  frame.style.setProperty('--cut', `${viewport.scrollLeft + place}px`);
  split.setAttribute('aria-valuetext', `${Math.round(split.value)} % before`);
}

split.addEventListener('input', moveSplit);
viewport.addEventListener('scroll', moveSplit);
new ResizeObserver(layOut).observe(document.body);
zoom.addEventListener('click', () => {
  const actual = zoom.getAttribute('aria-pressed') !== 'true';
  zoom.setAttribute('aria-pressed', String(actual));
  layOut();
  const {scrollWidth, clientWidth, scrollHeight, clientHeight} = viewport;
  viewport.scrollTo((scrollWidth - clientWidth) / 2, (scrollHeight - clientHeight) / 2);
});
