// The one dialog: asks for what an action needs, does it, and stays with the reason when it was refused.
import { byID, h } from "./dom.js";

const dialog = byID("ask");
const form = dialog.querySelector("form");
let perform = async () => {};

/// The spans that silence and planned work are asked for, in minutes.
export const minutes = field({
  name: "minutes",
  label: "For how long",
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
export const reason = field({ name: "reason", label: "Why", required: true, maxlength: 500 });

/// Describes a field: a choice when it has `options` (pairs of value and words), else a line of text.
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

/// What a form's fields say: text without blanks around it, minutes as a number.
function answers(form) {
  const answer = {};
  for (const [name, value] of new FormData(form)) answer[name] = name === "minutes" ? Number(value) : value.trim();
  return answer;
}

/// `send` names the button; `act(answer)` is done when it is pressed, and what it throws is shown.
export function ask({ title, text = "", fields = [], send, act }) {
  byID("ask-title").textContent = title;
  byID("ask-text").textContent = text;
  byID("ask-fields").replaceChildren(...fields.map((make) => make()));
  byID("ask-send").textContent = send;
  form.querySelector(".wrong").textContent = "";
  perform = act;
  dialog.showModal();
}

/// Does what a form is for: its button waits meanwhile, and a refusal is shown in the form.
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
  // It may have been closed meanwhile, and another question asked.
  if ((await submit(form, mine)) && perform === mine) dialog.close();
});
byID("ask-cancel").addEventListener("click", () => dialog.close());
