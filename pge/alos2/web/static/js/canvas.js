// A layer of Leaflet that is one canvas, for thousands of outlines: Leaflet's own would make an
// object of each and project it again and again. Outlines come as Web Mercator from 0 to 1.

const L = globalThis.L;

/** Base of layers that draw themselves: they bring `draw(context, view)`. */
export const CanvasLayer = L.Renderer.extend({
  options: { padding: 0.12, pane: "overlayPane" },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.setAttribute("aria-hidden", "true");
    this._context = this._container.getContext("2d");
  },
  _destroyContainer() {
    this._container.remove();
    delete this._container;
  },
  _updatePaths() {}, // Nothing hangs on this renderer but itself.
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize();
    const scale = Math.min(globalThis.devicePixelRatio || 1, 2);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this._container.width = Math.round(size.x * scale);
    this._container.height = Math.round(size.y * scale);
    this._container.style.width = `${size.x}px`;
    this._container.style.height = `${size.y}px`;
    this.redraw();
  },
  /** Draw again, soon. */
  redraw() {
    if (!this._map || !this._bounds || this._frame) return this;
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      if (this._map && this._container) this._draw();
    });
    return this;
  },
  _draw() {
    const scale = this._container.width / parseFloat(this._container.style.width);
    const context = this._context;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this._container.width, this._container.height);
    this.draw(context, this.view());
  },
  /** How the world lies on the canvas: its width in pixels, where its left upper corner is, and the
      copies of it that can be seen. */
  view() {
    const size = 256 * 2 ** this._zoom;
    const origin = this._map._getNewPixelOrigin(this._center, this._zoom);
    const left = -(origin.x + this._bounds.min.x);
    const top = -(origin.y + this._bounds.min.y);
    const { x: width, y: height } = this._bounds.getSize();
    const copies = [];
    // One more to the west: what crosses the antimeridian reaches from there into this one.
    for (let k = Math.floor(-left / size) - 1; k <= Math.floor((width - left) / size); k += 1) copies.push(k);
    return { size, left, top, width, height, copies, zoom: this._zoom };
  },
});

/** Whether a box of Mercator numbers [x0, y0, x1, y1] can be seen in a copy of the world. */
export function isSeen(box, view, copy) {
  const left = view.left + (box[0] + copy) * view.size;
  const right = view.left + (box[2] + copy) * view.size;
  const top = view.top + box[1] * view.size;
  const bottom = view.top + box[3] * view.size;
  return right >= -20 && left <= view.width + 20 && bottom >= -20 && top <= view.height + 20;
}

/** Trace a ring, a Float64Array of x, y, x, y …; points that fall together are left out. */
export function trace(context, ring, view, copy, close = true) {
  const { size, top } = view;
  const left = view.left + copy * size;
  let lastX = left + ring[0] * size;
  let lastY = top + ring[1] * size;
  context.moveTo(lastX, lastY);
  for (let i = 2; i < ring.length; i += 2) {
    const x = left + ring[i] * size;
    const y = top + ring[i + 1] * size;
    if (Math.abs(x - lastX) + Math.abs(y - lastY) < 0.7 && i < ring.length - 2) continue;
    context.lineTo(x, y);
    [lastX, lastY] = [x, y];
  }
  if (close) context.closePath();
}

/** The box of a ring. */
export function boxOfRing(ring) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < ring.length; i += 2) {
    if (ring[i] < box[0]) box[0] = ring[i];
    if (ring[i] > box[2]) box[2] = ring[i];
    if (ring[i + 1] < box[1]) box[1] = ring[i + 1];
    if (ring[i + 1] > box[3]) box[3] = ring[i + 1];
  }
  return box;
}
