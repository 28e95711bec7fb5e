// Sums of what is selected, from the cells that Python counted.
const PLACES = { features: "f", models: "m", sessions: "s", errors: "e" };

// The columns of the cells, each an array; what is 0 throughout is not sent.
function columns(data) {
  const n = data.times.length ? data.cells.t.length : 0, zeros = new Float64Array(n);
  return Object.fromEntries(["f", "m", "s", "e", ...data.measures].map(key => [key, data.cells[key] || zeros]));
}
// The cells of a selection, by number. What is named in `but` is not asked for.
function cellsOf(view, but = [], time = span(view.chosen)) {
  const { data, chosen, values } = view, { t } = data.cells, tests = [];
  if (!but.includes("time") && time) {
    const within = data.times.map(at => at >= time[0] && at < time[1]);
    tests.push(i => within[t[i]]);
  }
  for (const [list, place] of Object.entries(PLACES)) if (chosen[list].size && !but.includes(list)) {
    const column = view.columns[place], named = values[list].map(value => chosen[list].has(value));
    tests.push(i => named[column[i]] === true);
  }
  if (chosen.providers.size && !but.includes("providers")) {
    const { m } = view.columns, of = data.models.map(([provider]) => chosen.providers.has(provider));
    tests.push(i => of[m[i]]);
  }
  const found = [];
  for (let i = 0; i < (t ? t.length : 0); i++) if (tests.every(test => test(i))) found.push(i);
  return found;
}
function sum(view, some) {
  return Object.fromEntries(view.data.measures.map(name => {
    const column = view.columns[name];
    let total = 0;
    for (const i of some) total += column[i];
    return [name, total];
  }));
}
// Cells by their place: [{ key, cells, …sums }].
function groupsOf(view, some, list) {
  const column = view.columns[PLACES[list]], groups = new Map();
  for (const i of some) {
    if (!groups.has(column[i])) groups.set(column[i], []);
    groups.get(column[i]).push(i);
  }
  return [...groups].map(([key, cells]) => ({ key, cells, ...sum(view, cells) }));
}
const known = total => total.priced || !(total.unpriced + total.uncounted) ? total.spend_usd : null;

// ---- percentiles: exact where Python counted just that, else from bins, which says ≈
function binned(view, some) {
  return { ...ranks(some.map(i => view.data.cells.bins[i]), view.data.growth), exact: false };
}
function percentilesOf(view, group) {
  const { exact } = view.data, { features } = view.chosen;
  let place = group ? group.key : -1;
  if (!group && features.size === 1) place = view.values.features.indexOf([...features][0]);
  const whole = exact && byFeatureAlone(view.chosen) && (group || features.size < 2) && exact[place];
  return whole ? { ...whole, exact: true } : binned(view, group ? group.cells : cellsOf(view));
}
const about = p => p.exact ? "" : "≈";

// ---- a span against the one before it
// { now, before, said }: two spans of the same length. Without a selection of time, the
// last seven whole days against the seven before. Null where the log does not go back.
function comparison(view) {
  const { data, zone, every } = view, time = span(view.chosen);
  if (data.first == null) return null;
  if (!time) {
    if (LENGTH[data.counted] > DAY) return null;
    const days = grid(data.first, data.last, "1d", zone).starts, last = days.length - 1;
    if (last < 15) return null;  // the first day and the last are not whole
    return { now: [days[last - 7], days[last]], before: [days[last - 14], days[last - 7]],
      said: `the 7 days before ${moment(days[last], zone)}, against the 7 before them`, short: "7 days" };
  }
  const [from, to] = time, shown = wall(from, zone);
  const start = every === "1mo" ? instant(later(truncated(shown, every), every, -Math.max(1,
    Math.round((to - from) / LENGTH[every]))), zone) : instant(shown - (wall(to, zone) - shown), zone);
  if (start < stepStart(data.first, data.counted, zone)) return null;
  const begun = start < data.first ? ", in which the log begins" : "";
  const going = to > data.last + LENGTH[data.counted] ? "; the time selected is not over" : "";
  return { now: time, before: [start, from],
    said: `against ${spanName(start, from, every, zone)}${begun}${going}`, short: "" };
}
// The sums of both spans, of each place of a list, or of all under null.
function changesOf(view, list, but = []) {
  if (!view.compared) return new Map();
  const found = new Map();
  for (const when of ["now", "before"]) {
    const some = cellsOf(view, but, view.compared[when]);
    for (const group of list ? groupsOf(view, some, list) : [{ key: null, cells: some, ...sum(view, some) }])
      found.set(group.key, { ...found.get(group.key), [when]: group });
  }
  return found;
}

