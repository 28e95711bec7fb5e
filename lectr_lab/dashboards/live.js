
// The widget: drawn again when Python says something new; it says when it is shown.
export default {
  render({ model, el }) {
    const root = document.createElement("div");
    el.classList.add("lectr");
    el.append(root);
    const view = lectrDashboard(root);
    const show = () => {
      if (model.get("data")) view.show(JSON.parse(model.get("data")));
    };
    model.on("change:data", show);
    show();
    model.send({ shown: 1 });
    return () => {
      model.off("change:data", show);
      view.close();
      try { model.send({ shown: -1 }); } catch { /* the kernel has gone */ }
    };
  },
};
