// Follows the monitor's server-sent events. A stream without even a comment for forty seconds is dead, which an
// EventSource would not detect.
import { signalSignedOut } from "./api.js";

const idleTimeout = 40_000;
const maxDelay = 30_000;

/// Follows the stream until the session ends, and reconnects with growing delays.
///
/// `take(event, data)` receives each event, `state(isLive, nextTry)` each change of the connection.
export async function follow(take, state) {
  let pause = 1_000;
  for (;;) {
    try {
      const isOver = await listen(take, () => {
        pause = 1_000;
        state(true);
      });
      if (isOver) return;
    } catch {
      // Reconnect whatever the reason was.
    }
    const wait = pause * (0.75 + Math.random() / 2);
    state(false, Date.now() + wait);
    await waitUntilOnlineOr(wait);
    pause = Math.min(pause * 2, maxDelay);
  }
}

/// - Returns: Whether the session is over.
async function listen(take, opened) {
  const guard = new AbortController();
  let watchdog = setTimeout(() => guard.abort(), idleTimeout);
  try {
    const response = await fetch("/api/v1/events", {
      headers: { accept: "text/event-stream" },
      cache: "no-store",
      signal: guard.signal,
    });
    if (response.status === 401) {
      signalSignedOut();
      return true;
    }
    if (!response.ok) throw new Error(`status ${response.status}`);
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => guard.abort(), idleTimeout);
      text += value;
      const end = text.lastIndexOf("\n\n");
      if (end < 0) continue;
      for (const block of text.slice(0, end).split("\n\n")) dispatch(block, take);
      text = text.slice(end + 2);
    }
  } finally {
    clearTimeout(watchdog);
    guard.abort();
  }
}

function dispatch(block, take) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (data.length > 0) take(event, JSON.parse(data.join("\n")));
}

function waitUntilOnlineOr(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
  });
}
