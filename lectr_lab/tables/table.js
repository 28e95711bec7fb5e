// A table that html.py wrote, made to sort, search, turn pages, copy and download.
// Without it the first rows are there as they are. It stands in each output once.
(() => {
  const PAGE = 50;
  const FEW = 10; // rows that nobody searches
  const own = document.currentScript && document.currentScript.closest(".lectr-table");
  for (const root of own ? [own] : document.querySelectorAll(".lectr-table")) start(root);

  async function start(root) {
    const packed = root.querySelector("script[type='application/octet-stream']");
    if (!packed || root.dataset.on || !window.DecompressionStream) return;
    root.dataset.on = "yes";
    if (location.href === "about:srcdoc" && document.body.children.length === 1) {
      // alone in a frame, as marimo shows it: in the colours of what is around it
      document.documentElement.style.colorScheme = "light dark";
    }
    const bytes = Uint8Array.from(atob(packed.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    use(root, await new Response(stream).json());
  }

  function use(root, data) {
    const box = root.querySelector(".scroll");
    const body = box.querySelector("tbody");
    const heads = [...box.querySelectorAll("thead th")];
    const rows = data.columns[0] ? data.columns[0].values.length : 0;
    const last = data.others ? [rows - 1] : []; // the row of all others stays below
    const given = [...Array(rows - last.length).keys()];
    const state = { by: -1, down: false, words: "", page: 0, found: given };
    const words = given.map((i) => data.shown.map((c) => text(c, i)).join("\n").toLowerCase());

    const above = part("div", "above");
    const find = part("input");
    const below = part("div", "below");
    const said = part("span");
    const before = button("‹ Previous", () => turn(-1));
    const after = button("Next ›", () => turn(1));
    const copy = button("Copy", () => keep(copy, "Copied"));
    const csv = button("CSV", download);
    find.type = "search";
    find.placeholder = "Search";
    find.setAttribute("aria-label", "Search in this table");
    find.addEventListener("input", () => { state.words = find.value; state.page = 0; show(); });
    said.setAttribute("role", "status");
    copy.title = "Copy these rows, with exact values, for a spreadsheet";
    csv.title = "Download these rows as CSV, with exact values and every column";
    if (given.length > FEW) above.append(find);
    if (given.length > PAGE) below.append(before, after);
    if (rows) below.append(copy, csv);
    below.append(said);
    if (above.firstChild) box.before(above);
    box.after(below);
    heads.forEach(sortable);

    // The keys that are typed here are no shortcuts of the notebook around.
    root.dataset.lmSuppressShortcuts = "true";
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target === find) { find.value = state.words = ""; show(); }
      event.stopPropagation();
    });
    // Only what can be scrolled is a stop on the way of the Tab key.
    new ResizeObserver(() => {
      box.tabIndex = box.scrollWidth > box.clientWidth + 1 ? 0 : -1;
    }).observe(box);
    const more = root.querySelector("p.more"); // of what can be turned to now
    if (more) more.remove();
    show();

    function sortable(head, k) {
      const column = data.shown[k];
      if (column.lines) return;
      const name = button(head.textContent, () => {
        const first = column.kind === "n"; // the largest first, and names from A
        if (state.by !== k) Object.assign(state, { by: k, down: first });
        else if (state.down === first) state.down = !first;
        else state.by = -1;
        state.page = 0;
        heads.forEach((h, i) => h.setAttribute("aria-sort", sorted(i)));
        show();
      });
      head.replaceChildren(name);
      head.setAttribute("aria-sort", "none");
    }

    function sorted(k) {
      if (state.by !== k) return "none";
      return state.down ? "descending" : "ascending";
    }

    function show() {
      const wanted = state.words.trim().toLowerCase().split(/\s+/);
      const found = given.filter((i) => wanted.every((w) => words[i].includes(w)));
      if (state.by >= 0) found.sort(order(data.shown[state.by], state.down ? -1 : 1));
      const from = state.page * PAGE;
      const shown = found.slice(from, from + PAGE);
      state.found = found;
      const all = found.length === given.length && from + PAGE >= found.length;
      body.replaceChildren(...[...shown, ...(all ? last : [])].map(line));
      const n = (x) => x.toLocaleString("en-US");
      const part = found.length > PAGE ? `${n(from + 1)}–${n(from + shown.length)} of ` : "";
      const by = state.by < 0 ? "" : `, by ${data.shown[state.by].heading}, ${sorted(state.by)}`;
      const rows = found.length === 1 ? "row" : "rows";
      const match = state.words.trim() ? (found.length === 1 ? " matches" : " match") : "";
      said.textContent = `${part}${found.length ? n(found.length) : "No"} ${rows}${match}${by}`;
      before.disabled = state.page === 0;
      after.disabled = from + PAGE >= found.length;
    }

    function order(column, sign) {
      const values = data.columns[column.of].values;
      return (a, b) => {
        const [x, y] = [values[a], values[b]];
        if (x === null || y === null) return (x === null) - (y === null); // below, always
        const both = column.kind === "n" ? Number(x) - Number(y)
          : String(x).localeCompare(String(y), undefined, { numeric: true });
        return sign * both || a - b;
      };
    }

    function line(i) {
      const row = part("tr");
      data.shown.forEach((column, k) => {
        const cell = part(k || column.kind === "n" ? "td" : "th", column.kind);
        if (cell.tagName === "TH") cell.scope = "row";
        if (column.lines) cell.innerHTML = column.lines[i]; // drawn by us, of figures
        else cell.textContent = text(column, i);
        const share = column.share ? data.columns[column.of].values[i] : null;
        if (share !== null) {
          const width = 100 * Math.min(Math.max(Number(share), 0), 1);
          cell.style.background = "linear-gradient(rgba(86,180,233,.3),rgba(86,180,233,.3))"
            + ` left/${width.toFixed(1)}% 100% no-repeat`;
        }
        row.append(cell);
      });
      return row;
    }

    function text(column, i) {
      if (column.lines) return "";
      return column.texts ? column.texts[i] : data.columns[column.of].values[i];
    }

    function turn(by) {
      state.page += by;
      show();
      box.scrollIntoView({ block: "nearest" });
      if (before.disabled) after.focus(); // where the focused one went out
      else if (after.disabled) before.focus();
    }

    function written(between, cell) {
      const lines = state.found.map((i) => data.columns.map((c) => cell(c.values[i])));
      return [data.columns.map((c) => cell(c.name)), ...lines].map((l) => l.join(between));
    }

    async function keep(at, done) {
      const flat = (v) => (v === null ? "" : plain(v).replace(/[\t\r\n]/g, " "));
      const all = written("\t", flat).join("\n");
      try {
        await navigator.clipboard.writeText(all);
      } catch { // not allowed in a frame, or not over http
        const held = part("textarea");
        held.value = all;
        root.append(held);
        held.select();
        document.execCommand("copy");
        held.remove();
        at.focus();
      }
      said.textContent = `${done}: ${state.found.length.toLocaleString("en-US")} rows`;
    }

    function download() {
      const quoted = (v) => {
        const t = v === null ? "" : plain(v);
        return /[",\r\n]/.test(t) ? `"${t.replaceAll('"', '""')}"` : t;
      };
      const link = part("a");
      const blob = new Blob([written(",", quoted).join("\r\n") + "\r\n"], { type: "text/csv" });
      link.href = URL.createObjectURL(blob);
      link.download = `${data.name}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }
  }

  // What a spreadsheet would take for a formula is a text (OWASP, CSV Injection).
  function plain(value) {
    const t = String(value);
    return typeof value === "string" && /^[=+\-@\t\r]/.test(t) && !/^-?\d+$/.test(t) ? `'${t}` : t;
  }

  function part(tag, name = "") {
    const made = document.createElement(tag);
    if (name) made.className = name;
    return made;
  }

  function button(label, act) {
    const made = part("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  }
})();
