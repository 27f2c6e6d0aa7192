// The agents: a quiet line; unfolded, what each does, with which mind, for how much, what it decided, and a way back.

import { button, clock, count, fill, h, icon, notice, panel, storage } from "./kit.js";
import { AGENTS, dollars, showAgo, thinkingOf } from "./words.js";
import { isOff, isRunning, once, progressBar, setOff, timeLeft } from "./work.js";

const REST = 300; // ms after the last key or edit until Python is asked
const UNFOLDED = "luma-agents-unfolded"; // what the tab remembers

const ABOUT = {
  analysis: "Finds who speaks a clause, and in which tone, where the script leaves it open. No word is changed; each speaker can have a voice of their own.",
  sanitizer: "Points at directions, pauses and markup that would be read out by mistake. No word is changed: you see them marked in the script, and decide.",
  segmentation: "Cuts long clauses into what one breath speaks, and times the pauses that nobody wrote. It cuts between words only: no word is changed.",
  planning: "Gives the whole the length you want: some scenes get more of the silence than others. Only pauses change, no word does.",
  splice: "Goes by what the audit of the exported master measured, and changes a few pauses a little. No word is changed.",
};
const BACK = { analysis: "Take back the speakers", segmentation: "Take back the cuts" };
const WAITS = {
  planning: "Speak first: how long the speech is must be known.",
  splice: "Export a master first: its audit tells how long each pause is to the ear.",
};

