
// The page draws itself once. In a cell it stands in a frame: as high as what it shows,
// and light or dark as the notebook around it. Alone, its address says what is selected.
{
  const own = document.getElementById("dashboard");
  lectr.dashboard(own, { level: 1, address: lectrAddress() }).show(JSON.parse(document.getElementById("data").textContent));
  try {
    const frame = window.frameElement;
    if (frame) {
      const around = frame.ownerDocument, theme = () => {
        const said = around.body.dataset.jpThemeLight;  // JupyterLab and Notebook 7
        const [r, g, b] = getComputedStyle(frame).color.match(/[\d.]+/g).map(Number);
        const dark = said ? said === "false" : (0.3 * r + 0.6 * g + 0.1 * b) / 255 > 0.5;
        document.documentElement.style.colorScheme = dark ? "dark" : "light";
      };
      const fit = () => { frame.style.height = document.body.offsetHeight + 8 + "px"; };
      theme();
      new MutationObserver(theme).observe(around.body, { attributes: true });
      new MutationObserver(theme).observe(around.documentElement, { attributes: true });
      new ResizeObserver(fit).observe(document.body);
    }
  } catch { /* a frame of another origin is left as it is */ }
}
