// Percentiles and their 95 % intervals by rank, as views/percentiles.py finds them, from
// lists of bin, n, bin, n, …: a rank's value is the middle of the bin in which it lies.
const Z95 = 1.959963984540054;
function ranks(lists, growth) {
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
    const share = p / 100, half = Z95 * Math.sqrt(n * share * (1 - share));
    const rank = share * (n - 1) + 1, low = at(Math.floor(rank));  // on the line between two
    found[p] = [n ? low + (at(Math.ceil(rank)) - low) * (rank % 1) : null,
      at(Math.floor(n * share - half)), at(Math.ceil(n * share + half) + 1)];
  }
  return found;
}

// Wilson's 95 % interval of a share, as core/intervals.py has it.
function wilson(hits, n) {
  if (!n) return [null, null];
  const p = hits / n, z2 = Z95 ** 2, scale = 1 + z2 / n;
  const half = Z95 * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const centre = p + z2 / (2 * n);
  return [Math.max((centre - half) / scale, 0), Math.min((centre + half) / scale, 1)];
}


// Newcombe's 95 % interval of the difference of two shares, from Wilson's of each: method
// 10 of Newcombe, Statistics in Medicine 17 (1998), 873-890.
function newcombe(hits, n, hitsBefore, nBefore) {
  if (!n || !nBefore) return [null, null];
  const p = hits / n, q = hitsBefore / nBefore;
  const [low, high] = wilson(hits, n), [lowBefore, highBefore] = wilson(hitsBefore, nBefore);
  return [p - q - Math.hypot(p - low, highBefore - q), p - q + Math.hypot(high - p, q - lowBefore)];
}

