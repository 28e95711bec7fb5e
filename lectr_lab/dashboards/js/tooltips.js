// What a mark means in full: at once, under the pointer, at the focus, or where it was
// touched. One text for all; Escape puts it away.
function tooltips(root) {
  const tip = h("div", { class: "tip", role: "tooltip", hidden: true });
  let touchedAt = -Infinity;  // a finger selects too, and what it touched is drawn anew
  const hide = () => { if (performance.now() - touchedAt > 800) tip.hidden = true; };
  function show(of, x, y) {
    tip.textContent = of.dataset.tip;
    tip.hidden = false;
    const box = root.getBoundingClientRect(), { offsetWidth: wide, offsetHeight: high } = tip;
    const left = Math.min(Math.max(x - box.left + 12, 0), Math.max(root.clientWidth - wide, 0));
    const above = y - high - 12 > Math.max(box.top, 0);
    Object.assign(tip.style, { left: left + "px", top: (above ? y - box.top - high - 10 : y - box.top + 18) + "px" });
  }
  const over = event => {
    const of = event.target.closest && event.target.closest("[data-tip]");
    if (of && root.contains(of)) show(of, event.clientX, event.clientY); else hide();
  };
  root.addEventListener("pointerover", over);
  root.addEventListener("pointermove", event => { if (!tip.hidden && event.pointerType !== "touch") over(event); });
  root.addEventListener("pointerdown", event => {
    if (event.pointerType !== "touch") return;
    touchedAt = -Infinity;
    over(event);
    touchedAt = performance.now();
  });
  root.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") hide(); });
  root.addEventListener("focusin", event => {
    const of = event.target.closest("[data-tip]");
    if (!of || !of.matches(":focus-visible")) return hide();
    const box = of.getBoundingClientRect();
    show(of, box.left + box.width / 3, box.top);
  });
  root.addEventListener("focusout", hide);
  return { element: tip, hide };
}

