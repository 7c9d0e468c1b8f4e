// A plugin of opencode that notes in FILE what is submitted and what each turn came to, one JSON object a line.
// What it is doing stands in a file beside it, written anew each time. Nothing that goes wrong here may touch a turn.
import { appendFileSync, renameSync, writeFileSync } from "node:fs";

const DOING = FILE.replace(/events$/, "doing");
const BREATH = 1000; // milliseconds between two words on what it is doing

function note(said) {
  try {
    appendFileSync(FILE, JSON.stringify({ ...said, at: new Date().toISOString() }) + "\n");
  } catch {}
}

export const MosaicTurns = async () => {
  const prompts = new Map(); // a user's message: its session and text, until its turn has ended
  const answers = new Map(); // an assistant's message: the user's message that it answers, and its text so far
  const errors = new Map(); // a session: what went wrong in it since it was idle
  let told = 0;

  function settle(session_id) {
    const error = errors.get(session_id);
    errors.delete(session_id);
    for (const [id, prompt] of prompts) {
      if (prompt.session_id !== session_id) continue;
      const said = [...answers.values()].filter((one) => one.parent === id);
      const last = said.at(-1);
      if (!last && !error) continue; // not begun yet
      const failed = last ? (last.error ?? error) : error;
      prompts.delete(id);
      for (const [key, one] of answers) if (one.parent === id) answers.delete(key);
      const common = { session_id, text: prompt.text };
      if (failed) note({ event: "turn_failed", ...common, code: codeOf(failed), detail: failed.data?.message ?? "" });
      else note({ event: "turn_ended", ...common, answer: [...last.parts.values()].join("\n") });
    }
  }

  function codeOf({ name, data }) {
    return data?.statusCode ? `${name} ${data.statusCode} ${data.responseBody ?? ""}` : `${name}`;
  }

  function tell(part, parent) {
    const prompt = prompts.get(parent);
    const doing = part.type === "tool" ? part.tool : part.text;
    if (!prompt || !doing || Date.now() - told < BREATH) return;
    told = Date.now();
    writeFileSync(`${DOING}.new`, JSON.stringify({ text: prompt.text, doing: doing.slice(-2000), tool: part.type === "tool" }) + "\n");
    renameSync(`${DOING}.new`, DOING);
  }

  function take({ type, properties }) {
    if (type === "message.updated" && properties.info.role === "assistant") {
      const { id, parentID, error } = properties.info;
      const known = answers.get(id) ?? { parts: new Map() };
      answers.set(id, { ...known, parent: parentID, error });
    } else if (type === "message.part.updated") {
      const { id, messageID, text, type: kind } = properties.part;
      const answer = answers.get(messageID);
      if (kind === "text") answer?.parts.set(id, text);
      if (answer && (kind === "text" || kind === "tool")) tell(properties.part, answer.parent);
    } else if (type === "session.error") {
      errors.set(properties.sessionID, properties.error);
    } else if (type === "session.idle") {
      settle(properties.sessionID);
    }
  }

  return {
    "chat.message": async (input, output) => {
      const text = output.parts.filter((part) => part.type === "text" && !part.synthetic);
      const prompt = { session_id: input.sessionID, text: text.map((part) => part.text).join("\n") };
      prompts.set(output.message.id, prompt);
      note({ event: "submitted", ...prompt, record: DOING });
    },
    event: async ({ event }) => {
      try {
        take(event);
      } catch {}
    },
  };
};
