// The requests behind what is selected: from those that the page carries, or asked for.
const SHOWN_FIRST = 20;
const ORDERS = { dearest: "dearest first", newest: "newest first" };

// Those that the page carries: which of them are selected, by number.
function carriedRows(view) {
  const { data: { rows }, chosen, values } = view, time = span(chosen), found = [];
  const errorOf = i => rows.error[i] && pairName([rows.error[i][1], rows.error[i][0]]);
  const named = (list, value) => !chosen[list].size || chosen[list].has(value);
  for (let i = 0; i < rows.id.length; i++) {
    if (time && (rows.at[i] < time[0] || rows.at[i] >= time[1])) continue;
    const error = errorOf(i), other = values.errors[values.errors.length - 1];
    if (named("features", values.features[rows.f[i]]) && named("models", values.models[rows.m[i]]) &&
      named("sessions", values.sessions[rows.s[i]]) && named("providers", rows.provider[i]) &&
      (!chosen.errors.size || (error && chosen.errors.has(values.errors.includes(error) ? error : other)))) found.push(i);
  }
  return found;
}
const byOrder = (rows, order) => order === "newest" ? (a, b) => rows.at[b] - rows.at[a]
  : (a, b) => (rows.cost_usd[b] ?? -1) - (rows.cost_usd[a] ?? -1) || rows.at[b] - rows.at[a];
function carriedAnswer(view, n) {
  const { data: { rows }, chosen } = view, { order } = chosen;
  let some = carriedRows(view);
  const all = some.length >= n;  // where a part is carried, only what is surely first is listed
  const of = chosen.errors.size ? "failed" : order;
  if (!all) some = some.filter(i => rows[of][i]);
  const most = rows[of].reduce((a, b) => a + b, 0), what = of === "failed" ? "newest that failed" : order;
  return { rows, some: some.sort(byOrder(rows, order)), note: all ? "" :
    `This page has the ${count(most)} ${what} of the ${rows.of || "log"}; ${count(some.length)} of them are selected here.` };
}
// What a kernel answered to the question of now; it is asked where that is another.
function askedAnswer(view, n) {
  const { chosen: { order } } = view, message = { ask: "rows", selection: asMessage(view.chosen, view.data), order, limit: 500 };
  const question = JSON.stringify([message, n]);
  if (!isSelected(view.chosen) && !view.open.has("requests")) return { rows: null, some: [], button: true };
  if (view.question !== question) {
    view.question = question;
    view.asked = `${view.name}-${(view.questions = (view.questions || 0) + 1)}`;
    view.ask({ ...message, of: view.asked });
  }
  const { answer } = view;
  if (!answer || answer.of !== view.asked) return { rows: answer && answer.rows || null, some: answer && answer.rows ? [...answer.rows.id.keys()] : [], note: "Asking …" };
  if (answer.error) return { rows: null, some: [], note: answer.error };
  const some = [...answer.rows.id.keys()];
  const part = some.length < answer.n, listed = `${part ? `The ${order} ${count(some.length)}` : "All"} are listed`;
  return { rows: answer.rows, some, note: answer.newest ? `${listed}, of the ${answer.newest}.` : part ? `${listed}.` : "" };
}
const HEADS = [["when", "at"], ["", "feature"], ["model", "model"], ["input", "input_tokens"], ["output", "output_tokens"],
  ["cost", "cost_usd"], ["took", "total_ms"], ["outcome", "outcome"], ["request", "id"]];
function requestsElement(view, total) {
  const { data, chosen, zone } = view, n = total.requests;
  if (!data.rows && !view.ask) return null;
  const found = data.rows ? carriedAnswer(view, n) : askedAnswer(view, n), { rows, some } = found;
  const few = some.slice(0, view.listed);
  view.listing = { rows, some };
  const write = { at: at => moment(at, zone, { time: true, year: true }), input_tokens: count, output_tokens: count, cost_usd: usd, total_ms: duration };
  const cell = (key, i) => h("td", { class: ["input_tokens", "output_tokens", "cost_usd", "total_ms"].includes(key) ? "n" : key === "id" ? "id" : null },
    write[key] ? write[key](rows[key][i]) : bdi(rows[key][i]));
  return h("section", { class: "requests", "data-panel": "requests", id: view.anchor },
    h("h3", {}, n ? `${some.length >= n ? "All" : "Of"} ${plural(n, "request")}${few.length ? `, ${ORDERS[chosen.order]}` : ""}` : "No request"),
    h("p", { class: "soft" }, found.note, " ", h("span", { class: "exports" },
      Object.entries(ORDERS).map(([order, text]) => button({ class: "chip", "data-order": order, "aria-pressed": String(chosen.order === order) }, text)),
      few.length ? button({ "data-export": "csv", "data-of": "requests" }, "CSV") : null)),
    found.button ? button({ class: "chip", "data-more": "requests" }, "List the requests") : null,
    few.length ? h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Requests" }, h("table", {},
      h("thead", {}, h("tr", {}, HEADS.map(([text, key]) => h("th", { scope: "col", class: ["input", "output", "cost", "took"].includes(text) ? "n" : null }, text || data.by)))),
      h("tbody", {}, few.map(i => h("tr", { "data-request": rows.id[i] }, HEADS.map(([, key]) => cell(key, i))))))) : null,
    some.length > few.length ? button({ class: "chip", "data-more": "rows" }, `${count(Math.min(some.length - few.length, 100))} more`) : null);
}

