// How far work is: as a bar, and in words.

import { h } from "./kit.js";

const STAGES = { encode: "Encode", write: "Write", audit: "Audit" };

/** A bar of progress: `show(share, text)`, a share from 0 to 1 and how a screen reader says it. */
export function progressBar(label) {
  const fillings = h("i", {});
  const element = h("div", { class: "luma-progress", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, fillings);
  return {
    element,
    show(share, text) {
      const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
      fillings.style.width = `${percent}%`;
      element.setAttribute("aria-valuenow", String(percent));
      element.setAttribute("aria-valuetext", text);
    },
  };
}

/** "about 2 minutes left"; nothing where nobody knows. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 8) return "a few seconds left";
  if (seconds < 50) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  if (seconds < 90) return "about a minute left";
  if (seconds < 3570) return `about ${Math.round(seconds / 60)} minutes left`;
  const hours = Math.max(1, Math.round(seconds / 1800) / 2);
  return hours === 1 ? "about an hour left" : `about ${hours} hours left`;
}

/** Whether work is on its way. */
export function isRunning(work) {
  return work?.status === "running" || work?.status === "stopping";
}

/** A handler that waits for its answer before it runs again, and takes a double click for one. */
export function once(run) {
  let isRun = false;
  return async (event) => {
    if (isRun || event?.detail > 1) return undefined;
    isRun = true;
    try {
      return await run(event);
    } finally {
      isRun = false;
    }
  };
}

/** Have a button do nothing for now, but keep the focus, which a disabled one loses; its handler asks `isOff`. */
export function setOff(element, off) {
  element.setAttribute("aria-disabled", String(Boolean(off)));
}

/** Whether a button does nothing for now. */
export function isOff(element) {
  return element.getAttribute("aria-disabled") === "true";
}

/** Whether work would end with the page. */
export function endsWithPage(work) {
  return isRunning(work) && !work.outlives;
}

/** Have the browser ask before the page is left, while `isBusy()`: the work would end with it. */
export function askBeforeLeaving(isBusy, signal) {
  addEventListener("beforeunload", (event) => { if (isBusy()) event.preventDefault(); }, { signal });
}

/** The stages of an export, in their order: `name`, `share` from 0 to 1, `subject`, and the one that is `now`.
 *
 * Each file goes through them: what comes after the present stage is still to be done, even if it was for another file. */
export function exportStages(work) {
  const names = Object.keys(STAGES);
  const present = Math.max(0, names.indexOf(work.stages.at(-1)?.stage)); // Python tells the present one last
  return names.map((stage, at) => {
    const told = at > present ? undefined : work.stages.find((each) => each.stage === stage);
    const share = told ? (told.total ? told.done / told.total : 1) : 0;
    return { name: STAGES[stage], share, subject: told?.subject ?? "", began: Boolean(told), now: at === present && isRunning(work) };
  });
}
