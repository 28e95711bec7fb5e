// What is cut, what stands upon another.
() => {
  const found = [];
  const of = (element) => element.closest("[data-name]")?.dataset.name ?? document.title;
  for (const svg of document.querySelectorAll("svg")) {
    const outer = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")]
      .filter((text) => text.textContent.trim() && getComputedStyle(text).opacity !== "0")
      .map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [text, box] of texts) {
      const inside = box.left > outer.left - 1 && box.right < outer.right + 1 &&
        box.top > outer.top - 1 && box.bottom < outer.bottom + 1;
      if (!inside) found.push(`${of(svg)}: cut: ${text}`);
    }
    texts.forEach(([a, one], at) => texts.slice(at + 1).forEach(([b, two]) => {
      const wide = Math.min(one.right, two.right) - Math.max(one.left, two.left);
      const high = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
      if (wide > 1 && high > 3) found.push(`${of(svg)}: upon another: ${a} | ${b}`);
    }));
  }
  for (const box of document.querySelectorAll("body *:not(svg *)")) {
    const style = getComputedStyle(box);
    const scrolls = ["auto", "scroll"].includes(style.overflowX);
    const unseen = style.clipPath !== "none" || box.clientWidth < 2 || style.display === "inline";
    if (box.scrollWidth > box.clientWidth + 1 && !scrolls && !unseen)
      if (style.overflowX !== "visible") found.push(`${of(box)}: cut: ${box.className || box.tagName}: ${box.textContent.slice(0, 60)}`);
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) found.push(`the page moves sideways: ${root.scrollWidth} of ${root.clientWidth}`);
  return found;
}
