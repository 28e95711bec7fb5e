// Money over time: bars per step, in which a span can be selected, with lines for what
// happened. Drawn from shapes, as its pictures are.
const LEFT = 68, TOP = 20, HIGH = 170, LOW = 24;
// Requests are drawn where nothing of what is selected, at any time, cost anything.
const money = view => cellsOf(view, ["time"]).some(i => view.columns.spend_usd[i] > 0);

function niceSteps(top) {
  const rough = top / 3.2, power = 10 ** Math.floor(Math.log10(rough));
  const one = [1, 2, 2.5, 5, 10].find(m => m * power >= rough) * power;
  return Array.from({ length: Math.floor(top / one * 1.0001) + 1 }, (_, i) => i * one);
}
// Which step each moment of the cells lies in; -1 outside.
function placed({ data, grid: { starts, end } }) {
  let i = -1;
  return data.times.map(at => {
    while (i + 1 < starts.length && starts[i + 1] <= at) i++;
    return at >= end ? -1 : i;
  });
}
function timeChart(view) {
  const { data, chosen, grid: { starts, end }, every, zone } = view;
  const { inMoney } = view, value = inMoney ? "spend_usd" : "requests", write = inMoney ? usd : short;
  const column = view.columns[value], { f } = view.columns, of = placed(view), { t } = data.cells;
  const stacks = starts.map(() => new Map()), others = data.features.length;
  for (const i of cellsOf(view, ["time"])) {
    const at = of[t[i]], own = colourOf(view, f[i]) === FAINT ? others : f[i];
    if (at >= 0) stacks[at].set(own, (stacks[at].get(own) || 0) + column[i]);
  }
  const tops = stacks.map(stack => [...stack.values()].reduce((a, b) => a + b, 0));
  const all = tops.reduce((a, b) => a + b, 0), most = tops.reduce((a, b) => Math.max(a, b), 0), highest = tops.indexOf(most);
  const peak = tops.length > 1 && all ? `; the most, ${write(most)}, ` +
    `${hasClock(every) ? "at" : { "1w": "in the week of", "1mo": "in" }[every] || "on"} ${stepName(starts[highest], every, zone)}` : "";
  const seen = new Set(stacks.flatMap(stack => [...stack.keys()]));
  const legend = [...data.features.keys()].filter(at => seen.has(at)).map(at =>
    ({ name: data.features[at], fill: colourOf(view, at), of: ["feature", data.features[at]] }));
  if (seen.has(others)) legend.push({ name: "all others", fill: FAINT });
  const unit = inMoney ? "" : " requests", picked = sum(view, cellsOf(view))[value];
  const step = data.steps.find(([key]) => key === every)[2];
  const names = at => data.features[at] || "all others";
  return { key: "time", stacks, most: most || 1, write, legend,
    title: [chosen.from == null ? `${write(all)}${unit} in ${chosen.zoom ? "this span" : "all"}${peak}`
      : `${write(picked)} of ${write(all)}${unit} in the time selected`],
    said: `${inMoney ? "US dollars" : "requests"} per ${step}, ${zone}`, hint: "drag, or arrow keys, to select",
    table: { columns: ["from (UTC)", "to (UTC)", data.by, value],
      rows: stacks.flatMap((stack, i) => [...stack].map(([at, n]) =>
        [iso(starts[i]), iso(starts[i + 1] ?? end), names(at), n])) },
    shapes: width => timeShapes(view, stacks, most || 1, write, names, width) };
}
const iso = at => new Date(at).toISOString().replace(".000", "");

