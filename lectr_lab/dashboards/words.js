// Figures in words, as core/formatting.py has them.
const lectrWords = (() => {
  const NONE = "—";
  const count = n => n == null ? NONE : Math.round(n).toLocaleString("en-US");
  function usd(x) {
    if (x == null) return NONE;
    if (x === 0) return "$0";
    if (x >= 999.5) return "$" + count(x);
    if (x >= 0.995) return "$" + x.toFixed(2);
    let digits = 1;
    while (digits < 9 && +x.toFixed(digits) < 10 ** (1 - digits)) digits++;
    return "$" + x.toFixed(digits);
  }
  function duration(ms) {
    if (ms == null) return NONE;
    if (ms < 9.95) return +ms.toPrecision(2) + " ms";
    if (ms < 999.5) return ms.toFixed(0) + " ms";
    if (ms < 59950) return (ms / 1000).toFixed(1) + " s";
    if (ms < 7197000) return (ms / 60000).toFixed(1) + " min";
    return (ms / 3600000).toFixed(1) + " h";
  }
  function percent(x) {
    if (x == null) return NONE;
    if (x === 0) return "0 %";
    if (x < 0.001) return "< 0.1 %";
    return (100 * x).toFixed(x < 0.0995 ? 1 : 0) + " %";
  }
  function short(n) {
    for (const [size, letter] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]])
      if (n >= size) return +(n / size).toPrecision(3) + letter;
    return count(n);
  }
  return { NONE, count, usd, duration, percent, short };
})();

// Percentiles and their 95 % intervals by rank, as views/percentiles.py finds them, from
// lists of bin, n, bin, n, …: a rank's value is the middle of the bin in which it lies.
const LECTR_Z95 = 1.959963984540054;
function lectrRanks(lists, growth) {
  const counts = new Map();
  let n = 0;
  for (const list of lists)
    for (let i = 0; i < list.length; i += 2) {
      counts.set(list[i], (counts.get(list[i]) || 0) + list[i + 1]);
      n += list[i + 1];
    }
  const sorted = [...counts].sort((a, b) => a[0] - b[0]);
  const at = rank => {
    if (rank < 1 || rank > n) return null;
    let passed = 0;
    for (const [bin, m] of sorted)
      if ((passed += m) >= rank) return growth ** (bin + 0.5);
  };
  const found = { n };
  for (const p of [50, 95, 99]) {
    const share = p / 100, half = LECTR_Z95 * Math.sqrt(n * share * (1 - share));
    const rank = share * (n - 1) + 1, low = at(Math.floor(rank));  // on the line between two
    found[p] = [n ? low + (at(Math.ceil(rank)) - low) * (rank % 1) : null,
      at(Math.floor(n * share - half)), at(Math.ceil(n * share + half) + 1)];
  }
  return found;
}

// Wilson's 95 % interval of a share, as core/intervals.py has it.
function lectrWilson(hits, n) {
  if (!n) return [null, null];
  const p = hits / n, z2 = LECTR_Z95 ** 2, scale = 1 + z2 / n;
  const half = LECTR_Z95 * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const centre = p + z2 / (2 * n);
  return [Math.max((centre - half) / scale, 0), Math.min((centre + half) / scale, 1)];
}

