// A picture and the maps that checks drew of it: overlay, side by side, swipe; zoom to pixels; magnifier.
// Everything that comes from Python is an image that Assay encoded, or text that is set as text.

const ZOOMS = [["Fit", 0], ["1:1", 1], ["2:1", 2], ["4:1", 4], ["8:1", 8]];
const VIEWS = ["Picture", "Overlay", "Side by side", "Swipe"];
const LENS = 6;
// Dark blue to yellow, even in lightness (after viridis): read the same by every kind of colour vision.
const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function coloured(value) {
  const at = (value / 255) * (RAMP.length - 1), low = Math.min(Math.floor(at), RAMP.length - 2), part = at - low;
  return RAMP[low].map((from, channel) => from + (RAMP[low + 1][channel] - from) * part);
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function choice(label, names, chosen, pick) {
  const group = element("div", { className: "choice" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  const buttons = names.map((name) => {
    const button = element("button", { type: "button", textContent: name });
    button.onclick = () => { select(name); pick(name); };
    return button;
  });
  function select(name) {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === name)));
  }
  select(chosen);
  group.append(...buttons);
  return group;
}

function slider(label, value, change) {
  const input = element("input", { type: "range", min: 0, max: 100, value });
  input.oninput = () => change(Number(input.value));
  return element("label", { className: "slider" }, element("span", { textContent: label }), input);
}

async function loaded(source) {
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  return picture;
}

// One canvas pixel for each pixel of the map; the browser stretches it over the picture without smoothing.
function drawn(map) {
  const canvas = element("canvas", { width: map.naturalWidth, height: map.naturalHeight });
  const context = canvas.getContext("2d");
  context.drawImage(map, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data.set(coloured(pixels.data[at]), at);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function stage(picture, label) {
  const frame = element("div", { className: "frame" }, picture);
  const scroller = element("div", { className: "scroller", tabIndex: 0 }, frame);
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", label);
  return { frame, scroller };
}

function magnifier(frame, scroller, picture) {
  const lens = element("div", { className: "lens", hidden: true });
  frame.append(lens);
  lens.style.backgroundImage = `url("${picture.src}")`;
  frame.addEventListener("pointermove", (event) => {
    if (!frame.dataset.lens) return;
    const box = frame.getBoundingClientRect(), scale = box.width / picture.naturalWidth, times = Math.max(LENS, 2 * scale);
    const x = event.clientX - box.left, y = event.clientY - box.top, half = 80;
    lens.hidden = false;
    lens.style.left = `${x - half}px`;
    lens.style.top = `${y - half}px`;
    lens.style.backgroundSize = `${picture.naturalWidth * times}px ${picture.naturalHeight * times}px`;
    lens.style.backgroundPosition = `${half - (x / scale) * times}px ${half - (y / scale) * times}px`;
  });
  frame.addEventListener("pointerleave", () => { lens.hidden = true; });
  return (on) => { frame.dataset.lens = on ? "on" : ""; lens.hidden = true; };
}

async function build(root, data) {
  const picture = await loaded(data.picture);
  picture.alt = data.alt;
  const maps = await Promise.all(data.maps.map(async ({ name, url }) => ({ name, canvas: drawn(await loaded(url)) })));
  const main = stage(picture, `${data.alt}; scrolls when enlarged`);
  const second = stage(element("div", { className: "ground" }), "The map alone");
  const stages = element("div", { className: "stages" }, main.scroller);
  const state = { view: "Picture", zoom: 0, map: maps[0], opacity: 60, swipe: 50 };
  const setLens = magnifier(main.frame, main.scroller, picture);
  const opacity = slider("Strength of the overlay", state.opacity, (value) => { state.opacity = value; draw(); });
  const swipe = slider("Swipe from the picture to the map", state.swipe, (value) => { state.swipe = value; draw(); });
  const legend = element("p", { className: "legend" }, element("span", { textContent: "weaker" }),
    element("span", { className: "ramp" }), element("span", { textContent: "stronger, for this picture alone" }));

  function size(frame) {
    const ratio = picture.naturalWidth / picture.naturalHeight;
    frame.style.width = state.zoom
      ? `${(picture.naturalWidth * state.zoom) / window.devicePixelRatio}px`
      : `min(100%, calc(33.5rem * ${ratio}))`;
    frame.style.aspectRatio = `${picture.naturalWidth} / ${picture.naturalHeight}`;
    frame.classList.toggle("pixelated", state.zoom >= 2);
  }

  function draw() {
    const over = state.map && state.view !== "Picture";
    main.frame.querySelectorAll("canvas").forEach((canvas) => canvas.remove());
    if (over) {
      const beside = state.view === "Side by side";
      (beside ? second.frame : main.frame).append(state.map.canvas);
      state.map.canvas.style.opacity = state.view === "Overlay" ? state.opacity / 100 : 1;
      state.map.canvas.style.clipPath = state.view === "Swipe" ? `inset(0 0 0 ${state.swipe}%)` : "";
    }
    if (over && state.view === "Side by side") stages.append(second.scroller); else second.scroller.remove();
    opacity.hidden = state.view !== "Overlay" || !over;
    swipe.hidden = state.view !== "Swipe" || !over;
    legend.hidden = !over;
    size(main.frame);
    size(second.frame);
  }

  const zoom = choice("Zoom", ZOOMS.map(([name]) => name), "Fit",
    (name) => { state.zoom = Object.fromEntries(ZOOMS)[name]; draw(); });
  const lens = element("button", { type: "button", textContent: "Magnifier" });
  lens.setAttribute("aria-pressed", "false");
  lens.onclick = () => {
    const on = lens.getAttribute("aria-pressed") !== "true";
    lens.setAttribute("aria-pressed", String(on));
    setLens(on);
  };
  const bar = element("div", { className: "bar" }, zoom, lens);
  if (maps.length) bar.prepend(choice("View", VIEWS, "Picture", (name) => { state.view = name; draw(); }));
  if (maps.length > 1) bar.append(choice("Map", maps.map(({ name }) => name), maps[0].name,
    (name) => { state.map = maps.find((map) => map.name === name); draw(); }));
  const notes = element("p", { className: "legend" }, element("span", { textContent: data.caption }));
  root.replaceChildren(bar, stages, opacity, swipe, legend, notes);
  draw();
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".viewer");
  if (root.dataset.shown === data.id) return;
  root.dataset.shown = data.id;
  build(root, data).catch(() => { root.textContent = "This browser cannot show the picture."; });
}
