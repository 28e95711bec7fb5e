// A dashboard drawn from a cube (analysis/views/cube.py): sums of what is selected, nothing
// more. The same file draws the page and the live widget. It loads and sends nothing,
// and what a client sent becomes text, never HTML.
function lectrDashboard(root) {
  const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"];
  const GREY = "#666E78", FAINT = "rgba(127,127,127,.38)";
  const SVG = "http://www.w3.org/2000/svg";
  const chosen = { from: null, to: null, features: new Set(), provider: null };
  let data = null, waiting = null, dragging = false, drawnWidth = 0;

  const { NONE, count, usd, duration, percent, short } = lectrWords;
  const ratio = (part, whole) => whole > 0 ? part / whole : null;
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const two = n => String(n).padStart(2, "0");
  function moment(ms, withTime) {  // the wall clock of the zone asked for, called UTC
    const at = new Date(ms), day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    return withTime ? `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}` : day;
  }
  const hasClock = () => /[mh]$/.test(data.every);
  const long = () => /w|mo$/.test(data.every);  // so long that the year must be said
  const step = ms => !long() ? moment(ms, hasClock())
    : `${moment(ms).split(" ").slice(data.every === "1mo" ? 1 : 0).join(" ")} ${new Date(ms).getUTCFullYear()}`;

  // ---- making elements; strings become text
  function h(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
      if (name === "style") Object.assign(made.style, value);
      else if (value != null && value !== false) made.setAttribute(name, value);
    made.append(...children.flat().filter(child => child != null && child !== ""));
    return made;
  }
  function s(tag, attributes, text) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text != null) made.textContent = text;
    return made;
  }

  // ---- what is selected
  const M = () => data.measures;
  function cells({ time = true, features = true, provider = true } = {}) {
    const within = data.times.map(t =>
      !time || chosen.from == null || (t >= chosen.from && t <= chosen.to));
    const named = data.features.map(name =>
      !features || !chosen.features.size || chosen.features.has(name));
    const of = data.models.map(([from]) =>
      !provider || chosen.provider == null || from === chosen.provider);
    return data.cells.filter(c => within[c[0]] && named[c[1]] && of[c[2]]);
  }
  const touched = () =>
    chosen.from != null || chosen.features.size > 0 || chosen.provider != null;
  function sum(some) {
    const total = Object.fromEntries(M().map(name => [name, 0]));
    for (const cell of some) M().forEach((name, i) => total[name] += cell[3 + i]);
    return total;
  }
  function by(some, place) {
    const groups = new Map();
    for (const cell of some) {
      if (!groups.has(cell[place])) groups.set(cell[place], []);
      groups.get(cell[place]).push(cell);
    }
    return [...groups].map(([key, own]) => ({ key, cells: own, ...sum(own) }));
  }
  const bins = cell => cell[3 + M().length], kinds = cell => cell[4 + M().length];

  const percentiles = some => lectrRanks(some.map(bins), data.growth);

  // Whom a title is about: the first that is selected; else that has a name of its own.
  const first = groups => chosen.features.size
    ? groups.find(g => chosen.features.has(data.features[g.key]))
    : groups.find(g => g.key < data.leading) || groups[0];
  const orNothing = said => touched() ? "Nothing in this selection" : said;

  // ---- the parts of the page
  const colour = f => {
    const name = data.features[f];
    if (f >= data.leading) return FAINT;
    if (name === data.untagged) return GREY;
    const own = data.features.slice(0, f).filter(other => other !== data.untagged).length;
    return own < COLOURS.length ? COLOURS[own] : FAINT;
  };
  const bdi = name => h("bdi", {}, name);  // whichever way it is written, figures stay where they are
  function panel(key, title, said, ...body) {
    return h("figure", { "data-panel": key },
      h("figcaption", {}, h("h3", {}, title), h("p", { class: "soft" }, said)), ...body);
  }
  const mark = (kind, left, width, fill) => width === 0 && /^bar/.test(kind) ? null : h("i", {
    class: kind,
    style: { left: 100 * left + "%", background: fill,
      ...(width == null ? {} : { width: 100 * Math.max(width, 0) + "%" }) },
  });
  // One row: a name, marks on a track, and the figures as text. Features can be clicked.
  function row({ name, marks, text, feature, whole }) {
    const on = feature != null && chosen.features.has(name);
    const dim = feature != null && chosen.features.size > 0 && !on;
    return h(feature == null ? "div" : "button", {
      class: "row" + (dim ? " dim" : ""), title: `${whole || name}: ${text}`,
      ...(feature == null ? {} : { type: "button", "data-feature": name, "aria-pressed": on }),
    }, h("span", { class: "name" }, name), h("span", { class: "track" }, ...marks),
    h("span", { class: "text" }, text));
  }
  const rows = (...made) => h("div", { class: "rows" }, ...made);
  const nothing = () => h("p", { class: "soft" }, "Nothing here in this selection.");

  function figures(total) {
    const timed = !touched() && data.exact ? data.exact[-1] : percentiles(cells());
    const [low, high] = lectrWilson(total.errors, total.requests);
    const spend = known(total);
    const tiles = [
      ["Requests", count(total.requests), touched() ? "in this selection"
        : `${count(data.n_features)} ${data.by}${data.n_features === 1 ? "" : "s"}`],
      ["Spend", usd(spend), total.unpriced + total.uncounted ? "of what has a price" : "in all"],
      ["Error rate", percent(ratio(total.errors, total.requests)),
        total.requests ? `${count(total.errors)} errors; 95 % interval ${percent(low)} to ${percent(high)}`
          : "no requests"],
      ["p95 latency", duration(timed[95][0]),
        timed.n ? `95 % interval ${interval(timed[95])}; half within ${duration(timed[50][0])}; n ${count(timed.n)}`
          : "none succeeded"],
      ["Untagged", percent(ratio(total.untagged, total.requests)),
        `of requests; ${percent(ratio(total.untagged_usd, total.spend_usd))} of spend`],
    ];
    return h("dl", { class: "figures" }, tiles.map(([what, figure, said]) =>
      h("div", {}, h("dt", {}, what), h("dd", {}, figure), h("dd", { class: "soft" }, said))));
  }
  const known = total => total.priced || !(total.unpriced + total.uncounted) ? total.spend_usd : null;
  // Ends in the unit of the middle, which is written before them.
  function interval([ms, low, high]) {
    if (low == null && high == null) return "";
    const unit = ms < 999.5 ? 1 : ms < 59950 ? 1e3 : 6e4, digits = unit === 1 ? 0 : 1;
    const end = x => x == null ? NONE : (x / unit).toFixed(digits);
    return `[${end(low)}, ${end(high)}]`;
  }

  function quality(total) {
    const always = [
      [total.estimated, "with estimated tokens, not the provider's count"],
      [total.unpriced, "without a known price"],
      [data.dropped, "dropped from the log"],
    ];
    const where = [
      [total.uncounted, "answered without a token count"],
      [total.retries, "repeated by an SDK"],
      [total.left, "left early by their client"],
      [data.unread_things, "of its files and batches could not be read"],
    ];
    return h("ul", { class: "quality", "aria-label": "Data quality" },
      [...always, ...where.filter(([n]) => n)].map(([n, what]) =>
        h("li", { class: n ? "some" : "none" }, h("b", {}, count(n)), " " + what)));
  }

  const unnamed = total => [["requests", ratio(total.untagged, total.requests)],
    ["spend", ratio(total.untagged_usd, total.spend_usd)]];
  const much = total => unnamed(total).some(([, x]) => x > data.much_untagged);
  function advice(total) {
    if (!much(total)) return null;
    const said = unnamed(total).filter(([, x]) => x != null).map(([of, x]) => `${percent(x)} of ${of}`).join(" and ");
    return h("p", { class: "advice" }, `${said} name no feature. Add, where the call is made: `,
      h("code", {}, data.tag_advice));
  }

  function selection() {
    const chips = [];
    if (chosen.from != null) chips.push(["time", chosen.from === chosen.to ? step(chosen.from)
      : `${step(chosen.from)} to ${step(chosen.to)}`]);
    for (const name of chosen.features) chips.push(["feature", name]);
    if (chosen.provider != null) chips.push(["provider", chosen.provider]);
    if (!chips.length) return h("p", { class: "selection soft" },
      `Drag over the time chart, or click ${data.by === "feature" ? "a feature" : "a bar"} or a provider: everything follows.`);
    return h("p", { class: "selection" }, "Only ", chips.map(([kind, text]) =>
      h("button", { type: "button", class: "chip", "data-clear": kind, "data-value": text }, text, " ✕")),
    h("button", { type: "button", class: "chip", "data-clear": "all" }, "Show everything"));
  }

  const money = () => data.cells.some(c => c[3 + M().indexOf("spend_usd")] > 0);
  function spendOverTime() {
    const inMoney = money(), value = inMoney ? "spend_usd" : "requests";
    const write = inMoney ? usd : short, i = 3 + M().indexOf(value);
    const stacks = data.times.map(() => new Map());
    for (const c of cells({ time: false })) {
      const own = colour(c[1]) === FAINT ? data.features.length : c[1];
      stacks[c[0]].set(own, (stacks[c[0]].get(own) || 0) + c[i]);
    }
    const tops = stacks.map(stack => [...stack.values()].reduce((a, b) => a + b, 0));
    const all = tops.reduce((a, b) => a + b, 0), highest = tops.indexOf(Math.max(...tops));
    const peak = tops.length > 1 && all ? `; the most, ${write(tops[highest])}, ` +
      `${hasClock() ? "at" : data.every === "1mo" ? "in" : "on"} ${step(data.times[highest])}` : "";
    const place = h("div", { class: "time" });
    place.append(timeSvg(stacks, Math.max(...tops) || 1, write));
    const seen = new Set(stacks.flatMap(stack => [...stack.keys()]));
    const legend = [...data.features.keys()].filter(f => seen.has(f)).map(f =>
      legendItem(data.features[f], colour(f), true));
    if (seen.has(data.features.length)) legend.push(legendItem("all others", FAINT, false));
    const unit = inMoney ? "" : " requests", picked = sum(cells())[value];
    return panel("time", chosen.from == null ? `${write(all)}${unit} in all${peak}`
      : `${write(picked)} of ${write(all)}${unit} in the time selected`,
      `${inMoney ? "US dollars" : "requests"} per ${data.step}${data.tz === "UTC" ? ", UTC" : ", " + data.tz}` +
      " · drag to select", h("div", { class: "legend" }, legend), place);
  }
  function legendItem(name, fill, clickable) {
    const swatch = h("i", { style: { background: fill } });
    if (!clickable) return h("span", {}, swatch, name);
    const dim = chosen.features.size && !chosen.features.has(name);
    return h("button", { type: "button", "data-feature": name, class: dim ? "dim" : "" }, swatch, name);
  }
  const LEFT = 68, TOP = 8, HIGH = 170, LOW = 24;
  function niceSteps(top) {
    const rough = top / 3.2, power = 10 ** Math.floor(Math.log10(rough));
    const one = [1, 2, 2.5, 5, 10].find(m => m * power >= rough) * power;
    return Array.from({ length: Math.floor(top / one * 1.0001) + 1 }, (_, i) => i * one);
  }
  function timeSvg(stacks, top, write) {
    const width = Math.max(root.clientWidth || 0, 320), inner = width - LEFT - 4;
    const slot = inner / stacks.length, y = v => TOP + HIGH * (1 - v / top);
    const svg = s("svg", { width: "100%", viewBox: `0 0 ${width} ${TOP + HIGH + LOW}`,
      role: "img", "aria-label": "Spend over time. Arrow keys select; with shift, more.",
      tabindex: 0, "data-brush": "" });
    for (const v of niceSteps(top)) {
      svg.append(s("line", { x1: LEFT, x2: width, y1: y(v), y2: y(v), class: "grid" }),
        s("text", { x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, write(v)));
    }
    const gap = slot > 6 ? 2 : slot > 3 ? 1 : 0;
    stacks.forEach((stack, t) => {
      const on = chosen.from == null || (data.times[t] >= chosen.from && data.times[t] <= chosen.to);
      let base = 0;
      for (const [f, v] of [...stack].sort((a, b) => a[0] - b[0])) {
        const name = data.features[f] || "all others";
        const bar = s("rect", { x: LEFT + t * slot + gap / 2, width: Math.max(slot - gap, 0.5),
          y: y(base + v), height: Math.max(y(base) - y(base + v), 0), class: on ? "bar" : "bar off",
          fill: f < data.features.length ? colour(f) : FAINT });
        bar.append(s("title", {}, `${step(data.times[t])} · ${name}: ${write(v)}`));
        svg.append(bar);
        base += v;
      }
    });
    const every = Math.ceil(stacks.length / Math.max(Math.floor(inner / 92), 1));
    data.times.forEach((at, t) => {
      if (t % every === 0 && (LEFT + t * slot < width - 60 || t === 0)) svg.append(s("text", {
        x: LEFT + t * slot + (stacks.length < 3 ? slot / 2 : 0), y: TOP + HIGH + 17 }, step(at)));
    });
    svg.append(s("rect", { x: LEFT, width: 0, y: TOP, height: HIGH, class: "brush" }));
    return svg;
  }

  function spendByFeature() {
    const groups = by(cells({ features: false }), 1)
      .sort((a, b) => b.spend_usd - a.spend_usd || b.requests - a.requests);
    const all = groups.reduce((total, g) => total + g.spend_usd, 0);
    const longest = Math.max(...groups.map(g => g.spend_usd), 0) || 1;
    const top = first(groups), share = top && ratio(top.spend_usd, all);
    return panel("spend", share ? [bdi(data.features[top.key]), `: ${percent(share)} of the spend`]
      : orNothing(top && known(top) === 0 ? "Nothing was spent" : "No spend that is known"), "US dollars · share · n requests", rows(...groups.map(g => row({
      name: data.features[g.key], feature: g.key,
      marks: [mark("bar", 0, g.spend_usd / longest, colour(g.key))],
      text: [usd(known(g)), percent(ratio(g.spend_usd, all)), `n ${count(g.requests)}`,
        g.unpriced ? `${count(g.unpriced)} unpriced` : ""].filter(Boolean).join(" · "),
    }))), groups.length ? null : nothing());
  }

  function latency() {
    const exact = !touched() && data.exact;
    const groups = by(cells({ features: false }), 1)
      .map(g => ({ ...g, p: exact && exact[g.key] || percentiles(g.cells) }))
      .filter(g => g.p.n > 0).sort((a, b) => b.p[95][0] - a.p[95][0]);
    const ends = groups.flatMap(g => [g.p[50][1] ?? g.p[50][0], g.p[99][0], g.p[95][2] ?? 0]).filter(x => x > 0);
    const low = Math.min(...ends) / 1.15, high = Math.max(...ends) * 1.15;
    const x = ms => Math.log(ms / low) / Math.log(high / low);
    const top = first(groups);
    const ticks = [1, 10, 100, 1e3, 1e4, 6e4, 6e5, 36e5].filter(t => t >= low && t <= high)
      .filter((t, i, all) => !i || x(t) - x(all[i - 1]) > 0.35);  // else words touch
    const said = ms => ms < 1e3 ? ms + " ms" : ms < 6e4 ? ms / 1e3 + " s" : ms / 6e4 + " min";
    const title = !top ? orNothing("No request has been timed yet") : top.p.n >= 20
      ? [bdi(data.features[top.key]), `: one in 20 takes over ${duration(top.p[95][0])}`]
      : [bdi(data.features[top.key]), `: ${duration(top.p[50][0])} in the median of ${count(top.p.n)}`];
    return panel("latency", title, "dot p50 · tick p95 in its 95 % interval · line to p99 · n succeeded · " +
      (exact ? "exact" : `from 5 % bins, within ${percent(Math.sqrt(data.growth) - 1)}`),
    rows(...groups.map(g => {
      const [p50, p95, p99] = [50, 95, 99].map(p => g.p[p]);
      return row({
        name: data.features[g.key], feature: g.key,
        marks: [mark("line", x(p50[0]), x(p99[0]) - x(p50[0])),
          p95[1] != null && p95[2] != null ? mark("band", x(p95[1]), x(p95[2]) - x(p95[1])) : null,
          mark("tick", x(p95[0])), mark("dot", x(p50[0]))],
        text: `${duration(p50[0])} · ${duration(p95[0])} ${interval(p95)} · n ${count(g.p.n)}`,
      });
    }), groups.length ? h("div", { class: "row axis" }, h("span"), h("span", { class: "track" },
      ticks.map(t => h("em", { style: { left: 100 * x(t) + "%" } }, said(t)))), h("span")) : null),
    groups.length ? null : nothing());
  }

  function errors() {
    const groups = by(cells({ features: false }), 1).filter(g => g.requests > 0)
      .map(g => ({ ...g, rate: g.errors / g.requests, ends: lectrWilson(g.errors, g.requests) }))
      .sort((a, b) => b.rate - a.rate || b.requests - a.requests);
    const most = Math.max(0.01, ...groups.map(g => g.ends[1])), top = first(groups.filter(g => g.errors));
    return panel("errors", top ? [bdi(data.features[top.key]), `: ${count(top.errors)} of ` +
      `${count(top.requests)} requests failed`] : first(groups) ? "No request failed" : orNothing("No request failed"),
    "error rate in its 95 % interval · errors of requests", rows(...groups.map(g => row({
      name: data.features[g.key], feature: g.key,
      marks: [mark("band wide", g.ends[0] / most, (g.ends[1] - g.ends[0]) / most), mark("dot red", g.rate / most)],
      text: `${percent(g.rate)} · ${count(g.errors)} of ${count(g.requests)}`,
    }))), groups.length ? null : nothing());
  }

  function errorKinds() {
    const found = new Map();
    for (const cell of cells())
      for (let i = 0, k = kinds(cell); i < k.length; i += 2)
        found.set(k[i], (found.get(k[i]) || 0) + k[i + 1]);
    const sorted = [...found].sort((a, b) => b[1] - a[1]);
    const all = sorted.reduce((total, [, n]) => total + n, 0);
    const name = k => data.kinds[k][0], source = k => data.kinds[k][1];
    return panel("kinds", all ? `${percent(sorted[0][1] / all)} of the errors: ${name(sorted[0][0])}`
      : "No error to explain", "errors by kind, and who said so", rows(...sorted.map(([k, n]) => row({
      name: name(k), marks: [mark("bar", 0, n / sorted[0][1], "#D55E00")],
      text: `${count(n)} · from ${source(k)}`,
    }))), all ? null : h("p", { class: "soft" }, "No request failed in this selection."));
  }

  const KINDS = [["input", "#0072B2"], ["cached input", "#56B4E9"], ["output", "#E69F00"], ["reasoning", "#CC79A7"]];
  function tokens() {
    const groups = by(cells({ features: false }), 1).filter(g => g.counted > 0)
      .map(g => ({ ...g, all: g.input_tokens + g.output_tokens, parts: [
        g.input_tokens - g.cache_read_tokens, g.cache_read_tokens,
        g.output_tokens - g.reasoning_tokens, g.reasoning_tokens] }))
      .sort((a, b) => b.all - a.all);
    const longest = Math.max(...groups.map(g => g.all), 0) || 1;
    const picked = sum(cells()), all = picked.input_tokens + picked.output_tokens;
    return panel("tokens", all ? (picked.cache_read_tokens
      ? `${percent(picked.cache_read_tokens / picked.input_tokens)} of the input tokens came from a cache`
      : `${percent(picked.output_tokens / all)} of the tokens are output`) : orNothing("No tokens were counted"), "tokens by kind · n requests counted",
    h("div", { class: "legend" }, KINDS.map(([name, fill]) => legendItem(name, fill, false))),
    rows(...groups.map(g => {
      let at = 0;
      return row({
        name: data.features[g.key], feature: g.key,
        whole: KINDS.map(([kind], i) => `${count(g.parts[i])} ${kind}`).join(", "),
        marks: g.parts.map((n, i) => {
          const made = n > 0 ? mark("bar part", at / longest, n / longest, KINDS[i][1]) : null;
          at += Math.max(n, 0);
          return made;
        }),
        text: `${short(g.all)} · n ${count(g.counted)}`,
      });
    })), groups.length ? null : nothing());
  }

  function models() {
    const providers = [...new Set(data.models.slice(0, data.leading_models).map(([from]) => from))];
    const groups = by(cells(), 2).sort((a, b) => b.spend_usd - a.spend_usd || b.requests - a.requests);
    const all = sum(cells()), longest = Math.max(...groups.map(g => g.spend_usd), 0) || 1;
    const inMoney = money(), most = Math.max(...groups.map(g => g.requests), 1), top = groups[0];
    const title = !top ? orNothing("No model answered") : inMoney && all.spend_usd
      ? [bdi(data.models[top.key][1]), `: ${percent(top.spend_usd / all.spend_usd)} of the spend`]
      : [bdi(data.models[top.key][1]), `: ${percent(ratio(top.requests, all.requests))} of requests`];
    const chip = (text, value) => h("button", { type: "button", class: "chip", "data-provider": value,
      "aria-pressed": chosen.provider === (value || null) }, text);
    return panel("models", title, "model · US dollars · share of requests · n",
      h("div", { class: "legend" }, chip("all providers", ""), providers.map(p => chip(p, p))),
      rows(...groups.map(g => row({
        name: data.models[g.key][1], whole: data.models[g.key].join(" · "),
        marks: [mark("bar", 0, inMoney ? g.spend_usd / longest : g.requests / most, "#8A94A0")],
        text: `${usd(known(g))} · ${percent(ratio(g.requests, all.requests))} · n ${count(g.requests)}`,
      }))), groups.length ? null : nothing());
  }

  function untagged(total) {
    const shares = unnamed(total);
    return panel("untagged", total.untagged ? `${percent(shares[0][1])} of requests name no feature`
      : "Every request names its feature", "share without the header X-Lectr-Feature",
    rows(...shares.map(([of, share]) => row({ name: of,
      marks: [mark("bar", 0, 1, "rgba(127,127,127,.16)"), mark("bar", 0, share || 0, GREY)],
      text: `${percent(share)} untagged` }))),
    total.untagged && !much(total) ? h("p", { class: "soft" }, "Add where the call is made: ", h("code", {}, data.tag_advice)) : null);
  }

  function head() {
    const whose = data.whose ? data.whose + " · " : "";
    const period = data.first ? `${data.first} to ${data.last} (${data.tz})` : "No request has been logged yet.";
    return h("header", {}, h("h2", {}, data.title), h("p", { class: "soft" }, whose + period,
      data.live ? h("span", { class: data.live.startsWith("live") ? "live" : "over" }, ` ${data.live}`) : null));
  }
  function banner() {
    const dropped = `${count(data.dropped)} event${data.dropped === 1 ? "" : "s"} dropped`;
    const lacks = [data.dropped && dropped, data.unread].filter(Boolean);
    return lacks.length ? h("p", { class: "banner", role: "alert" },
      `Log incomplete: ${lacks.join("; ")}. The figures below lack them.`) : null;
  }

  const asides = () => data.asides.map(said => h("p", { class: "soft" }, said));  // of the whole log

  const place = e => e.closest("[data-panel]")?.dataset.panel + JSON.stringify(e.dataset);
  function draw() {
    if (!data) return;
    drawnWidth = root.clientWidth;
    const at = root.contains(document.activeElement) && place(document.activeElement);
    const parts = [head(), banner(), ...asides()];
    if (data.cells.length) {
      const total = sum(cells());
      parts.push(figures(total), quality(total), advice(total), selection(), spendOverTime(),
        h("div", { class: "charts" }, spendByFeature(), latency(), models(), tokens(), errors(),
          errorKinds(), data.by === "feature" ? untagged(total) : null));
    }
    root.replaceChildren(...parts.filter(Boolean));
    const again = at && [...root.querySelectorAll("[tabindex], button")].find(e => place(e) === at);
    if (again) again.focus({ preventScroll: true });
  }

  // ---- selecting
  root.addEventListener("click", event => {
    const at = event.target.closest("[data-feature], [data-provider], [data-clear]");
    if (!at) return;
    const { feature, provider, clear, value } = at.dataset;
    if (feature != null && !chosen.features.delete(feature)) chosen.features.add(feature);
    if (provider != null) chosen.provider = provider === chosen.provider ? null : provider || null;
    if (clear === "time" || clear === "all") chosen.from = chosen.to = null;
    if (clear === "feature") chosen.features.delete(value);
    if (clear === "provider" || clear === "all") chosen.provider = null;
    if (clear === "all") chosen.features.clear();
    draw();
  });
  root.addEventListener("keydown", event => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key], { times } = data || {};
    if (!way || !event.target.closest("[data-brush]")) return;
    event.preventDefault();
    event.stopPropagation();  // a notebook has uses of its own for it
    const now = chosen.to == null ? (way > 0 ? -1 : times.length) : times.indexOf(chosen.to);
    chosen.to = times[Math.min(Math.max(now + way, 0), times.length - 1)];
    if (!event.shiftKey || chosen.from == null || chosen.from > chosen.to) chosen.from = chosen.to;
    draw();
  });
  root.addEventListener("pointerdown", event => {
    const svg = event.target.closest("[data-brush]");
    if (!svg || event.button) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const slot = (svg.viewBox.baseVal.width - LEFT - 4) / data.times.length;
    const place = e => Math.min(Math.max(Math.floor(((e.clientX - box.left) * scale - LEFT) / slot), 0),
      data.times.length - 1);
    const start = place(event), brush = svg.querySelector(".brush");
    const ends = e => [Math.min(start, place(e)), Math.max(start, place(e))];
    dragging = true;
    const move = e => {
      const [a, b] = ends(e);
      brush.setAttribute("x", LEFT + a * slot);
      brush.setAttribute("width", (b - a + 1) * slot);
    };
    const end = e => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", end);
      dragging = false;
      if (waiting) { data = waiting; waiting = null; }
      draw();
    };
    const up = e => {
      const [from, to] = ends(e).map(t => data.times[t]);
      const same = chosen.from === from && chosen.to === to;
      [chosen.from, chosen.to] = same ? [null, null] : [from, to];
      end(e);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", end);
    move(event);
  });
  const resized = new ResizeObserver(() => { if (root.clientWidth !== drawnWidth && !dragging) draw(); });
  resized.observe(root);

  return {
    show(next) {
      for (const name of [...chosen.features]) if (!next.features.includes(name)) chosen.features.delete(name);
      if (dragging) waiting = next; else { data = next; draw(); }
    },
    close() { resized.disconnect(); root.replaceChildren(); },
  };
}
