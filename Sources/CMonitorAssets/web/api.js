// Client of the monitor's API, with a session cookie that scripts cannot read, and its CSRF token.

let csrf = "";
let whenSignedOut = () => {};

/// An error response. `status` is 0 when there was no response.
class RequestError extends Error {
  constructor(status, problem) {
    super(RequestError.text(status, problem));
    this.status = status;
    /// The last part of the problem's type, such as `code-needed`.
    this.code = problem.type?.split("/").pop();
  }

  static text(status, problem) {
    if (status === 0) return "The monitor does not respond. Try again in a moment.";
    const wait = problem.retryAfter ? `Try again in ${Math.ceil(problem.retryAfter / 60)} min.` : undefined;
    const words = [problem.title ?? `The monitor responded with status ${status}.`, problem.detail, wait];
    return words.filter(Boolean).map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`)).join(" ");
  }
}

export function onSignedOut(listener) {
  whenSignedOut = listener;
}

export function signalSignedOut() {
  csrf = "";
  whenSignedOut();
}

async function send(method, path, body) {
  const headers = { accept: "application/json" };
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(20_000),
    });
    if (response.ok) return response.status === 204 ? undefined : await response.json();
  } catch {
    throw new RequestError(0, {});
  }
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "/login") signalSignedOut();
  throw new RequestError(response.status, problem);
}

export const get = (path) => send("GET", path);
export const post = (path, body) => send("POST", path, body);
export const remove = (path) => send("DELETE", path);

export async function signIn(name, password, code) {
  csrf = (await post("/login", { name, password, code: code || undefined })).csrf;
}

export async function resume() {
  csrf = (await get("/session")).csrf;
}
