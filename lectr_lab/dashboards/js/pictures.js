// Charts as pictures: lists of shapes, which become SVG or are painted, with no network
// and no image that a page would have to load.
const FONT = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
let ruler = null;
function textWidth(text, size, weight = 400) {
  ruler = ruler || document.createElement("canvas").getContext("2d");
  ruler.font = `${weight} ${size}px ${FONT}`;
  return ruler.measureText(text).width;
}
// An element of the page: its style sheet has the colours.
function svgShape({ rect, line, text, x, y, end, fill, tip, ...more }) {
  if (rect) {
    const [left, top, width, height] = rect;
    return s("rect", { x: left, y: top, width, height, fill, class: more.class, "data-tip": tip });
  }
  if (line) return s("line", { x1: line[0], y1: line[1], x2: line[2], y2: line[3], class: more.class });
  return s("text", { x, y, "text-anchor": end ? "end" : null, class: more.class }, text);
}

// ---- what a chart is as a picture of its own
const wrapped = (text, width, size, weight) => text.split(" ").reduce((lines, word) => {
  const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
  if (lines.length && textWidth(longer, size, weight) > width) lines.push(word);
  else lines[Math.max(lines.length - 1, 0)] = longer;
  return lines;
}, []);
function chartPicture(chart, width) {
  const shapes = [];
  let y = 0;
  for (const line of wrapped(plain(chart.title), width, 15, 600)) shapes.push({ text: line, x: 0, y: y += 20, size: 15, weight: 600 });
  for (const line of wrapped(chart.said, width, 11)) shapes.push({ text: line, x: 0, y: y += 16, size: 11, soft: true });
  y += 12;
  let x = 0;
  for (const { name, fill } of chart.legend || []) {
    const wide = textWidth(name, 11) + 30;
    if (x && x + wide > width) { x = 0; y += 18; }
    shapes.push({ rect: [x, y, 10, 10], fill }, { text: name, x: x + 15, y: y + 9, size: 11 });
    x += wide;
  }
  if (x) y += 22;
  const body = chart.shapes ? { shapes: chart.shapes(width), height: TOP + HIGH + LOW } : rowsPicture(chart, width);
  return { shapes: [...shapes, ...body.shapes.map(shape => moved(shape, 0, y))], width, height: y + body.height + 8 };
}
function rowsPicture(chart, width) {
  const shapes = [], rows = chart.rows, full = row => row.text + (row.change ? ` ${row.change}` : "");
  const names = Math.min(Math.max(0, ...rows.map(row => textWidth(row.name, 12))), 0.4 * width);
  const texts = Math.max(0, ...rows.map(row => textWidth(full(row), 12)));
  const track = Math.max(width - names - texts - 24, 60), left = names + 12, high = 24;
  const total = left + track + 12 + texts;  // wider than asked for, rather than cut
  rows.forEach((row, i) => {
    const middle = i * high + high / 2;
    shapes.push({ text: row.name, x: names, y: middle + 4, end: true, size: 12, most: names });
    for (const one of row.marks.filter(Boolean)) shapes.push(markShape(one, left, track, middle));
    shapes.push({ text: full(row), x: left + track + 12, y: middle + 4, size: 12 });
  });
  (chart.axis || []).forEach(({ at, text }) => shapes.push({ text, x: left + at * track - textWidth(text, 11) / 2, y: rows.length * high + 14, size: 11, soft: true }));
  if (!rows.length) shapes.push({ text: chart.empty || "Nothing here in this selection.", x: 0, y: 16, size: 12, soft: true });
  return { shapes, width: total, height: Math.max(rows.length, 1) * high + (chart.axis ? 20 : 0) };
}
const MARKS = { line: [3, "rgba(86,180,233,.75)"], band: [15, "rgba(213,94,0,.28)"], "band wide": [6, "rgba(127,127,127,.4)"],
  tick: [15, "#D55E00"], dot: [10, "#0072B2"], "dot red": [10, "#D55E00"] };
