// Health: which engines are ready, which lack something, and what to do about it.

import { button, fill, h, icon, notice, panel } from "./kit.js";

export default panel("Health", async ({ root, desk }) => {
  const sentence = h("h2", {});
  const again = button({ icon: "refresh", text: "Check again", onclick: desk.guarded(check) });
  const list = h("ul", { class: "luma-health-list" });
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  root.append(h("header", { class: "luma-head" }, sentence, again), list, said);


  async function check() {
    showChecking();
    try {
      show((await desk.ask("check")).value);
    } catch (error) {
      showError(error.message);
    }
  }

  function showChecking() {
    sentence.textContent = "Trying every engine …";
    said.textContent = "";
    again.disabled = true;
    if (!list.children.length) fill(list, [0, 1, 2].map(() => h("li", { class: "luma-health-waiting", "aria-hidden": "true" }, h("i", {}), h("i", {}))));
  }

  function show(found) {
    const wanting = found.filter((engine) => !engine.ready && engine.needed);
    const lacking = wanting.length;
    again.disabled = false;
    sentence.textContent = lacking ? `${lacking} of ${found.length} ${lacking === 1 ? "lacks" : "lack"} something` : "Everything that is needed is ready";
    said.textContent = lacking ? `${sentence.textContent}: ${wanting.map((engine) => engine.name).join(", ")}.` : `${sentence.textContent}.`;
    fill(list, found.map(engineRow));
  }

  function engineRow({ name, what_for: whatFor, ready, needed, detail, remedy }) {
    const [sign, badge, words] = ready ? ["check", "luma-badge-good", "ready"] : needed ? ["warning", "luma-badge-warning", "lacks something"] : ["plus", "", "not needed"];
    return h("li", { "data-ready": String(ready || !needed) },
      h("span", { class: "luma-health-sign" }, icon(sign)),
      h("div", { class: "luma-health-words" },
        h("p", {}, h("strong", {}, name), " ", h("span", { class: "luma-muted" }, whatFor)),
        h("p", { class: "luma-text luma-health-detail", dir: "auto" }, detail),
        !ready && remedy && h("p", { class: "luma-text luma-health-remedy" }, remedy)),
      h("span", { class: `luma-badge ${badge}` }, words));
  }

  function showError(error) {
    again.disabled = false;
    sentence.textContent = "Health";
    fill(list, h("li", {}, h("div", { class: "luma-error", role: "alert" }, icon("warning"), h("p", { class: "luma-text" }, error))));
  }

  await check();
});