function timeShapes(view, stacks, top, write, names, width) {
  const { chosen, grid: { starts, end }, every, zone } = view;
  const inner = width - LEFT - 4, slot = inner / stacks.length, y = v => TOP + HIGH * (1 - v / top);
  const shapes = [], gap = slot > 6 ? 2 : slot > 3 ? 1 : 0;
  for (const v of niceSteps(top)) shapes.push({ line: [LEFT, y(v), width, y(v)], class: "grid" },
    { text: write(v), x: LEFT - 8, y: y(v) + 4, end: true });
  stacks.forEach((stack, t) => {
    const on = chosen.from == null || (starts[t] >= chosen.from && starts[t] < chosen.to);
    const tip = [`${stepName(starts[t], every, zone)}: ${write([...stack.values()].reduce((a, b) => a + b, 0))}`];
    for (const [f, v] of [...stack].sort((a, b) => b[1] - a[1]).slice(0, 7)) if (stack.size > 1 || v) tip.push(`${names(f)}: ${write(v)}`);
    let base = 0;
    for (const [f, v] of [...stack].sort((a, b) => a[0] - b[0])) {
      const high = Math.max(y(base) - y(base + v), 0);
      shapes.push({ rect: [LEFT + t * slot + gap / 2, y(base + v), Math.max(slot - gap, 0.5), high],
        fill: f < view.data.features.length ? colourOf(view, f) : FAINT, class: on ? "bar" : "bar off" });
      base += v;
    }
    shapes.push({ rect: [LEFT + t * slot, TOP, slot, HIGH], class: "hover", fill: "transparent", tip: tip.join("\n") });
  });
  const wide = Math.max(...starts.slice(0, 3).map(at => textWidth(stepName(at, every, zone), 11))) + 18;
  const each = Math.ceil(stacks.length / Math.max(Math.floor(inner / wide), 1));
  starts.forEach((at, t) => {
    const x = LEFT + t * slot + (starts.length < 3 ? slot / 2 : 0), text = stepName(at, every, zone);
    if (t % each === 0 && (x + textWidth(text, 11) < width || t === 0)) shapes.push({ text, x, y: TOP + HIGH + 17 });
  });
  return [...shapes, ...markShapes(view, at => LEFT + inner * placeIn(at, starts, end), width)];
}
// How far along the chart a moment is, 0 to 1: steps are drawn equally wide.
function placeIn(at, starts, end) {
  const i = Math.max(starts.findLastIndex(start => start <= at), 0), to = starts[i + 1] ?? end;
  return (i + Math.min(Math.max((at - starts[i]) / (to - starts[i]), 0), 1)) / starts.length;
}
// Lines with a word: what the user noted, prices, rules, and what is odd.
function markShapes(view, x, width) {
  const { data, zone, grid: { starts, end } } = view, shapes = [];
  const inside = (data.marks || []).filter(({ at }) => at >= starts[0] && at < end);
  let free = LEFT;  // words do not touch
  for (const { at, text, kind } of inside) {
    const left = x(at), tip = `${moment(at, zone, { time: true, year: true })}\n${text}`;
    shapes.push({ line: [left, TOP - 6, left, TOP + HIGH], class: "mark " + kind },
      { rect: [left - 4, TOP - 8, 8, HIGH + 8], fill: "transparent", class: "hover", tip });
    const wide = textWidth(text, 11);
    if (left >= free && left + 4 + wide < width) {
      shapes.push({ text, x: left + 4, y: TOP - 8, class: "word" });
      free = left + wide + 14;
    }
  }
  for (const one of data.odd || []) {
    const from = Math.max(one.from, starts[0]), to = Math.min(one.to ?? end, end);
    if (from < to) shapes.push({ rect: [x(from), TOP + HIGH + 1, Math.max(x(to) - x(from), 3), 4], fill: "#D55E00", class: "odd",
      tip: one.sentence });
  }
  return shapes;
}
function timeElement(view, chart, width) {
  const shown = span(view.chosen);
  const svg = s("svg", { width: "100%", viewBox: `0 0 ${width} ${TOP + HIGH + LOW}`, role: "application",
    "aria-label": `${plain(chart.title)}. Arrow keys select a step; with shift, more; Escape, everything.` +
      (shown ? ` Selected: ${spanName(...shown, view.every, view.zone)}.` : ""),
    tabindex: 0, "data-brush": "" });
  svg.append(...chart.shapes(width).map(svgShape), s("rect", { x: LEFT, width: 0, y: TOP, height: HIGH, class: "brush" }));
  return h("div", { class: "time" }, svg);
}

