"""A panel in a page without a studio: what Python would answer is given, and what the page asks is kept."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

_SHOW = """async (name) => {
  const ears = [];
  const hear = (message) => { for (const ear of [...ears]) ear(message, message.buffers ?? []); };
  const answer = ({ ask, verb }) => {
    const given = alone.answers[verb] ?? null;
    if (given?.error) return hear({ re: ask, ...given });
    if (given?.sound) return hear({ re: ask, value: { rate: 44100, ended: true }, buffers: [new DataView(new Int16Array(given.sound).buffer)] });
    return hear({ re: ask, value: given });
  };
  window.alone = {
    answers: {}, asked: [], held: {}, late: [],
    tell: (topic, value) => hear({ topic, value }),
    release: (verb) => {
      delete alone.held[verb];
      for (const message of alone.late.splice(0)) (message.verb in alone.held ? alone.late.push(message) : answer(message));
    },
  };
  const model = {
    model_id: 'alone', widget_manager: {}, get() {}, off() {},
    on(event, ear) { if (event === 'msg:custom') ears.push(ear); },
    send(message) {
      if (message.verb === 'ping') return hear({ re: message.ask, value: 'here' });
      alone.asked.push(message);
      if (message.verb in alone.held) return alone.late.push(message);
      return queueMicrotask(() => answer(message));
    },
  };
  document.body.replaceChildren();
  for (const sheet of ['kit', name]) {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: `/${sheet}.css` });
    document.head.append(link);
    await new Promise((resolve) => { link.onload = resolve; });
  }
  window.showAlone = async () => (await import(`/${name}.js`)).default.render({ model, el: document.body });
}"""


class Alone:
    """A panel of its own. ``answers`` are given before it is shown, by verb; ``{"error": …}`` is a refusal,
    ``{"sound": …}`` samples that are to be played.
    """

    def __init__(self, page: Page, modules: str, name: str, **answers: Any) -> None:
        self.page = page
        page.goto(f"{modules}/kit.css")
        page.evaluate(_SHOW, name)
        self.answer(**answers)
        page.evaluate("showAlone()")

    def answer(self, **answers: Any) -> None:
        """Answer so from now on."""
        self.page.evaluate("(answers) => Object.assign(alone.answers, answers)", answers)

    def hold(self, verb: str) -> None:
        """Leave what is asked by this verb unanswered, until it is released."""
        self.page.evaluate("(verb) => { alone.held[verb] = true; }", verb)

    def release(self, verb: str) -> None:
        self.page.evaluate("(verb) => alone.release(verb)", verb)

    def tell(self, topic: str, value: Any = None) -> None:
        """What the session tells."""
        self.page.evaluate("([topic, value]) => alone.tell(topic, value)", [topic, value])

    def asked(self, verb: str) -> list[dict[str, Any]]:
        """With what it was asked by this verb, each time."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "(verb) => alone.asked.filter((each) => each.verb === verb).map((each) => each.with)", verb
        )
        return found

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def focused(self) -> str:
        """What has the focus, by its name or words."""
        words: str = self.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )
        return words
