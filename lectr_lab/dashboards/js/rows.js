// Charts made of rows: a name, marks on a track, and figures as text. Each is first an
// object, from which the page, a picture and a CSV file are made.
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"];
const GREY = "#666E78", FAINT = "#8B9199";

const colourOf = (view, f) => {
  const { features, leading, untagged } = view.data;
  if (f >= leading) return FAINT;
  if (features[f] === untagged) return GREY;
  const own = features.slice(0, f).filter(other => other !== untagged).length;
  return own < COLOURS.length ? COLOURS[own] : FAINT;
};
const bar = (left, width, fill, part) => width > 0 ? { kind: part ? "bar part" : "bar", left, width, fill } : null;
const mark = (kind, left, width, fill) => ({ kind, left, width, fill });

function markElement({ kind, left, width, fill }) {
  return h("i", { class: kind, style: { left: 100 * left + "%", background: fill || "",
    ...(width == null ? {} : { width: 100 * Math.max(width, 0) + "%" }) } });
}
// Whom a title is about: the first that is selected; else that has a name of its own.
const first = (view, groups) => view.chosen.features.size
  ? groups.find(g => view.chosen.features.has(view.data.features[g.key]))
  : groups.find(g => g.key < view.data.leading) || groups[0];
const orNothing = (view, words) => isSelected(view.chosen) ? "Nothing in this selection" : words;

function rowElement(view, { name, of, marks, text, tip, change }) {
  const list = of && view.chosen[LISTS[of[0]]], on = list && list.has(of[1]);
  const attributes = of
    ? { type: "button", ["data-" + of[0]]: of[1], "aria-pressed": String(Boolean(on)) } : {};
  return h(of ? "button" : "div", { class: "row" + (list && list.size && !on ? " dim" : ""),
    "data-tip": [name, tip || text, change && `${change}: ${view.compared.said}`].filter(Boolean).join("\n"), ...attributes },
  h("span", { class: "name" }, bdi(name)), " ",
  h("span", { class: "track", "aria-hidden": "true" }, marks.filter(Boolean).map(markElement)), " ",
  h("span", { class: "text" }, text, change ? h("span", { class: "change" }, " ", change) : null));
}
const fits = (view, row) => !view.chosen.search || !row.of || row.of[0] !== "feature" ||
  row.name.toLowerCase().includes(view.chosen.search.toLowerCase());

function legendElement(view, { name, fill, of }) {
  const swatch = h("i", { style: { background: fill } });
  if (!of) return h("span", {}, swatch, name);
  const list = view.chosen[LISTS[of[0]]], on = list.has(of[1]);
  return button({ ["data-" + of[0]]: of[1], "data-tip": name, "aria-pressed": String(on),
    class: list.size && !on ? "dim" : "" }, swatch, bdi(name));
}
function chartElement(view, chart) {
  const rows = (chart.rows || []).filter(row => fits(view, row));
  const figure = h("figure", { "data-panel": chart.key, "aria-label": plain(chart.title) },
    h("figcaption", {}, h("h3", {}, said(chart.title)), h("p", { class: "soft" }, chart.said,
      chart.hint ? h("span", { class: "hint" }, ` · ${chart.hint}`) : null)),
    chart.chips || null,
    chart.legend && chart.legend.length
      ? h("div", { class: "legend" }, chart.legend.map(one => legendElement(view, one))) : null,
    chart.rows ? h("div", { class: "rows" }, rows.map(row => rowElement(view, row)),
      chart.axis && rows.length ? h("div", { class: "row axis", "aria-hidden": "true" }, h("span"), h("span", { class: "track" },
        chart.axis.map(({ at, text }) => h("em", { style: { left: 100 * at + "%" } }, text))), h("span")) : null) : null,
    chart.rows && !rows.length ? h("p", { class: "soft" }, chart.rows.length ? "No name fits the search."
      : chart.empty || "Nothing here in this selection.") : null,
    chart.after || null);
  return h("div", { class: "chart" }, figure, exportButtons(chart));
}

