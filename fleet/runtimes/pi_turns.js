// An extension of pi that notes in FILE what is submitted and what each turn came to, one JSON object a line.
// Nothing that goes wrong here may touch a turn.
import { appendFileSync } from "node:fs";

const PATIENCE = 15_000; // milliseconds in which pi tries again after an error, if it ever does

const wordsOf = (content) =>
  typeof content === "string"
    ? content
    : (content ?? []).filter((part) => part.type === "text").map((part) => part.text).join("\n");

function note(ctx, said) {
  try {
    const session_id = ctx.sessionManager.getSessionId();
    appendFileSync(FILE, JSON.stringify({ ...said, session_id, at: new Date().toISOString() }) + "\n");
  } catch {}
}

function recordOf(ctx) {
  try {
    return ctx.sessionManager.getSessionFile() ?? "";
  } catch {
    return "";
  }
}

export default function (pi) {
  let prompts = []; // those whose turn has no end yet; a turn that is tried again does not repeat them
  let waiting; // for another try after an error

  function end(ctx, said) {
    clearTimeout(waiting);
    waiting = undefined;
    for (const text of prompts) note(ctx, { ...said, text });
    prompts = [];
  }

  function fail(ctx, message) {
    const code = message.stopReason === "aborted" ? "interrupted" : "error";
    end(ctx, { event: "turn_failed", code, detail: message.errorMessage ?? "" });
  }

  let failed; // the last message of a turn that may be tried again

  pi.on("input", async (event, ctx) => {
    if (waiting) fail(ctx, failed); // what comes now is another turn
    note(ctx, { event: "submitted", text: event.text, record: recordOf(ctx) });
  });
  pi.on("agent_start", async () => {
    clearTimeout(waiting);
    waiting = undefined;
  });
  pi.on("agent_end", async (event, ctx) => {
    for (const message of event.messages) if (message.role === "user") prompts.push(wordsOf(message.content));
    const last = event.messages.filter((message) => message.role === "assistant").at(-1);
    if (!last) return;
    if (last.stopReason === "aborted") fail(ctx, last);
    else if (last.stopReason === "error") {
      failed = last;
      clearTimeout(waiting);
      waiting = setTimeout(() => fail(ctx, failed), PATIENCE);
      waiting.unref?.();
    } else end(ctx, { event: "turn_ended", answer: wordsOf(last.content) });
  });
}
