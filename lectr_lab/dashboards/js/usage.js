// Tokens by kind, in colours that no feature has, and what names no feature.
const KINDS = [["input", "#40389C"], ["cached input", "#C4BDF2"], ["output", "#6E3B0F"], ["reasoning", "#EADFA0"]];

function tokensChart(view) {
  const { data } = view;
  const groups = groupsOf(view, cellsOf(view, ["features"]), "features").filter(g => g.counted > 0)
    .map(g => ({ ...g, all: g.input_tokens + g.output_tokens, parts: [
      g.input_tokens - g.cache_read_tokens, g.cache_read_tokens,
      g.output_tokens - g.reasoning_tokens, g.reasoning_tokens] }))
    .sort((a, b) => b.all - a.all);
  const longest = Math.max(...groups.map(g => g.all), 0) || 1, changes = changesOf(view, "features", ["features"]);
  const picked = sum(view, cellsOf(view)), all = picked.input_tokens + picked.output_tokens;
  const tokensOf = one => one && { all: one.input_tokens + one.output_tokens };
  return { key: "tokens",
    title: [all ? picked.cache_read_tokens
      ? `${percent(picked.cache_read_tokens / picked.input_tokens)} of the input tokens came from a cache`
      : `${percent(picked.output_tokens / all)} of the tokens are output` : orNothing(view, "No tokens were counted")],
    said: "tokens by kind · n requests counted", legend: KINDS.map(([name, fill]) => ({ name, fill })),
    rows: groups.map(g => {
      let at = 0;
      const both = changes.get(g.key);
      return { name: data.features[g.key], of: ["feature", data.features[g.key]],
        change: both ? changeIn({ now: tokensOf(both.now), before: tokensOf(both.before) }, "all") : "",
        tip: KINDS.map(([kind], i) => `${count(g.parts[i])} ${kind}`).join("\n"),
        marks: g.parts.map((n, i) => {
          const made = n > 0 ? bar(at / longest, n / longest, KINDS[i][1], true) : null;
          at += Math.max(n, 0);
          return made;
        }),
        text: `${short(g.all)} · n ${count(g.counted)}` };
    }),
    table: { columns: [data.by, ...KINDS.map(([kind]) => kind), "requests counted"],
      rows: groups.map(g => [data.features[g.key], ...g.parts, g.counted]) } };
}

function untaggedChart(view, total) {
  const { data } = view, shares = unnamed(total), there = data.features.includes(data.untagged);
  return { key: "untagged",
    title: [total.untagged ? `${percent(shares[0][1])} of requests name no feature` : "Every request names its feature"],
    said: "share without the header X-Lectr-Feature",
    rows: shares.map(([name, share]) => ({ name, of: there ? ["feature", data.untagged] : null,
      marks: [mark("bar part", 0, 1, "rgba(127,127,127,.16)"), bar(0, share || 0, GREY)], text: `${percent(share)} untagged` })),
    table: { columns: ["of", "share untagged"], rows: shares },
    after: total.untagged && !much(view, total) && !isSelected(view.chosen)
      ? h("p", { class: "soft" }, "Add where the call is made: ", h("code", {}, data.tag_advice)) : null };
}

