// The key figures, what they rest on, and what is said above the charts.

// Ends in the unit of the middle, which is written before them.
function interval([ms, low, high]) {
  if (low == null && high == null) return "";
  const unit = ms < 999.5 ? 1 : ms < 59950 ? 1e3 : 6e4, digits = unit === 1 ? 0 : 1;
  const end = x => (x / unit).toFixed(digits);
  // Too few requests may bound one end alone.
  return high == null ? `≥ ${end(low)}` : low == null ? `≤ ${end(high)}` : `[${end(low)}, ${end(high)}]`;
}
const points = x => `${(100 * x).toFixed(Math.abs(x) < 0.0995 ? 1 : 0)}`;

// What each figure was before, in words; an interval where chance may explain it all.
function figureChanges(view) {
  const both = changesOf(view, null).get(null), none = ["", "", "", "", ""];
  if (!both) return none;
  const { now, before } = both;
  const compare = (a, b, write) => {
    const by = words.change(a, b);
    return by && (by === "new" ? "none before" : `${by} on ${write(b)}`);
  };
  const share = what => {
    const [low, high] = newcombe(now[what], now.requests, before[what], before.requests);
    const by = ratio(now[what], now.requests) - ratio(before[what], before.requests);
    return low == null ? "" : low <= 0 && high >= 0 ? "no clear change"
      : `${by > 0 ? "▲" : "▼"} ${points(Math.abs(by))} points [${points(low)}, ${points(high)}]`;
  };
  const [p, q] = [now, before].map(group => binned(view, group.cells));
  const slower = p.n && q.n ? `${compare(p[95][0], q[95][0], ms => "≈" + duration(ms))}` : "";
  return [compare(now.requests, before.requests, count), compare(known(now), known(before), usd), share("errors"),
    slower && `${slower}, n ${count(q.n)}`,
    share("untagged")];
}
function figures(view, total) {
  const { data, chosen } = view, timed = percentilesOf(view), a = about(timed);
  const [low, high] = wilson(total.errors, total.requests), spend = known(total);
  const ends = interval(timed[95]), lacking = total.unpriced + total.uncounted;
  const tiles = [
    ["Requests", count(total.requests), isSelected(chosen) ? "in this selection"
      : plural(data.n_features, data.by)],
    ["Spend", usd(spend), lacking ? "of what has a price" : isSelected(chosen) ? "in this selection" : "in all"],
    ["Error rate", percent(ratio(total.errors, total.requests)), total.requests
      ? `${plural(total.errors, "error")}; 95 % interval ${percent(low)} to ${percent(high)}` : "no requests"],
    ["p95 latency", a + duration(timed[95][0]), timed.n
      ? `${ends ? `95 % interval ${ends}; ` : "too few for an interval; "}half within ${a}${duration(timed[50][0])}; n ${count(timed.n)}`
      : "none succeeded"],
    ["Untagged", percent(ratio(total.untagged, total.requests)),
      `of requests; ${percent(ratio(total.untagged_usd, total.spend_usd))} of spend`],
  ];
  const changes = figureChanges(view);
  return h("dl", { class: "figures" }, tiles.map(([what, figure, words], i) => h("div", {},
    h("dt", {}, what), h("dd", {}, figure), h("dd", { class: "soft" }, words.replaceAll(" %", "\u00a0%")),
    h("dd", { class: "soft change" }, (changes[i] && view.compared.short
      ? `last ${view.compared.short}: ${changes[i]}` : changes[i]).replaceAll(" %", "\u00a0%")))));
}
// The line that says what the changes compare; it is there always, so that nothing moves.
const compared = view => h("p", { class: "soft compared" }, view.compared
  ? `▲ ▼ ${view.compared.said}` : span(view.chosen) ? "The log does not go back far enough to compare." : "");

function quality(view, total) {
  const { data } = view;
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
const much = (view, total) => unnamed(total).some(([, x]) => x > view.data.much_untagged);
function advice(view, total) {
  if (!much(view, total)) return null;
  const shares = unnamed(total).filter(([, x]) => x != null).map(([of, x]) => `${percent(x)} of ${of}`).join(" and ");
  return h("p", { class: "advice" }, `${shares} name no feature. Add, where the call is made: `,
    h("code", {}, view.data.tag_advice));
}

function head(view) {
  const { data, zone, level } = view, whose = data.whose ? data.whose + " · " : "";
  const at = when => moment(when, zone, { time: true, year: true, long: true });
  const period = data.first != null ? `${at(data.first)} to ${at(data.last)} (${zone})` : "No request has been logged yet.";
  return h("header", {}, h("h" + level, { class: "title" }, data.title), h("p", { class: "soft" }, whose + period,
    data.live ? h("span", { class: data.live.startsWith("live") ? "live" : "over" }, ` ${data.live}`) : null));
}
function banner({ data }) {
  const lacks = [data.dropped && `${plural(data.dropped, "event")} dropped`, data.unread].filter(Boolean);
  return lacks.length ? h("p", { class: "banner", role: "alert" },
    `Log incomplete: ${lacks.join("; ")}. The figures below lack them.`) : null;
}
const asides = ({ data }) => data.asides.map(words => h("p", { class: "soft" }, words));  // of the whole log