function markShape({ kind, left, width, fill }, from, track, middle) {
  const [high, own] = MARKS[kind] || [15, fill], x = from + left * track, dot = kind.startsWith("dot");
  const wide = dot ? 10 : kind === "tick" ? 3 : Math.max((width || 0) * track, 1);
  return { rect: [dot ? x - 5 : kind === "tick" ? x - 1.5 : x, middle - high / 2, wide, high], fill: fill || own, round: dot ? 5 : 0 };
}
function moved(shape, x, y) {
  if (shape.rect) return { ...shape, rect: [shape.rect[0] + x, shape.rect[1] + y, shape.rect[2], shape.rect[3]] };
  if (shape.line) return { ...shape, line: [shape.line[0] + x, shape.line[1] + y, shape.line[2] + x, shape.line[3] + y] };
  return { ...shape, x: shape.x + x, y: shape.y + y };
}
// The page: its head, its figures, the time chart, and the others in two columns.
function pagePicture(view, charts) {
  const shapes = [], width = 1160, column = 560, { data, zone } = view;
  const at = when => moment(when, zone, { time: true, year: true, long: true });
  shapes.push({ text: data.title, x: 0, y: 24, size: 22, weight: 650 });
  const period = data.first == null ? "" : `${data.whose ? data.whose + " · " : ""}${at(data.first)} to ${at(data.last)} (${zone})`;
  shapes.push({ text: period, x: 0, y: 46, size: 12, soft: true });
  view.tiles.forEach(([what, figure, words], i) => {
    const x = i * width / view.tiles.length;
    shapes.push({ text: what, x, y: 78, size: 12, soft: true }, { text: figure, x, y: 106, size: 24, weight: 600 });
    wrapped(words, width / view.tiles.length - 16, 11).slice(0, 3).forEach((line, n) => shapes.push({ text: line, x, y: 124 + 15 * n, size: 11, soft: true }));
  });
  if (view.compared) shapes.push({ text: `▲ ▼ ${view.compared.said}`, x: 0, y: 176, size: 11, soft: true });
  let y = 190;
  const [time, ...others] = charts, top = chartPicture(time, width);
  shapes.push(...top.shapes.map(shape => moved(shape, 0, y)));
  y += top.height + 28;
  for (let i = 0; i < others.length; i += 2) {
    const pair = others.slice(i, i + 2).map(chart => chartPicture(chart, column));
    pair.forEach((one, n) => shapes.push(...one.shapes.map(shape => moved(shape, n * (width - column), y))));
    y += Math.max(...pair.map(one => one.height)) + 28;
  }
  return { shapes, width, height: y };
}

// ---- to SVG, and to PNG
const PAD = 20, SOFT = 0.72;
const STROKES = { grid: ["rgba(127,127,127,.3)", 1], mark: ["#8B9199", 1] };
const opacityOf = ({ soft, class: name }) => /\boff\b/.test(name || "") ? 0.3 : soft ? SOFT : 1;
const extent = ({ shapes, width, height }) => ({ height: height + 2 * PAD, width: 2 * PAD + Math.max(width,
  ...shapes.map(one => one.text && !one.end ? one.x + Math.min(textWidth(one.text, one.size || 11, one.weight), one.most || 1e9) : one.rect ? one.rect[0] + one.rect[2] : 0)) });
function themeOf(root) {
  let at = root, paper = "";
  for (; at && !paper; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (!/^rgba\(.*, 0\)$|transparent/.test(colour)) paper = colour;
  }
  return { ink: getComputedStyle(root).color, paper: paper || "#fff" };
}
function svgText(picture, { ink, paper }) {
  const { width, height } = extent(picture);
  const svg = s("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": FONT, fill: ink });
  svg.append(s("rect", { width, height, fill: paper }));
  for (const shape of picture.shapes.map(one => moved(one, PAD, PAD))) {
    const opacity = opacityOf(shape), [stroke, wide] = STROKES[(shape.class || "").split(" ")[0]] || [];
    if (/\bhover\b/.test(shape.class || "")) continue;
    if (shape.rect) {
      const [x, y, w, h] = shape.rect;
      svg.append(s("rect", { x, y, width: w, height: h, fill: shape.fill, rx: shape.round || null, opacity: opacity < 1 ? opacity : null }));
    } else if (shape.line) {
      const [x1, y1, x2, y2] = shape.line;
      svg.append(s("line", { x1, y1, x2, y2, stroke, "stroke-width": wide }));
    } else svg.append(s("text", { x: shape.x, y: shape.y, "font-size": shape.size || 11, "font-weight": shape.weight || null,
      "text-anchor": shape.end ? "end" : null, opacity: opacity < 1 ? opacity : null,
      ...(shape.most && textWidth(shape.text, shape.size) > shape.most ? { textLength: shape.most, lengthAdjust: "spacingAndGlyphs" } : {}) }, shape.text));
  }
  return new XMLSerializer().serializeToString(svg);
}
function pngBlob(picture, { ink, paper }, scale = 2) {
  const { width, height } = extent(picture), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
  const paint = canvas.getContext("2d");
  paint.scale(scale, scale);
  paint.fillStyle = paper;
  paint.fillRect(0, 0, width, height);
  for (const shape of picture.shapes.map(one => moved(one, PAD, PAD))) {
    if (/\bhover\b/.test(shape.class || "")) continue;
    paint.globalAlpha = opacityOf(shape);
    if (shape.rect) {
      paint.fillStyle = shape.fill;
      paint.beginPath();
      paint.roundRect(...shape.rect, shape.round || 0);
      paint.fill();
    } else if (shape.line) {
      [paint.strokeStyle, paint.lineWidth] = STROKES[(shape.class || "").split(" ")[0]] || [ink, 1];
      paint.beginPath();
      paint.moveTo(shape.line[0], shape.line[1]);
      paint.lineTo(shape.line[2], shape.line[3]);
      paint.stroke();
    } else {
      paint.fillStyle = ink;
      paint.font = `${shape.weight || 400} ${shape.size || 11}px ${FONT}`;
      paint.textAlign = shape.end ? "right" : "left";
      paint.fillText(shape.text, shape.x, shape.y, shape.most);
    }
  }
  return new Promise(done => canvas.toBlob(done, "image/png"));
}

