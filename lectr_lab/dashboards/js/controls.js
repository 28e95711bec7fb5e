// What says and changes what is selected. The controls stay where they are while all else
// is drawn anew, so that what is being typed goes on.
const QUICK = [["last 24 hours", DAY], ["last 7 days", 7 * DAY], ["last 28 days", 28 * DAY]];
const choosable = view => view.data.steps.filter(([key]) => {
  const { counted } = view.data, [first, last] = view.visible;
  if (LENGTH[key] < LENGTH[counted] || (LENGTH[counted] === 7 * DAY && key !== "1w")) return false;
  return steps(first, last, key) <= MOST_DRAWN && (LENGTH[key] <= 1.01 * (last - first) || key === counted);
});
function automatic(view) {
  const [first, last] = view.visible, fit = choosable(view);
  const found = fit.find(([key]) => (last - first) / LENGTH[key] < 72) || fit[fit.length - 1];
  return found ? found[0] : view.data.every;
}

function controls() {
  const labelled = (text, field) => h("label", {}, h("span", {}, text), " ", field);
  const made = { step: h("select", { "data-control": "step" }), zone: h("select", { "data-control": "zone" }),
    search: h("input", { type: "search", "data-control": "search", autocomplete: "off", spellcheck: "false" }),
    quick: h("span", { class: "quick", role: "group", "aria-label": "Spans of time" }),
    chosen: h("div", { class: "selection" }), status: h("p", { class: "unseen", role: "status", "aria-live": "polite" }) };
  made.what = h("span");
  made.element = h("section", { class: "controls", "aria-label": "What is selected" },
    made.chosen, h("div", { class: "fields" }, h("label", {}, made.what, " ", made.search),
      labelled("step", made.step), labelled("time zone", made.zone), made.quick,
      h("span", { class: "exports", role: "group", "aria-label": "This page as a file" }, "page as ",
        ["csv", "svg", "png"].map(kind => button({ "data-export": kind, "data-of": "page" }, kind.toUpperCase())))),
    made.status);
  return made;
}
function options(select, wanted, value) {
  const now = JSON.stringify(wanted);
  if (select.dataset.has !== now) {
    select.dataset.has = now;
    select.replaceChildren(...wanted.map(([key, text]) => h("option", { value: key }, text)));
  }
  select.value = value;
  select.disabled = wanted.length < 2;
}
function updateControls(view, made) {
  const { data, chosen } = view;
  made.what.textContent = `search ${data.by}s`;
  if (made.search.value !== chosen.search) made.search.value = chosen.search;
  const auto = data.steps.find(([key]) => key === automatic(view))[2];
  options(made.step, [["", `${auto} (chosen for you)`], ...choosable(view).map(([key, , name]) => [key, name])], chosen.step || "");
  options(made.zone, zonesOf(data).map(zone => [zone, zone]), view.zone);
  const fit = QUICK.filter(([, length]) => data.first != null && data.last - data.first > length && LENGTH[data.counted] <= length / 7);
  made.quick.replaceChildren(...fit.map(([text, length]) => button({ class: "chip", "data-quick": length }, text)));
  made.chosen.replaceChildren(...selectionElements(view));
  made.element.hidden = !data.times.length;
}
function selectionElements(view) {
  const { data, chosen, every, zone } = view, chips = [];
  if (chosen.from != null) chips.push(["time", "", spanName(chosen.from, chosen.to, every, zone)]);
  for (const [what, list] of Object.entries(LISTS)) for (const value of chosen[list]) chips.push([what, value, value]);
  const zoomed = chosen.zoom ? button({ class: "chip", "data-clear": "zoom" },
    `Zoomed to ${spanName(chosen.zoom.from, chosen.zoom.to, every, zone)} ✕`) : null;
  if (!chips.length && !zoomed) return [h("p", { class: "soft" },
    `Drag over the time chart, or click a ${data.by}, a model or an error: the charts and the requests follow.`)];
  return [h("p", {}, "Only ", zoomed, chips.map(([what, value, text]) => button({ class: "chip", "data-clear": what,
    "data-value": value, "aria-label": `Leave out the selection of ${text}` }, bdi(text), " ✕")),
  chosen.from != null ? button({ class: "chip", "data-zoom": "in" }, "Zoom in") : null,
  button({ class: "chip", "data-clear": "all" }, "Show everything"), h("span", { class: "soft" }, " Tables below: whole log."))];
}
// The same for who cannot see it.
function announced(view, total) {
  const { chosen, every, zone } = view, time = span(chosen);
  const parts = [time && spanName(...time, every, zone), ...lists(chosen).flatMap(list => [...list])].filter(Boolean);
  return `${parts.length ? `Selected: ${parts.join(", ")}` : "Everything"}. ${plural(total.requests, "request")}, ${usd(known(total))}.`;
}

