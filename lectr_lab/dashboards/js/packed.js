// Whole numbers as Python packs them (dashboards/packed.py): five bits a letter, the
// lowest first, and a sixth bit that says that more follow.
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const BITS = Object.fromEntries([...LETTERS].map((letter, at) => [letter, at]));
function unpacked(text) {
  const numbers = [];
  let n = 0, times = 1;
  for (const letter of text) {
    const bits = BITS[letter];
    n += (bits % 32) * times;
    if (bits >= 32) times *= 32; else { numbers.push(n); n = 0; times = 1; }
  }
  return numbers;
}
function risen(differences, first = 0) {
  let at = first;
  return differences.map(by => at += by);
}
// The moments of the steps, and the columns of the cells: `bins` are lists of bin, n, bin, n, …
function unpackedCells({ times: [start, later], cells, measures, first_bin: firstBin }) {
  const times = start == null ? [] : risen(unpacked(later), start / 1000).map(s => 1000 * s);
  const made = { t: risen(unpacked(cells.t)) };
  for (const key of ["f", "m", "s", "e", ...measures]) made[key] = cells[key] === 0 ? 0 : unpacked(cells[key]);
  for (const key of measures.filter(name => name.endsWith("usd"))) made[key] = made[key] && made[key].map(pusd => pusd / 1e12);
  made.e = made.e ? made.e.map(e => e - 1) : made.t.map(() => -1);
  const numbers = unpacked(cells.bins);
  let at = 0;
  made.bins = made.t.map(() => {
    const pairs = [];
    let bin = firstBin;
    for (let left = numbers[at++]; left > 0; left--) pairs.push(bin += numbers[at++], numbers[at++]);
    return pairs;
  });
  return { times, cells: made };
}

