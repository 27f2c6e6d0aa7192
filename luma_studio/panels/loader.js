// What a notebook keeps of a panel. The panel's own module, 100 kB that no saved notebook should hold, is asked of the kernel.

const PATIENCE = 8000; // ms until one is told that nobody answers

let asked = null; // a widget has this module to itself

export default {
  async render(context) {
    const told = document.createElement("p");
    told.textContent = "This panel needs its kernel. Run the notebook's cells again.";
    const late = setTimeout(() => context.el.append(told), PATIENCE);
    try {
      asked ??= ask(context.model);
      const panel = await asked;
      told.remove();
      return panel.default.render(context);
    } catch (error) {
      asked = null;
      console.warn("The panel's module did not come:", error.message);
      context.el.append(told);
    } finally {
      clearTimeout(late);
    }
  },
};

/** The panel's module, once the kernel has sent it; its styles are in the page by then. */
function ask(model) {
  return new Promise((resolve, reject) => {
    const heard = ({ re, value }) => {
      if (re !== "code") return;
      model.off("msg:custom", heard);
      wear(model.get("_anywidget_id"), value.styles);
      const url = URL.createObjectURL(new Blob([value.module], { type: "text/javascript" }));
      import(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    };
    model.on("msg:custom", heard);
    model.send({ ask: "code", verb: "code", with: {} });
  });
}

function wear(name, styles) {
  const id = `luma-styles-${name}`;
  const sheet = document.getElementById(id) ?? document.head.appendChild(Object.assign(document.createElement("style"), { id }));
  sheet.textContent = styles;
}
