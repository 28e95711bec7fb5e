// A dashboard drawn from a cube (analysis/views/cube.py): sums of what is selected, nothing
// more. The same files draw the page and the live widget. They load and send nothing, and
// what a client sent becomes text, never HTML.
//
// root: where it is drawn. level: of its heading. address: { read, write } of the page's,
// or nothing. ask: called with a message to the kernel, whose answer goes to `answer`.
// tell: called with what is selected, whenever that changes, in the form of such a message.
let drawnDashboards = 0;
function scrollerOf(element) {
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
    if (/auto|scroll/.test(getComputedStyle(at).overflowY) && at.scrollHeight > at.clientHeight) return at;
  return document.scrollingElement;
}
function dashboard(root, { level = 2, address = null, ask = null, tell = null } = {}) {
  const view = { root, level, ask, data: null, chosen: nothingSelected(), open: new Set(), listed: SHOWN_FIRST,
    answer: null, charts: new Map(), anchor: `requests-${++drawnDashboards}`,
    name: Math.random().toString(36).slice(2) };  // of its questions: a kernel's answer goes to every view
  let waiting = null, dragging = false, drawnWidth = 0, heights = new Map();
  const above = h("div"), below = h("div"), bar = controls(), tips = tooltips(root);
  root.classList.add("lectr-dashboard");
  root.setAttribute("data-lm-suppress-shortcuts", "true");  // JupyterLab's keys are not meant here
  root.replaceChildren(above, bar.element, below, tips.element);

  // ---- drawing
  function look() {  // what follows from the log and the selection
    const { data, chosen } = view;
    view.values = valuesOf(data);
    view.columns = columns(data);
    view.zone = chosen.zone && zonesOf(data).includes(chosen.zone) ? chosen.zone : data.tz;
    view.visible = chosen.zoom ? [chosen.zoom.from, chosen.zoom.to - 1] : [data.first ?? 0, data.last ?? 0];
    const fit = choosable(view).map(([key]) => key);
    view.every = fit.includes(chosen.step) ? chosen.step : automatic(view);
    view.grid = grid(...view.visible, view.every, view.zone);
    view.inMoney = money(view);
    view.compared = comparison(view);
  }
  function draw() {
    if (!view.data) return;
    if (root.clientWidth !== drawnWidth) {
      heights = new Map();
      above.style.minHeight = "";
    }
    drawnWidth = root.clientWidth;
    const active = root.contains(document.activeElement) && !bar.element.contains(document.activeElement) && document.activeElement;
    const at = active && place(active), was = active && active.getBoundingClientRect().top;
    look();
    updateControls(view, bar);
    const total = sum(view, cellsOf(view));
    const all = isSelected(view.chosen) ? sum(view, cellsOf(view, Object.values(LISTS), null)) : total;
    above.replaceChildren(...[head(view), level === 1 ? h("h2", { class: "unseen" }, "Figures and charts") : null, banner(view), ...asides(view), ...(view.data.times.length
      ? [budgetsElement(view), forecastElement(view), oddElement(view), figures(view, total), compared(view), quality(view, total), advice(view, all)] : [])].filter(Boolean));
    view.tiles = [...above.querySelectorAll(".figures > div")].map(tile => [...tile.children].slice(0, 3).map(e => e.textContent));
    below.replaceChildren(...(view.data.times.length ? parts(total) : []));
    steady();
    const again = at && [...root.querySelectorAll("[tabindex], button, summary")].find(e => place(e) === at);
    if (again) {
      again.focus({ preventScroll: true });
      scrollerOf(root).scrollTop += again.getBoundingClientRect().top - was;  // what was clicked stays under the pointer
    }
    return total;
  }
  function parts(total) {
    const time = timeChart(view), made = [spendChart(view), latencyChart(view), modelsChart(view), tokensChart(view),
      errorsChart(view), kindsChart(view), sessionsChart(view), view.data.by === "feature" ? untaggedChart(view, total) : null].filter(Boolean);
    view.charts = new Map([time, ...made].map(chart => [chart.key, chart]));
    time.after = timeElement(view, time, Math.max(root.clientWidth || 0, 320));
    return [chartElement(view, time), h("div", { class: "charts" }, made.map(chart => chartElement(view, chart))), requestsElement(view, total)].filter(Boolean);
  }
  // Nothing shrinks at a click: else what is clicked next has moved.
  function steady() {
    heights.set("above", Math.max(heights.get("above") || 0, above.scrollHeight));
    above.style.minHeight = heights.get("above") + "px";
    if (root.clientWidth < 900) return;  // on one column, gaps would be long
    for (const figure of below.querySelectorAll(".charts figure")) {
      const { panel } = figure.dataset, least = heights.get(panel) || 0;
      heights.set(panel, Math.max(least, figure.firstElementChild ? contentHeight(figure) : 0));
      figure.style.minHeight = heights.get(panel) + "px";
    }
  }
  const contentHeight = figure => figure.lastElementChild.getBoundingClientRect().bottom - figure.getBoundingClientRect().top;
  function place(e) {
    const { tip, ...own } = e.dataset;
    return e.tagName + (e.closest("[data-panel]")?.dataset.panel || "") + JSON.stringify(own);
  }
  function changed() {
    view.listed = SHOWN_FIRST;
    tips.hide();
    const total = draw();
    if (total) bar.status.textContent = announced(view, total);
    if (address) address.write(asAddress(view.chosen));
    if (tell && view.data.keys) tell(asMessage(view.chosen, view.data));
  }

  // ---- selecting
  root.addEventListener("click", event => {
    const at = event.target.closest("button");
    if (!at || !view.data) return;
    const { chosen } = view, own = at.dataset, what = Object.keys(LISTS).find(key => key in own);
    if (what) toggle(chosen, what, own[what]);
    else if (own.clear) clear(chosen, own.clear, own.value);
    else if (own.zoom) { chosen.zoom = { from: chosen.from, to: chosen.to }; chosen.from = chosen.to = chosen.step = null; }
    else if (own.quick) {
      chosen.zoom = null;
      look();
      chosen.to = view.grid.end;
      chosen.from = stepStart(instant(wall(chosen.to, view.zone) - own.quick, view.zone), view.every, view.zone);
    } else if (own.odd) oddChosen(own);
    else if (own.order) chosen.order = own.order;
    else if (own.more === "requests") view.open.add("requests");
    else if (own.more) { view.listed += 100; return draw(); }
    else if (own.export) return exportAs(view, own.export, own.of);
    else return;
    changed();
  });
  function oddChosen({ odd, oddTo, oddOf }) {
    const { chosen, data, zone } = view, counted = data.counted;
    chosen.from = stepStart(+odd, counted, zone);
    chosen.to = stepEnd(stepStart(oddTo ? +oddTo - 1 : data.last, counted, zone), counted, zone);
    chosen.zoom = null;
    if (data.features.includes(oddOf)) chosen.features = new Set([oddOf]);
  }
  root.addEventListener("toggle", event => {
    const key = event.target.dataset && event.target.dataset.open;
    if (key) view.open[event.target.open ? "add" : "delete"](key);
  }, true);
  root.addEventListener("input", event => {
    const key = event.target.dataset.control;
    if (!key || !view.data) return;
    view.chosen[key] = event.target.value || (key === "search" ? "" : null);
    changed();
  });
  root.addEventListener("keydown", event => {
    event.stopPropagation();  // a notebook has uses of its own for keys
    const { chosen, data } = view;
    if (!data) return;
    if (event.key === "Escape" && (isSelected(chosen) || chosen.search)) {
      clear(chosen, "all");
      chosen.search = "";
      event.preventDefault();
      return changed();
    }
    if (event.key === "Escape") return tips.hide();
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key], { starts, end } = view.grid;
    if (!way || !event.target.closest("[data-brush]")) return;
    event.preventDefault();
    const last = chosen.to == null ? null : starts.findLastIndex(start => start < chosen.to);
    const at = Math.min(Math.max(last == null ? (way > 0 ? 0 : starts.length - 1) : last + way, 0), starts.length - 1);
    chosen.to = starts[at + 1] ?? end;
    if (!event.shiftKey || chosen.from == null || chosen.from >= chosen.to) chosen.from = starts[at];
    changed();
  });
  root.addEventListener("pointerdown", event => {
    const svg = event.target.closest("[data-brush]");
    if (!svg || event.button) return;
    event.preventDefault();
    svg.focus({ preventScroll: true });
    const { starts, end } = view.grid, box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const slot = (svg.viewBox.baseVal.width - LEFT - 4) / starts.length;
    const stepAt = e => Math.min(Math.max(Math.floor(((e.clientX - box.left) * scale - LEFT) / slot), 0), starts.length - 1);
    const start = stepAt(event), brush = svg.querySelector(".brush");
    const ends = e => [Math.min(start, stepAt(e)), Math.max(start, stepAt(e))];
    dragging = true;
    const move = e => {
      const [a, b] = ends(e);
      brush.setAttribute("x", LEFT + a * slot);
      brush.setAttribute("width", (b - a + 1) * slot);
    };
    const stop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", cancel);
      dragging = false;
      if (waiting) { accept(waiting); waiting = null; }
    };
    const cancel = () => { stop(); draw(); };
    const up = e => {
      const [a, b] = ends(e), [from, to] = [starts[a], starts[b + 1] ?? end], { chosen } = view;
      const same = chosen.from === from && chosen.to === to;
      [chosen.from, chosen.to] = same ? [null, null] : [from, to];
      stop();
      changed();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancel);
    move(event);
  });
  const moved = () => { if (view.data && address.read() !== asAddress(view.chosen)) { view.chosen = fromAddress(address.read(), view.data); draw(); } };
  if (address) addEventListener("hashchange", moved);
  const resized = new ResizeObserver(() => { if (root.clientWidth !== drawnWidth && !dragging) draw(); });
  resized.observe(root);

  function accept(next) {
    const isFirst = view.data == null;
    const { times, cells } = unpackedCells(next);
    view.data = { ...next, cells, times: times.map(at => startThatIs(at, next.counted, next.tz)) };
    if (isFirst && address) view.chosen = fromAddress(address.read(), next);
    if (isFirst && next.selected) view.chosen = fromMessage(next.selected, view.data);
    keep(view.chosen, valuesOf(view.data));
  }
  return {
    show(next) { if (dragging) waiting = next; else { accept(next); draw(); } },
    answer(answer) { if (answer && answer.answer === "rows" && answer.of === view.asked) { view.answer = answer; draw(); } },
    choose(message) { if (view.data && view.data.keys) { view.chosen = fromMessage(message, view.data); draw(); } },
    close() { resized.disconnect(); removeEventListener("hashchange", moved); root.replaceChildren(); },
  };
}
const lectrParts = { dashboard, words, ranks, wilson, newcombe, grid, stepStart, instant, wall, moment, asAddress, fromAddress, unpacked,
  nothingSelected, csvText, zonesOf };
