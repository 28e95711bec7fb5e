// Moments are ms since 1970, UTC. A wall clock is written the same way, as if it were UTC.
const MINUTE = 6e4, HOUR = 36e5, DAY = 864e5;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const LONG_MONTHS = ("January February March April May June July August September October " +
  "November December").split(" ");
const clocks = new Map();  // by zone: its format, and what is known of it

function clock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, {
    known: new Map(),
    format: new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric",
      month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }),
  });
  return clocks.get(zone);
}
function isZone(zone) {
  try { return Boolean(clock(zone)); } catch { return false; }
}
// How far a zone's clock is ahead of UTC, in ms. It changes at quarters of an hour alone.
function offset(at, zone) {
  if (zone === "UTC" || !isZone(zone)) return 0;
  const { known, format } = clock(zone), quarter = Math.floor(at / (15 * MINUTE));
  if (!known.has(quarter)) {
    const start = quarter * 15 * MINUTE;
    const part = Object.fromEntries(format.formatToParts(start).map(({ type, value }) => [type, +value]));
    known.set(quarter, Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - start);
  }
  return known.get(quarter);
}
const wall = (at, zone) => at + offset(at, zone);
// When a clock shows that: the first time, where it does twice; where it never does, the
// first moment after.
function instant(shown, zone) {
  let at = shown - offset(shown - offset(shown, zone), zone);
  if (wall(at, zone) < shown) at += shown - wall(at, zone);
  for (const earlier of [HOUR, HOUR / 2]) if (wall(at - earlier, zone) === shown) return at - earlier;
  return at;
}

// ---- steps of time, by the names that Python has for them
const LENGTH = { "1m": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR,
  "1d": DAY, "1w": 7 * DAY, "1mo": 30 * DAY };
const hasClock = every => LENGTH[every] < DAY;
const floor = (at, length) => Math.floor(at / length) * length;
function truncated(shown, every) {
  if (every === "1mo") {
    const at = new Date(shown);
    return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
  }
  return every === "1w" ? floor(shown + 3 * DAY, 7 * DAY) - 3 * DAY : floor(shown, LENGTH[every]);  // 1970 began on a Thursday
}
function later(shown, every, steps) {
  if (every !== "1mo") return shown + steps * LENGTH[every];
  const at = new Date(shown);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + steps, 1);
}
// Steps shorter than a day go by the clock, and one that comes twice is two of them.
function stepStart(at, every, zone) {
  const shown = wall(at, zone), start = truncated(shown, every);
  if (LENGTH[every] < HOUR) return at - (shown - start);
  const once = instant(start, zone);
  if (LENGTH[every] >= DAY) return once;
  return [HOUR, HOUR / 2].map(after => once + after).find(again => again <= at && wall(again, zone) === start) ?? once;
}
function stepEnd(start, every, zone) {
  if (LENGTH[every] < HOUR) return start + LENGTH[every];
  if (LENGTH[every] >= DAY) return instant(later(truncated(wall(start, zone), every), every, 1), zone);
  let at = start;
  do at += HOUR / 2; while (stepStart(at, every, zone) === start);
  return stepStart(at, every, zone);
}
// Of a step whose first moment is missing, Python counts from where it would have been:
// that is in the step before.
function startThatIs(at, every, zone) {
  const shown = wall(at, zone), before = truncated(shown, every);
  const isMissing = LENGTH[every] >= HOUR && LENGTH[every] < DAY && shown !== before;
  return isMissing ? instant(later(before, every, 1), zone) : at;
}
// The starts of all steps from one moment to another, the empty ones too, and the end.
const MOST_DRAWN = 750;
function grid(first, last, every, zone) {
  const starts = [];
  let at = stepStart(first, every, zone);
  while (at <= last && starts.length < 20 * MOST_DRAWN) {
    starts.push(at);
    at = Math.max(stepEnd(at, every, zone), at + 1);
  }
  return { starts, end: at };
}
const steps = (first, last, every) => Math.ceil((last - first) / LENGTH[every]) + 1;

// ---- in words
const two = n => String(n).padStart(2, "0");
function moment(at, zone, { time = false, year = false, long = false } = {}) {
  const shown = new Date(wall(at, zone)), months = long ? LONG_MONTHS : MONTHS;
  const day = `${shown.getUTCDate()} ${months[shown.getUTCMonth()]}${year ? " " + shown.getUTCFullYear() : ""}`;
  return time ? `${day}${long ? "," : ""} ${two(shown.getUTCHours())}:${two(shown.getUTCMinutes())}` : day;
}
function stepName(at, every, zone) {
  if (every === "1mo") return moment(at, zone, { year: true }).split(" ").slice(1).join(" ");
  return moment(at, zone, { time: hasClock(every), year: every === "1w" });
}
// A span, from its first step to its last.
function spanName(from, to, every, zone) {
  const last = stepStart(to - 1, every, zone);
  return from >= last ? stepName(from, every, zone) : `${stepName(from, every, zone)} to ${stepName(last, every, zone)}`;
}

