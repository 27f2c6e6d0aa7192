// What several panels say in the same words: how long ago, what it costs, who makes it.

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]]; // in seconds

/** How long ago a time was, given in seconds since 1970: "3 hours ago". */
export function ago(time) {
  const past = Math.max(0, Date.now() / 1000 - time);
  const [unit, length] = UNITS.find(([, each]) => past >= each) ?? [];
  return unit ? new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.floor(past / length), unit) : "just now";
}

/** Show a time, given in seconds since 1970, as people say it; the exact one as its title. */
export function showAgo(element, time) {
  const date = new Date(time * 1000);
  element.dateTime = date.toISOString();
  element.title = date.toLocaleString();
  element.textContent = ago(time);
}

/** What something will cost: "about 0.25 US dollars", and on top of it the voices whose price nobody knows. */
export function price(cost, unknown = []) {
  const more = unknown.length ? `the price of ${unknown.join(", ")} is not known` : "";
  if (!Number(cost)) return more || "free with the embedded voice";
  return [`about ${dollars(cost)}`, more].filter(Boolean).join("; ");
}

/** A sum of money: "0.25 US dollars". */
export function dollars(sum) {
  return Number(sum) < 0.01 ? "less than 0.01 US dollars" : `${Number(sum).toFixed(2)} US dollars`;
}

const VENDORS = { preview: "the preview", heygen: "HeyGen", freepik: "Freepik", creatomate: "Creatomate" };

/** What people call an engine, as one writes it: "the preview", "HeyGen". */
export function engineName(choice) {
  return VENDORS[choice.split(/[:,]/)[0]] ?? choice;
}

/** The agents, by their names: what each is for, what is said while it works, and what its button says. */
export const AGENTS = {
  analysis: { title: "Who speaks, and how", doing: "Finding who speaks", verb: "Find speakers" },
  sanitizer: { title: "What is not meant to be spoken", doing: "Looking for what is not meant to be spoken", verb: "Look through" },
  segmentation: { title: "Cut and time", doing: "Cutting and timing", verb: "Cut" },
  planning: { title: "Share out a length", doing: "Sharing out a length", verb: "Share out" },
  splice: { title: "Adjust pauses after listening to the master", doing: "Listening to the master's pauses", verb: "Adjust pauses" },
};

/** How far an agent is, told as its work: `{ agent, doing, words, share }`. */
export function thinkingOf(work) {
  const { done, total, subject } = work.stages.at(-1) ?? { done: 0, total: 0, subject: "" };
  const words = total ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")} ${total === 1 ? "question" : "questions"}` : "";
  return { agent: subject, doing: AGENTS[subject]?.doing ?? "An agent is at work", words, share: total ? done / total : 0 };
}
