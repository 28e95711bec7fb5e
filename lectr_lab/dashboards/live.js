
// The widget: drawn again when Python says something new; it says when it is shown.
export default {
  initialize({ model }) {
    return lectrInPlace(model, (el) => this.render({ model, el }));
  },
  render({ model, el }) {
    const root = document.createElement("div");
    el.classList.add("lectr", "tex2jax_ignore", "mathjax_ignore");
    const advice = document.createElement("section");
    el.append(root, advice);
    const view = lectr.dashboard(root, {
      ask: message => model.send(message),
      tell: selected => model.send({ selected }),
    });
    const show = () => {
      if (model.get("data")) view.show(JSON.parse(model.get("data")));
    };
    const answered = message => view.answer(message);
    model.on("change:data", show);
    model.on("msg:custom", answered);
    show();
    // What Python selects; empty once something else was selected here.
    const choose = () => { if (model.get("selected")) view.choose(JSON.parse(model.get("selected"))); };
    model.on("change:selected", choose);
    choose();
    // Jupyter says so when the kernel is restarted: from then on nothing is followed.
    const gone = () => view.show({ ...JSON.parse(model.get("data")), live: "no longer followed" });
    model.on("comm_live_update", gone);
    // HTML in which Python has escaped what a client sent; the page has the same.
    const advise = () => {
      const said = model.get("recommended") || "";
      advice.innerHTML = said && `<h3 class="whole">Of the whole log, whatever is selected above</h3>${said}`;
    };
    model.on("change:recommended", advise);
    advise();
    model.send({ shown: 1 });
    return () => {
      model.off("change:data", show);
      model.off("msg:custom", answered);
      model.off("change:selected", choose);
      model.off("comm_live_update", gone);
      model.off("change:recommended", advise);
      view.close();
      try { model.send({ shown: -1 }); } catch { /* the kernel has gone */ }
    };
  },
};
