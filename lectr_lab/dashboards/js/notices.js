// What others found out of the whole log: what is odd, what a budget has left, what the
// month will cost. Nothing where nobody looked.
function oddElement({ data, zone }) {
  if (!data.odd || !data.odd.length) return null;
  const when = ({ from, to }) => `${moment(from, zone, { time: true })} to ${to == null ? "now" : moment(to, zone, { time: true })}`;
  return h("section", { class: "notices odd", "aria-label": "What is odd" },
    h("h3", {}, `${plural(data.odd.length, "thing")} ${data.odd.length === 1 ? "is" : "are"} odd`),
    h("ul", {}, data.odd.map(one => h("li", {}, button({ class: "link", "data-odd": one.from, "data-odd-to": one.to ?? "",
      "data-odd-of": one.feature || "" }, bdi(one.sentence)),
    h("span", { class: "soft" }, [` ${when(one)}`, one.usd_over ? ` · ${usd(one.usd_over)} over` : "",
      one.kinds && one.kinds.length ? ` · ${one.kinds.join(", ")}` : ""])))),
    h("p", { class: "soft" }, "Of the whole log. A click shows its time and its feature."));
}
function budgetsElement({ data }) {
  if (!data.budgets || !data.budgets.length) return null;
  return h("section", { class: "notices budgets", "aria-label": "Budgets" }, h("h3", {}, "Budgets"),
    h("ul", {}, data.budgets.map(one => {
      const part = one.limit_usd > 0 ? one.spent_usd / one.limit_usd : null;
      return h("li", { class: part >= 1 ? "over" : "" }, h("span", { class: "name" }, bdi(one.name)), " ",
        h("progress", { max: 1, value: Math.min(part ?? 0, 1), "aria-label": `${one.name}: ${percent(part)} spent` }), " ",
        h("span", { class: "text" }, [`${usd(one.spent_usd)} of ${usd(one.limit_usd)} ${one.per ? "a " + one.per : ""}`,
          `${percent(part)}`, one.resets ? `begins again ${one.resets}` : "",
          one.action === "stop" ? "then it stops" : one.action === "warn" ? "then it warns" : "",
          one.bounded === false ? "some requests have no known cost" : ""].filter(Boolean).join(" · ")));
    })));
}
function forecastElement({ data }) {
  const { forecast } = data;
  if (!forecast) return null;
  const reached = (forecast.budgets || []).slice(0, 5);
  return h("p", { class: "notices forecast" }, [forecast.sentence, ...reached].join(" "),
    h("span", { class: "soft" }, " Of the whole log."));
}
