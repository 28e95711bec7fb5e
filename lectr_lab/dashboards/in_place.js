
// JupyterLab keeps an output's HTML with the notebook, and of a widget nothing. So the
// page stands there as HTML, and while there is a kernel the widget stands in its place:
// beside it in the output's box, where a newer page from Python does not touch it.
function lectrInPlace(model, draw) {
  const places = document.getElementsByClassName(model.get("place"));
  const views = [];
  const say = (what) => { try { model.send(what); } catch { /* the kernel has gone */ } };
  const add = (output) => {
    const el = document.createElement("div");
    el.style.cssText = "flex: 1 1 auto; min-width: 0";
    output.after(el);
    output.style.display = "none";
    views.push({ output, el, shown: true, still: [], close: draw(el) });
    return views.at(-1);
  };
  const look = () => {
    for (const place of places) {
      const output = place.closest(".jp-OutputArea-output") || place;
      const view = views.find((one) => one.output === output) || add(output);
      if (!place.hasChildNodes()) continue;
      view.still = [...place.childNodes]; // out of the document, it is not drawn
      place.replaceChildren();
    }
    for (const view of views) {
      if (view.shown === view.el.isConnected) continue;
      view.shown = view.el.isConnected;
      say({ shown: view.shown ? 1 : -1 });
    }
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true });
  look();
  return () => {
    watch.disconnect();
    for (const view of views) {
      if (!view.shown) say({ shown: 1 });
      view.close();
      view.el.remove();
      view.output.style.display = "";
      const place = [...places].find((one) => view.output.contains(one));
      if (place) place.replaceChildren(...view.still);
    }
  };
}
