// An extension of pi that notes in FILE what is submitted and what each turn came to, one JSON object a line.
// Nothing that goes wrong here may touch a turn.
import { appendFileSync } from "node:fs";

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

export default function (pi) {
  pi.on("input", async (event, ctx) => {
    note(ctx, { event: "submitted", text: event.text });
  });
  pi.on("agent_end", async (event, ctx) => {
    const said = event.messages.filter((message) => message.role === "assistant");
    const last = said.at(-1);
    if (!last || last.stopReason === "error" || last.stopReason === "aborted") return;
    for (const message of event.messages)
      if (message.role === "user")
        note(ctx, { event: "turn_ended", text: wordsOf(message.content), answer: wordsOf(last.content) });
  });
}
