// The monitor's news as they come (server-sent events). Silence is an alarm here too: a stream without as much as a
// comment for forty seconds is dead, which an EventSource would not notice.
import { noteSignedOut } from "./api.js";

const quietest = 40_000;
const longestPause = 30_000;

/// Follows the stream until the session ends, and comes back by itself after growing pauses.
///
/// `take(event, data)` gets each event, `state(isLive, nextTry)` each change of the connection.
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
      // However it ended, it is tried again.
    }
    const wait = pause * (0.75 + Math.random() / 2);
    state(false, Date.now() + wait);
    await whenOnlineOrAfter(wait);
    pause = Math.min(pause * 2, longestPause);
  }
}

/// - Returns: Whether the session is over.
async function listen(take, opened) {
  const guard = new AbortController();
  let watchdog = setTimeout(() => guard.abort(), quietest);
  try {
    const response = await fetch("/api/v1/events", {
      headers: { accept: "text/event-stream" },
      cache: "no-store",
      signal: guard.signal,
    });
    if (response.status === 401) {
      noteSignedOut();
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
      watchdog = setTimeout(() => guard.abort(), quietest);
      text += value;
      const end = text.lastIndexOf("\n\n");
      if (end < 0) continue;
      for (const block of text.slice(0, end).split("\n\n")) hand(block, take);
      text = text.slice(end + 2);
    }
  } finally {
    clearTimeout(watchdog);
    guard.abort();
  }
}

function hand(block, take) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (data.length > 0) take(event, JSON.parse(data.join("\n")));
}

function whenOnlineOrAfter(milliseconds) {
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
