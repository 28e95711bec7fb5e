
// The page draws itself once. In a cell it stands in a frame: as high as what it shows,
// and light or dark as the notebook around it.
{
  const root = document.getElementById("dashboard");
  lectrDashboard(root).show(JSON.parse(document.getElementById("data").textContent));
  try {
    const frame = window.frameElement;
    if (frame) {
      const [r, g, b] = getComputedStyle(frame).color.match(/[\d.]+/g).map(Number);
      const bright = (0.3 * r + 0.6 * g + 0.1 * b) / 255 > 0.5;
      document.documentElement.style.colorScheme = bright ? "dark" : "light";
      const fit = () => { frame.style.height = document.body.offsetHeight + 8 + "px"; };
      new ResizeObserver(fit).observe(document.body);
    }
  } catch { /* a frame of another origin is left as it is */ }
}
