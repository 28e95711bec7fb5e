// Figures in words, as core/formatting.py has them.
const words = (() => {
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
  // How one figure stands to another: "▲ 12 %", "▼ 3.1 %", "= 0 %", "▲ × 12", "new".
  function change(now, before) {
    if (now == null || before == null || now < 0 || before < 0) return "";
    if (before === 0) return now === 0 ? "" : "new";
    const by = now / before - 1;
    if (Math.abs(by) < 0.0005) return "= 0 %";
    if (by >= 9) return `▲ × ${count(1 + by)}`;
    return `${by > 0 ? "▲" : "▼"} ${percent(Math.abs(by))}`;
  }
  const plural = (n, what, many) => `${count(n)} ${n === 1 ? what : many || what + "s"}`;
  return { NONE, count, usd, duration, percent, short, change, plural };
})();
const { NONE, count, usd, duration, percent, short, plural } = words;
const ratio = (part, whole) => whole > 0 ? part / whole : null;

