// What is selected and how it is looked at: one object, and everything follows it.
const LISTS = { feature: "features", provider: "providers", model: "models", error: "errors", session: "sessions" };

function nothingSelected() {
  return { from: null, to: null, features: new Set(), providers: new Set(), models: new Set(),
    errors: new Set(), sessions: new Set(), zoom: null, step: null, zone: null, search: "", order: "dearest" };
}
const lists = chosen => Object.values(LISTS).map(list => chosen[list]);
// Whether anything is left out; and whether anything but features decides on it.
const isSelected = chosen => chosen.from != null || chosen.zoom != null || lists(chosen).some(list => list.size);
const byFeatureAlone = chosen => chosen.from == null && chosen.zoom == null &&
  lists(chosen).every(list => list === chosen.features || !list.size);
function toggle(chosen, what, value) {
  const list = chosen[LISTS[what]];
  if (!list.delete(value)) list.add(value);
}
function clear(chosen, what, value) {
  if (what === "time" || what === "all") chosen.from = chosen.to = null;
  if (what === "zoom" || what === "all") { chosen.zoom = null; chosen.step = null; }
  if (what === "all") lists(chosen).forEach(list => list.clear());
  if (LISTS[what]) chosen[LISTS[what]].delete(value);
}
// The span of time that is looked at, from the first moment up to but without the second.
const span = chosen => chosen.from != null ? [chosen.from, chosen.to]
  : chosen.zoom ? [chosen.zoom.from, chosen.zoom.to] : null;

// ---- what the places of the cube are called when they are selected
const pairName = ([first, second]) => first && first !== NONE ? `${first} · ${second}` : second;
const valuesOf = data => ({ features: data.features, models: data.models.map(pairName),
  errors: data.kinds.map(([why, whose]) => pairName([whose, why])), sessions: data.sessions,
  providers: [...new Set(data.models.slice(0, data.leading_models).map(([provider]) => provider))] });
// Forgets what a new log does not have.
function keep(chosen, values) {
  for (const list of Object.values(LISTS))
    for (const value of [...chosen[list]]) if (!values[list].includes(value)) chosen[list].delete(value);
}

// ---- the page's address: what is selected after the #, in few letters
const seconds = ms => String(Math.round(ms / 1000));
function asAddress(chosen) {
  const parts = new URLSearchParams();
  if (chosen.from != null) parts.append("time", `${seconds(chosen.from)}-${seconds(chosen.to)}`);
  if (chosen.zoom) parts.append("zoom", `${seconds(chosen.zoom.from)}-${seconds(chosen.zoom.to)}`);
  for (const [what, list] of Object.entries(LISTS)) for (const value of chosen[list]) parts.append(what, value);
  for (const key of ["step", "zone", "search"]) if (chosen[key]) parts.append(key, chosen[key]);
  if (chosen.order !== "dearest") parts.append("order", chosen.order);
  return parts.toString();
}
// What is not understood, or not in this log, is left out.
function fromAddress(text, data) {
  const chosen = nothingSelected(), parts = new URLSearchParams(text.replace(/^#/, ""));
  const times = key => {
    const found = /^(-?\d{1,12})-(-?\d{1,12})$/.exec(parts.get(key) || "");
    const [from, to] = found ? [1000 * found[1], 1000 * found[2]] : [0, 0];
    return from < to && data.first != null && to > data.first && from <= data.last ? { from, to } : null;
  };
  const time = times("time");
  if (time) Object.assign(chosen, time);
  chosen.zoom = times("zoom");
  for (const [what, list] of Object.entries(LISTS)) for (const value of parts.getAll(what)) chosen[list].add(value);
  keep(chosen, valuesOf(data));
  if (LENGTH[parts.get("step")]) chosen.step = parts.get("step");
  if (parts.get("zone") && zonesOf(data).includes(parts.get("zone"))) chosen.zone = parts.get("zone");
  chosen.search = (parts.get("search") || "").slice(0, 100);
  if (parts.get("order") === "newest") chosen.order = "newest";
  return chosen;
}
// The zones in which steps can be drawn from those that were counted.
function zonesOf(data) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone, length = LENGTH[data.counted];
  const others = length > HOUR || data.first == null ? [] : ["UTC", own].filter(zone => zone && isZone(zone) &&
    [data.first, data.last].every(at => (offset(at, zone) - offset(at, data.tz)) % length === 0));
  return [...new Set([data.tz, ...others])];
}

// ---- what a kernel is asked for: names as the log has them (dashboards/rows_behind.py)
function asMessage(chosen, data) {
  const { keys } = data, time = span(chosen), values = valuesOf(data);
  const message = { providers: [...chosen.providers] };
  if (time) [message.from, message.to] = time;
  for (const list of ["features", "models", "errors", "sessions"]) {
    const places = [...chosen[list]].map(value => values[list].indexOf(value));
    message[list] = places.filter(at => at < keys[list].length).map(at => keys[list][at]);
    if (places.some(at => at >= keys[list].length)) message["not_" + list] = keys[list];
  }
  return message;
}
// The other way round: what Python selected. What has no place of its own is among the
// others; of times, the steps that are counted.
function fromMessage(message, data) {
  const chosen = nothingSelected(), { keys, counted, tz, first, last } = data, values = valuesOf(data);
  if (first != null && (message.from != null || message.to != null)) {
    chosen.from = stepStart(Math.max(message.from ?? first, first), counted, tz);
    chosen.to = stepEnd(stepStart(Math.min(message.to ?? last + 1, last + 1) - 1, counted, tz), counted, tz);
    if (chosen.to <= chosen.from) chosen.to = stepEnd(chosen.from, counted, tz);
  }
  chosen.providers = new Set(message.providers || []);
  for (const list of ["features", "models", "errors", "sessions"]) for (const [a, b] of message[list] || []) {
    const at = keys[list].findIndex(pair => pair[0] === a && pair[1] === b);
    chosen[list].add(values[list][at < 0 ? values[list].length - 1 : at]);
  }
  return chosen;
}
