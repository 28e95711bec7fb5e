// CSV, SVG and PNG: made here and handed to the browser to save; nothing is sent.
const EXPORTS = ["csv", "svg", "png"];
const exportButtons = chart => h("span", { class: "exports", role: "group", "aria-label": "This chart as a file" },
  EXPORTS.map(kind => button({ "data-export": kind, "data-of": chart.key, "aria-label": `${kind.toUpperCase()} of ${chart.key}` }, kind.toUpperCase())));

// A field as a spreadsheet may hold it: one line, and no formula (OWASP, CSV Injection).
function csvField(value) {
  if (value == null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const line = String(value).replace(/[\r\n]+/g, " "), safe = /^[=+\-@\t]/.test(line) ? "'" + line : line;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const csvText = ({ columns, rows }) => [columns, ...rows].map(row => row.map(csvField).join(",")).join("\r\n") + "\r\n";
// All charts of a page in one table: a figure a row.
const pageTable = charts => ({ columns: ["chart", "name", "measure", "value"], rows: charts.flatMap(({ key, table: { columns, rows } }) => {
  const named = key === "time" ? 3 : 1;
  return rows.flatMap(row => columns.slice(named).map((measure, i) =>
    [key, row.slice(0, named).join(" · "), measure, row[named + i]]));
}) });
function requestsTable({ rows, some }) {
  const columns = ["id", "at", "feature", "provider", "model", "session", "input_tokens", "cache_read_tokens", "output_tokens", "cost_usd", "total_ms", "outcome"];
  return { columns, rows: some.map(i => columns.map(key => key === "at" ? new Date(rows.at[i]).toISOString() : rows[key][i])) };
}
function save(blob, name) {
  const url = URL.createObjectURL(blob), link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
async function exportAs(view, kind, of) {
  const charts = [...view.charts.values()], chart = view.charts.get(of);
  const name = `${of === "page" ? "dashboard" : of}.${kind}`;
  if (kind === "csv") {
    const table = of === "page" ? pageTable(charts) : of === "requests" ? requestsTable(view.listing) : chart.table;
    return save(new Blob(["\ufeff", csvText(table)], { type: "text/csv;charset=utf-8" }), name);
  }
  const picture = of === "page" ? pagePicture(view, charts) : chartPicture(chart, of === "time" ? 1000 : 640), theme = themeOf(view.root);
  save(kind === "svg" ? new Blob([svgText(picture, theme)], { type: "image/svg+xml" }) : await pngBlob(picture, theme), name);
}

