// What was paid for: features, models, sessions.
const changeIn = (both, value) => both && both.now && both.before ? words.change(both.now[value], both.before[value])
  : both && both.now && both.now[value] ? "new" : both && both.before && both.before[value] ? words.change(0, both.before[value]) : "";
const dearestFirst = (a, b) => b.spend_usd - a.spend_usd || b.requests - a.requests;
// A bar is money where there is any, else requests.
function spentRows(view, groups, list, { name, of, fill, whole }) {
  const all = groups.reduce((total, g) => total + g.spend_usd, 0), { inMoney } = view;
  const named = list === "sessions" ? groups.filter(g => g.key < view.data.sessions.length - 1) : groups;
  const value = inMoney ? "spend_usd" : "requests", longest = Math.max(...named.map(g => g[value]), 0) || 1;
  const requests = groups.reduce((total, g) => total + g.requests, 0);
  const changes = list === "sessions" ? new Map() : changesOf(view, list, [list]);  // a session is over
  const share = g => inMoney ? percent(ratio(g.spend_usd, all)) : percent(ratio(g.requests, requests));
  return {
    rows: groups.map(g => ({
      name: name(g), of: of(g), tip: whole && whole(g), marks: [named.includes(g) && (inMoney || list !== "features") ? bar(0, g[value] / longest, fill(g)) : null],
      change: changeIn(changes.get(g.key), value),
      text: [usd(known(g)), share(g), `n ${count(g.requests)}`,
        g.unpriced ? `${count(g.unpriced)} unpriced` : ""].filter(Boolean).join(" · "),
    })),
    table: { columns: ["name", "spend_usd", "share", "requests", "unpriced"],
      rows: groups.map(g => [name(g), known(g), inMoney ? ratio(g.spend_usd, all) : ratio(g.requests, requests), g.requests, g.unpriced]) },
    unit: inMoney ? "US dollars · share of them · n requests" : "US dollars · share of requests · n requests",
  };
}
function spendChart(view) {
  const { data } = view, groups = groupsOf(view, cellsOf(view, ["features"]), "features").sort(dearestFirst);
  const all = groups.reduce((total, g) => total + g.spend_usd, 0), top = first(view, groups);
  const share = top && ratio(top.spend_usd, all);
  const made = spentRows(view, groups, "features", { name: g => data.features[g.key],
    of: g => ["feature", data.features[g.key]], fill: g => colourOf(view, g.key) });
  return { key: "spend", ...made, said: made.unit,
    title: share ? [{ name: data.features[top.key] }, `: ${percent(share)} of the spend`]
      : [top && known(top) === 0 ? "Nothing was spent" : orNothing(view, "No spend that is known")],
    after: othersElement(view) };
}
// All others, opened: who they are, of the whole log.
const MOST_LISTED = 100;
function othersElement(view) {
  const { data, chosen } = view, wanted = chosen.search.toLowerCase();
  if (!data.others.length) return null;
  const found = data.others.filter(([name]) => name.toLowerCase().includes(wanted));
  const few = found.slice(0, MOST_LISTED), all = data.n_others;
  return h("details", { class: "others", "data-open": "others", open: view.open.has("others") || Boolean(wanted && found.length) },
    h("summary", {}, wanted ? `${count(found.length)} of the others fit the search` : `Who the others are (${count(all)})`),
    h("ul", {}, few.map(([name, requests, spent]) => h("li", {}, bdi(name), ` ${usd(spent)} · n ${count(requests)}`))),
    h("p", { class: "soft" }, [few.length < found.length ? `The dearest ${count(few.length)} of ${count(found.length)}.` : "",
      all > data.others.length ? ` The page has the dearest ${count(data.others.length)} of them.` : "", " Of the whole log."]));
}
function modelsChart(view) {
  const { data, chosen, values } = view, groups = groupsOf(view, cellsOf(view, ["models"]), "models").sort(dearestFirst);
  const all = groups.reduce((total, g) => ({ spend: total.spend + g.spend_usd, n: total.n + g.requests }), { spend: 0, n: 0 });
  const top = groups.find(g => chosen.models.has(values.models[g.key])) || groups[0];
  const made = spentRows(view, groups, "models", { name: g => data.models[g.key][1],
    of: g => ["model", values.models[g.key]], fill: () => "#8A94A0", whole: g => values.models[g.key] });
  made.table.columns[0] = "model";
  const chip = provider => button({ class: "chip", "data-provider": provider,
    "aria-pressed": String(chosen.providers.has(provider)) }, bdi(provider));
  return { key: "models", ...made, said: made.unit,
    title: !top ? [orNothing(view, "No model answered")] : [{ name: data.models[top.key][1] }, view.inMoney && all.spend
      ? `: ${percent(top.spend_usd / all.spend)} of the spend` : `: ${percent(ratio(top.requests, all.n))} of requests`],
    chips: h("div", { class: "legend", role: "group", "aria-label": "Providers" }, values.providers.map(chip)) };
}
function sessionsChart(view) {
  const { data } = view;
  if (!data.sessions.length) return null;
  const groups = groupsOf(view, cellsOf(view, ["sessions"]), "sessions").sort((a, b) =>
    (a.key === data.sessions.length - 1) - (b.key === data.sessions.length - 1) || dearestFirst(a, b));
  const named = groups.filter(g => g.key < data.sessions.length - 1), top = named[0];
  const all = groups.reduce((total, g) => total + g.spend_usd, 0);
  const made = spentRows(view, groups, "sessions", { name: g => data.sessions[g.key],
    of: g => ["session", data.sessions[g.key]], fill: g => g.key < data.sessions.length - 1 ? "#8A94A0" : FAINT });
  return { key: "sessions", ...made, said: `the dearest sessions · ${made.unit}`,
    title: top && ratio(top.spend_usd, all) ? [{ name: data.sessions[top.key] }, `: ${percent(top.spend_usd / all)} of the spend`]
      : [orNothing(view, "No session is named")] };
}

