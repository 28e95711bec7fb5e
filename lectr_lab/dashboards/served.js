
// The page of a server: asks it each second whether there is news.
{
  const own = document.getElementById("dashboard"), says = document.createElement("p"), advice = document.createElement("section");
  const ended = "The server has ended. Start `lectr-lab dashboard` again.";
  says.className = "soft";
  says.setAttribute("role", "status");
  says.textContent = "Reading the log …";
  const heading = document.createElement("h1");
  heading.textContent = document.title;
  own.before(heading, says);
  own.hidden = true;  // until there is something to draw
  own.after(advice);
  let version = 0, data = null, trouble = "", unseen = false;
  const view = lectr.dashboard(own, { level: 1, address: lectrAddress(), ask });
  async function ask(message) {
    const failed = error => view.answer({ answer: "rows", of: message.of, error });
    try {
      const reply = await fetch("rows", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(message) });
      if (reply.ok) view.answer(await reply.json());
      else failed(await reply.text());
    } catch { failed(ended); }
  }
  function say(what) {
    if (what === trouble && !unseen) return;
    trouble = what;
    unseen = false;
    own.hidden = !data;
    heading.hidden = Boolean(data);
    says.textContent = trouble ? trouble + (data || trouble === ended ? "" : " This page waits for it.") : data && data.first != null ? "" : data
      ? "No request yet. `lectr-lab serve` prints what to set; the first one is shown here as soon as it has passed." : "Reading the log …";
    says.hidden = !says.textContent;
    if (data) view.show(trouble ? { ...data, live: "no longer followed" } : data);
  }
  async function look() {
    let wait_ms = 1000;
    try {
      const reply = await fetch(`data?after=${version}`);
      if (reply.status === 200) {
        const news = await reply.json();
        if (!version) wait_ms = 0;
        version = news.version;
        unseen = true;
        data = news.data || data;
        // HTML in which Python has escaped what a client sent; the page has the same.
        advice.innerHTML = news.advice && `<h2 class="whole">Of the whole log, whatever is selected above</h2>${news.advice}`;
        say(news.trouble);
      } else if (reply.status === 204) {
        if (trouble === ended) say("");
      } else say(await reply.text());
    } catch {
      wait_ms = 3000;
      say(ended);
    }
    setTimeout(look, wait_ms);
  }
  look();
}
