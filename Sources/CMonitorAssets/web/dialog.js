// The dialog: collects the input of an action, performs it, and shows the error when it fails.
import { byID, h } from "./dom.js";

const dialog = byID("dialog");
const form = dialog.querySelector("form");
let perform = async () => {};

/// The selectable durations of silences and maintenance, in minutes.
export const minutes = field({
  name: "minutes",
  label: "Duration",
  options: [
    [15, "15 minutes"],
    [60, "1 hour"],
    [240, "4 hours"],
    [1_440, "1 day"],
    [4_320, "3 days"],
    [10_080, "7 days"],
    [43_200, "30 days"],
  ],
  value: 60,
});
export const reason = field({ name: "reason", label: "Reason", required: true, maxlength: 500 });

/// Describes a field: a selection when it has `options` (pairs of value and label), else a text input.
export function field({ name, label, options, value, ...attributes }) {
  return () => {
    const control = options
      ? h(
          "select",
          { name },
          options.map(([key, words]) => h("option", { value: key, selected: key === value }, words)),
        )
      : h("input", { name, value, autocomplete: "off", ...attributes });
    return h("label", {}, label, " ", control);
  };
}

/// Reads a form's fields: trimmed text, and minutes as a number.
function answers(form) {
  const answer = {};
  for (const [name, value] of new FormData(form)) answer[name] = name === "minutes" ? Number(value) : value.trim();
  return answer;
}

/// Opens the dialog. `send` labels the button; `act(answer)` runs when it is pressed, and its error is shown.
export function ask({ title, text = "", fields = [], send, act }) {
  byID("dialog-title").textContent = title;
  byID("dialog-text").textContent = text;
  byID("dialog-fields").replaceChildren(...fields.map((make) => make()));
  byID("dialog-send").textContent = send;
  form.querySelector(".wrong").textContent = "";
  perform = act;
  dialog.showModal();
}

/// Submits a form: the button is disabled meanwhile, and an error is shown in the form.
export async function submit(form, act) {
  const button = form.querySelector("button.main");
  const wrong = form.querySelector(".wrong");
  button.disabled = true;
  wrong.textContent = "";
  try {
    await act(answers(form));
    return true;
  } catch (error) {
    wrong.textContent = error.message;
    return false;
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const mine = perform;
  // The dialog may have been closed and reopened meanwhile.
  if ((await submit(form, mine)) && perform === mine) dialog.close();
});
byID("dialog-cancel").addEventListener("click", () => dialog.close());