export default panel("Agents", async ({ root, desk }) => {
  const act = desk.guarded;
  let state = { production: null, known: [], works: [] };
  let thinking = null; // the last work of an agent,
  let speaking = null; // and of speaking
  let begun = ""; // the agent that was begun here last
  let before = ""; // what it had decided until then
  let choosing = Promise.resolve(true); // whether the mind that was typed last could be chosen
  let unfolded = storage.getItem(UNFOLDED) !== null;

  // The page

  const toggle = h("button", { type: "button", class: "luma-agents-toggle", "aria-expanded": "false", onclick: act(fold) }, icon("next"), "Agents");
  const summary = h("p", { class: "luma-muted luma-text luma-agents-summary" });
  const halt = button({ icon: "stop", text: "Stop", label: "Stop the agent", hidden: true, onclick: act(once(() => stop(halt))) });
  const body = h("div", { class: "luma-agents-body", hidden: true });
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  root.append(h("header", { class: "luma-agents-line" }, h("h2", {}, toggle), summary, halt), body, said);

  const minds = makeMinds();
  const banner = makeBanner();
  const rows = Object.keys(ABOUT).map(makeRow);
  const list = h("ul", { class: "luma-agents-list", "aria-label": "Agents, in the order one works" }, rows.map((row) => row.element));
  const intro = h("p", { class: "luma-muted" }, "Agents help with a script, one step each, in the order one works. They never change a word of your text.");
  body.append(intro, minds.element, banner.element, list);

  function fold() {
    unfolded = !unfolded;
    if (unfolded) storage.setItem(UNFOLDED, "yes");
    else storage.removeItem(UNFOLDED);
    show();
    return unfolded ? refresh() : undefined; // folded, it followed no edits
  }

  // What Python tells

  desk.on("production", act(refresh));
  desk.on("pauses", () => {
    clearTimeout(later);
    if (unfolded) later = setTimeout(act(refresh), REST);
  });
  desk.on("draft", (unspoken) => {
    if (!state.production || state.production.unspoken === unspoken) return;
    state.production.unspoken = unspoken;
    show();
  });
  desk.on("work", (work) => {
    news += 1;
    take(work);
    show();
  });

  let asked = 0;
  let news = 0; // of work: what is asked before it knows less
  let later = null; // what is asked when the edits rest

  async function refresh() {
    asked += 1;
    const [mine, known] = [asked, news];
    const told = await desk.tell("state");
    if (!told || mine !== asked) return; // a later question is on its way
    const isAnother = told.production?.name !== state.production?.name;
    if (isAnother) {
      begun = "";
      for (const row of rows) row.clear();
    }
    state = told;
    if (isAnother || known === news) {
      thinking = speaking = null;
      for (const work of state.works) take(work);
    }
    show();
    sayEnd();
  }

  function take(work) {
    if (work.kind === "speak") speaking = work;
    if (work.kind !== "think") return;
    if (isRunning(thinking) && !isRunning(work)) owed = true;
    thinking = work;
  }

  /** The agent that works, or that worked last. */
  const atWork = () => (thinking && thinkingOf(thinking).agent) || begun;

  // The whole

  function show() {
    const { production } = state;
    const busy = isRunning(thinking);
    const focused = document.activeElement;
    root.dataset.open = String(unfolded);
    toggle.setAttribute("aria-expanded", String(unfolded));
    body.hidden = !unfolded;
    summary.textContent = summed();
    halt.hidden = !busy || unfolded; // unfolded, its row has one
    setOff(halt, thinking?.status === "stopping");
    if (focused === halt && halt.hidden) toggle.focus({ preventScroll: true });
    banner.show(production);
    minds.element.hidden = list.hidden = !production;
    if (!production) return;
    minds.show(production, busy);
    for (const row of rows) row.show(production.agents.find((each) => each.agent === row.agent));
  }

  /** What the line says while all is folded. */
  function summed() {
    if (isRunning(thinking)) return progressWords();
    if (!state.production) return "";
    const found = [...new Set(state.production.agents.map((each) => each.mind))].filter(Boolean);
    return found.length ? found.join(", ") : "rules";
  }

  function progressWords() {
    const told = thinkingOf(thinking);
    if (thinking.status === "stopping") return "Stopping …";
    return `${[told.doing, told.words].filter(Boolean).join(": ")}${thinking.left === null ? "" : ` · ${timeLeft(thinking.left)}`}`;
  }

  // What stands in the editor and in no production

  function makeBanner() {
    const words = h("p", {});
    const take = button({ text: "Take it in without speaking", onclick: act(once(() => desk.tell("begin"))) });
    const element = h("div", { class: "luma-agents-banner", hidden: true }, words, take);
    return {
      element,
      show(production) {
        element.hidden = Boolean(production) && !production.unspoken;
        words.textContent = production
          ? "You changed the text since it was spoken. Agents go by the script as it was then."
          : "Agents go by a production's script. Write a script above, and take it in; speaking it can wait.";
      },
    };
  }

  // Minds

  function makeMinds() {
    const known = h("datalist", { id: "luma-agents-known" });
    const knownOwn = h("datalist", { id: "luma-agents-known-own" });
    const all = mindField("Mind for all agents", known.id, { placeholder: "None: the rules do it" }, (mind) => desk.ask("choose", { mind }));
    const own = Object.entries(AGENTS).map(([agent, { title }]) => ({ agent, ...mindField(title, knownOwn.id, {}, (mind) => desk.ask("choose_own", { agent, mind })) }));
    const hint = h("p", { class: "luma-muted luma-agents-hint" });
    const lack = h("p", { class: "luma-text luma-agents-lack", hidden: true });
    const each = h("details", { class: "luma-agents-own" }, h("summary", {}, "A mind for each agent"),
      h("p", { class: "luma-muted luma-agents-hint" }, "Empty is as for all; “rules” has the rules do it."), h("div", { class: "luma-agents-fields" }, own.map((one) => one.element)));
    const element = h("div", { class: "luma-agents-minds" }, known, knownOwn, all.element, hint, lack, each);
    const option = (value) => h("option", { value });
    return {
      element,
      show(production, busy) {
        fill(known, state.known.map(option));
        fill(knownOwn, ["rules", ...state.known].map(option));
        all.show(production.mind, busy);
        for (const one of own) {
          const found = production.agents.find((agent) => agent.agent === one.agent);
          one.show(found.own, busy, `As for all: ${production.mind || "rules"}`);
        }
        hint.textContent = production.agents.some((agent) => agent.mind)
          ? "A mind is a language model of a vendor: it reads the script and answers. What it would cost stands beside each agent; the same question is never paid twice."
          : "No mind is chosen, so the rules do each step: free, and mostly by leaving all as the script has it. A mind is a language model of a vendor, which reads the script and answers for a few cents: type one here, such as openai:gpt-5.5.";
        const lacks = [...new Set(production.agents.map((agent) => agent.lacks))].filter(Boolean);
        lack.hidden = !lacks.length;
        lack.textContent = lacks.length ? `${lacks.join(" ")} Until then the rules do it.` : "";
      },
    };
  }

  /** A field for a mind, with what is wrong with it beside. */
  function mindField(text, known, props, choose) {
    const id = unique();
    const wrong = h("p", { class: "luma-text luma-agents-wrong", role: "alert", id: `${id}-wrong` });
    let shown = "";
    const input = h("input", { class: "luma-input", id, list: known, autocomplete: "off", spellcheck: false, autocapitalize: "off", dir: "ltr", "aria-describedby": wrong.id, ...props,
      onchange: act(async () => {
        const chosen = choose(input.value);
        choosing = chosen.then(() => true, () => false);
        try {
          await chosen;
          problem("");
        } catch (error) {
          if (!error.kind) throw error;
          problem(error.message);
        } finally {
          choosing = Promise.resolve(true);
        }
      }),
      onkeydown: (event) => { if (event.key === "Escape" && input.value !== shown) { input.value = shown; problem(""); } } });
    const problem = (sentence) => {
      wrong.textContent = sentence;
      input.setAttribute("aria-invalid", String(Boolean(sentence)));
    };
    return {
      element: h("div", { class: "luma-agents-field" }, h("label", { htmlFor: id }, text), input, wrong),
      show(mind, busy, placeholder) {
        input.readOnly = busy;
        if (placeholder !== undefined) input.placeholder = placeholder;
        if (mind !== shown || (!wrong.textContent && document.activeElement !== input)) {
          input.value = mind;
          problem("");
        }
        shown = mind;
      },
    };
  }

  // A row an agent

  function makeRow(agent) {
    const { title, verb } = AGENTS[agent];
    const id = unique();
    const badge = h("span", { class: "luma-badge luma-agents-mind luma-text", dir: "ltr" });
    const cost = h("p", { class: "luma-muted luma-agents-cost", id: `${id}-cost` });
    const last = h("p", { class: "luma-text luma-agents-last" });
    const wrong = h("p", { class: "luma-text luma-agents-wrong", role: "alert" });
    const bar = progressBar(AGENTS[agent].doing);
    const now = h("p", { class: "luma-muted luma-number luma-agents-now" });
    const run = button({ text: verb, "aria-describedby": cost.id, onclick: act(once(pressed)) });
    const back = BACK[agent] && button({ icon: "undo", text: "Take back", label: BACK[agent], kind: "luma-button-quiet", hidden: true, onclick: act(once(takeBack)) });
    const total = agent === "planning" ? makeTotal(id) : null;
    const element = h("li", { class: "luma-agents-row" },
      h("div", { class: "luma-agents-words" },
        h("div", { class: "luma-agents-title" }, h("h3", {}, title), badge), h("p", { class: "luma-muted" }, ABOUT[agent]), last, cost, wrong),
      h("div", { class: "luma-agents-act" }, total?.element, h("div", { class: "luma-row" }, back, run)),
      h("div", { class: "luma-agents-progress", hidden: true }, bar.element, now));
    let shown = null;

    const working = () => isRunning(thinking) && atWork() === agent;
    const waits = () => shown.obstacle && (WAITS[agent] ?? shown.obstacle);
    const busy = () => isRunning(thinking) || isRunning(speaking);

    function pressed() {
      if (isOff(run)) return undefined;
      if (working()) return stop(run);
      if (total && !total.value) return total.miss();
      return think(agent, total ? { total: total.value } : {}, total);
    }

    async function takeBack() {
      if (isOff(back)) return;
      if ((await desk.tell("take_back", { agent })) !== undefined) said.textContent = `${title}: taken back.`;
    }

    /** What it would cost, or why it cannot be asked. */
    function costWords() {
      if (waits()) return waits();
      if (!shown.mind) return "Free: the rules do it.";
      if (shown.lacks) return `${shown.lacks} Until then the rules do it.`;
      return quoteWords(total ? total.quote : shown.quote, shown.mind, Boolean(total));
    }

    return {
      agent,
      element,
      /** Another production is open. */
      clear() {
        total?.clear();
      },
      show(found) {
        shown = found;
        total?.show(found, pressed);
        badge.textContent = found.mind || "Rules";
        badge.classList.toggle("luma-badge-good", Boolean(found.mind));
        cost.textContent = working() ? "" : costWords();
        fill(last, lastWords(found));
        const failed = thinking?.status === "failed" && atWork() === agent;
        wrong.textContent = failed ? thinking.error : "";
        const isBack = document.activeElement === back;
        if (back) {
          back.hidden = !found.done;
          setOff(back, busy());
          if (isBack && back.hidden) run.focus({ preventScroll: true });
        }
        const now_ = working();
        fill(run, now_ && icon("stop"), h("span", {}, now_ ? "Stop" : verb));
        run.setAttribute("aria-label", now_ ? `Stop: ${AGENTS[agent].doing.toLowerCase()}` : `${verb}: ${title}`);
        setOff(run, now_ ? thinking.status === "stopping" : busy() || Boolean(waits()));
        element.querySelector(".luma-agents-progress").hidden = !now_;
        if (now_) {
          const told = thinkingOf(thinking);
          bar.show(told.share, told.words || "0");
          now.textContent = thinking.status === "stopping" ? "Stopping …" : [told.words, timeLeft(thinking.left)].filter(Boolean).join(" · ");
        }
      },
    };
  }

  /** The field for the length that planning shares out; what it would buy is asked for as one types. */
  function makeTotal(id) {
    let timer = null;
    let mind = "";
    let quoted = "";
    let run = () => {};
    const wrong = h("p", { class: "luma-text luma-agents-wrong", role: "alert", id: `${id}-wrong` });
    const now = h("span", { class: "luma-muted luma-number" });
    const input = h("input", { class: "luma-input luma-number luma-agents-total", id: `${id}-total`, autocomplete: "off", inputMode: "text", placeholder: "10:00", "aria-describedby": wrong.id,
      oninput: () => { clearTimeout(timer); timer = setTimeout(act(ask), REST); },
      onkeydown: act((event) => (event.key === "Enter" && !event.isComposing ? run() : undefined)) });
    const api = {
      quote: null,
      element: h("div", { class: "luma-agents-field" }, h("label", { htmlFor: input.id }, "Length wanted"), h("div", { class: "luma-row" }, input, now), wrong),
      get value() {
        return input.value.trim();
      },
      miss() {
        wrong.textContent = "Write the length you want, such as 10:00.";
        input.focus();
      },
      refuse(sentence) {
        wrong.textContent = sentence;
      },
      clear() {
        clearTimeout(timer);
        [input.value, wrong.textContent, api.quote] = ["", "", null];
      },
      show(found, pressed) {
        run = pressed;
        const { seconds } = state.production;
        now.textContent = seconds === null ? "" : `now ${clock(seconds)}`;
        input.readOnly = Boolean(found.obstacle);
        const key = JSON.stringify([found.mind, found.decided, seconds]);
        const isStale = key !== quoted && found.mind && api.value && !found.obstacle;
        [quoted, mind] = [key, found.mind];
        if (isStale) act(ask)();
      },
    };

    async function ask() {
      const { value } = api;
      wrong.textContent = "";
      let answer = null;
      try {
        answer = value && mind ? (await desk.ask("quote", { total: value })).value : await null;
      } catch (error) {
        if (!error.kind) throw error;
        if (value === api.value) wrong.textContent = error.message;
      }
      if (value !== api.value) return;
      api.quote = answer;
      show();
    }
    return api;
  }

  /** "3 questions, about 0.02 US dollars". */
  function quoteWords(quote, mind, isPlanning) {
    if (!quote) return isPlanning ? "One question; what it costs is told once there is a length." : "";
    if (!quote.calls) return "Already here: nothing to buy.";
    const asks = count(quote.calls, "question");
    if (quote.cost === null) return `${asks}; the price of ${mind} is not known.`;
    return `${asks}, ${Number(quote.cost) < 0.01 ? "" : "about "}${dollars(quote.cost)}.`;
  }

  /** What it decided last: who, when, why it was the rules, and what of it is in the script. */
  function lastWords({ agent, decided, done }) {
    if (!decided.length) return [];
    const time = h("time", {});
    showAgo(time, decided[0].when);
    const found = decided.filter((each) => each.by);
    const rules = decided.filter((each) => !each.by);
    const whys = [...new Set(rules.map((each) => each.why))].filter(Boolean).join(" ");
    const who = found.map((each) => each.by).join(", ");
    const parts = found.length ? ["Decided by ", h("bdi", {}, who), ", ", time, "."] : ["The rules stood, ", time, `: ${whys || "no mind was asked."}`];
    if (found.length && rules.length) parts.push(` For part of it the rules stood: ${whys}`);
    return [...parts, outcome(agent, done, found.length > 0)];
  }

  function outcome(agent, done, isMinds) {
    const { timed } = state.production;
    const told = {
      analysis: done ? ` ${count(done, "clause")} ${done === 1 ? "has" : "have"} a speaker or a tone from it.` : " No clause has a speaker or a tone from it now.",
      segmentation: `${done ? ` ${count(done, "clause")} ${done === 1 ? "is" : "are"} cut.` : " No clause is cut now."}${timed ? ` ${count(timed, "pause")} in the timeline ${timed === 1 ? "is" : "are"} marked “agent”.` : ""}`,
      sanitizer: done ? ` ${count(done, "place")} to look at, marked in the script.` : " Nothing is left to look at.",
      planning: " Undo stands with the pauses.",
      splice: isMinds ? " Undo stands with the pauses." : "",
    }[agent];
    return isMinds || done ? told : "";
  }

  // Thinking

  async function think(agent, given, total) {
    if (!(await choosing)) return; // the mind that was typed just now is none, and says so
    const kept = [begun, thinking];
    const waiting = { kind: "think", status: "running", stages: [], clauses: [], left: null };
    begun = agent;
    before = whenOf(agent);
    thinking = waiting;
    news += 1;
    show();
    try {
      await desk.ask("think", { agent, ...given });
    } catch (error) {
      if (thinking === waiting) [begun, thinking] = kept;
      if (!error.kind) throw error;
      if (total && error.kind === "SettingError") total.refuse(error.message);
      else notice(error.message, "error");
    }
    show();
  }

  function stop(pressed) {
    return isOff(pressed) ? undefined : desk.tell("stop");
  }

  const whenOf = (agent) => JSON.stringify(state.production?.agents.find((each) => each.agent === agent)?.decided ?? []);

  let owed = false; // whether the end of work is to be said, once the production is here as it is then

  /** Say how it ended: for screen readers, and in a notice what no row tells. */
  function sayEnd() {
    if (!owed || isRunning(thinking)) return;
    owed = false;
    const agent = atWork();
    const found = state.production?.agents.find((each) => each.agent === agent);
    if (!found || !thinking) return;
    if (thinking.status === "stopped") said.textContent = `${AGENTS[agent].title}: stopped. Nothing was changed.`;
    if (thinking.status !== "done") return;
    if (agent === "planning" && begun === agent && before === whenOf(agent)) notice("It lasts exactly that long already.");
    said.textContent = `${AGENTS[agent].title}: ${lastWords(found).map((part) => part.textContent ?? part).join("")}`;
  }

  await refresh();
});

let ids = 0;

/** A name for an element that no other one in the page has. */
function unique() {
  ids += 1;
  return `luma-agents-${Math.random().toString(36).slice(2, 8)}-${ids}`;
}
