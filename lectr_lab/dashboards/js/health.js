// How slow it was, and what went wrong.
function latencyChart(view) {
  const { data } = view;
  const groups = groupsOf(view, cellsOf(view, ["features"]), "features").map(g => ({ ...g, p: percentilesOf(view, g) }))
    .filter(g => g.p.n > 0).sort((a, b) => b.p[95][0] - a.p[95][0]);
  const ends = groups.flatMap(g => [g.p[50][1] ?? g.p[50][0], g.p[99][0], g.p[95][2] ?? 0]).filter(x => x > 0);
  const low = Math.min(...ends) / 1.15, high = Math.max(...ends) * 1.15;
  const x = ms => Math.log(Math.max(ms, low) / low) / Math.log(high / low), top = first(view, groups);
  const ticks = [1, 10, 100, 1e3, 1e4, 6e4, 6e5, 36e5].filter(t => t >= low && t <= high)
    .filter((t, i, all) => !i || x(t) - x(all[i - 1]) > 0.35);  // else words touch
  const tick = ms => ms < 1e3 ? ms + " ms" : ms < 6e4 ? ms / 1e3 + " s" : ms / 6e4 + " min";
  const exact = groups.every(g => g.p.exact), a = exact ? "" : "≈";
  const title = !top ? [orNothing(view, "No request has been timed yet")] : [{ name: data.features[top.key] }, top.p.n >= 20
    ? `: one in 20 takes over ${about(top.p)}${duration(top.p[95][0])}` : `: ${about(top.p)}${duration(top.p[50][0])} in the median of ${count(top.p.n)}`];
  const changes = changesOf(view, "features", ["features"]);
  return { key: "latency", title,
    said: "dot p50 · tick p95 in its 95 % interval · line to p99 · n succeeded · " +
      (exact ? "exact" : `≈ from ${percent(data.growth - 1)} bins, within ${percent(Math.sqrt(data.growth) - 1)}`),
    rows: groups.map(g => {
      const [p50, p95, p99] = [50, 95, 99].map(p => g.p[p]), both = changes.get(g.key);
      const [p, q] = both && both.now && both.before ? [both.now, both.before].map(one => binned(view, one.cells)) : [];
      return { name: data.features[g.key], of: ["feature", data.features[g.key]],
        change: p && p.n && q.n ? words.change(p[95][0], q[95][0]) : "",
        tip: `p50 ${a}${duration(p50[0])}\np95 ${a}${duration(p95[0])} ${interval(p95)}\np99 ${a}${duration(p99[0])}\nn ${count(g.p.n)}`,
        marks: [mark("line", x(p50[0]), x(p99[0]) - x(p50[0])),
          p95[1] != null && p95[2] != null ? mark("band", x(p95[1]), x(p95[2]) - x(p95[1])) : null,
          mark("tick", x(p95[0])), mark("dot", x(p50[0]))],
        text: `${a}${duration(p50[0])} · ${a}${duration(p95[0])} ${interval(p95)} · n ${count(g.p.n)}` };
    }),
    axis: ticks.map(t => ({ at: x(t), text: tick(t) })),
    table: { columns: [data.by, "p50_ms", "p95_ms", "p95_low_ms", "p95_high_ms", "p99_ms", "n", "percentiles"],
      rows: groups.map(g => [data.features[g.key], g.p[50][0], ...g.p[95], g.p[99][0], g.p.n, g.p.exact ? "exact" : "binned"]) },
    empty: isSelected(view.chosen) ? "No request of this selection succeeded." : "" };
}

function errorsChart(view) {
  const { data } = view;
  const groups = groupsOf(view, cellsOf(view, ["features"]), "features").filter(g => g.requests > 0)
    .map(g => ({ ...g, rate: g.errors / g.requests, ends: wilson(g.errors, g.requests) }))
    .sort((a, b) => b.rate - a.rate || b.requests - a.requests);
  const most = Math.max(0.01, ...groups.map(g => g.ends[1])), top = first(view, groups.filter(g => g.errors));
  const changes = changesOf(view, "features", ["features"]);
  const change = g => {
    const both = changes.get(g.key);
    if (!both || !both.now || !both.before) return "";
    const { now, before } = both, [low, high] = newcombe(now.errors, now.requests, before.errors, before.requests);
    const by = ratio(now.errors, now.requests) - ratio(before.errors, before.requests);
    return low == null || (low <= 0 && high >= 0) ? "" : `${by > 0 ? "▲" : "▼"} ${points(Math.abs(by))} points`;
  };
  return { key: "errors",
    title: top ? [{ name: data.features[top.key] }, `: ${count(top.errors)} of ${plural(top.requests, "request")} failed`]
      : [first(view, groups) ? "No request failed" : orNothing(view, "No request failed")],
    said: "error rate in its 95 % interval · errors of requests",
    rows: groups.map(g => ({ name: data.features[g.key], of: ["feature", data.features[g.key]], change: change(g),
      tip: `${percent(g.rate)}, 95 % interval ${percent(g.ends[0])} to ${percent(g.ends[1])}\n${count(g.errors)} of ${plural(g.requests, "request")}`,
      marks: [mark("band wide", g.ends[0] / most, (g.ends[1] - g.ends[0]) / most), mark("dot red", g.rate / most)],
      text: `${percent(g.rate)} · ${count(g.errors)} of ${count(g.requests)}` })),
    table: { columns: [data.by, "error_rate", "error_rate_low", "error_rate_high", "errors", "requests"],
      rows: groups.map(g => [data.features[g.key], g.rate, ...g.ends, g.errors, g.requests]) } };
}

function kindsChart(view) {
  const { data, values } = view;
  const groups = groupsOf(view, cellsOf(view, ["errors"]), "errors").filter(g => g.key >= 0 && g.errors).sort((a, b) => b.errors - a.errors);
  const all = groups.reduce((total, g) => total + g.errors, 0), changes = changesOf(view, "errors", ["errors"]);
  return { key: "kinds",
    title: all ? [`${percent(groups[0].errors / all)} of the errors: `, { name: data.kinds[groups[0].key][0] }] : ["No error to explain"],
    said: "errors by kind, and who said so",
    rows: groups.map(g => ({ name: data.kinds[g.key][0], of: ["error", values.errors[g.key]],
      change: changeIn(changes.get(g.key), "errors"), marks: [bar(0, g.errors / groups[0].errors, "#D55E00")],
      text: `${count(g.errors)} · from ${data.kinds[g.key][1]}` })),
    table: { columns: ["error", "source", "errors"], rows: groups.map(g => [...data.kinds[g.key], g.errors]) },
    empty: isSelected(view.chosen) ? "No request failed in this selection." : "No request failed." };
}

