// A plugin of opencode that notes in FILE what is submitted and what each turn came to, one JSON object a line.
// Nothing that goes wrong here may touch a turn.
import { appendFileSync } from "node:fs";

function note(said) {
  try {
    appendFileSync(FILE, JSON.stringify({ ...said, at: new Date().toISOString() }) + "\n");
  } catch {}
}

export const MosaicTurns = async () => {
  const prompts = new Map(); // a user's message: its session and text, until its turn has ended
  const answers = new Map(); // an assistant's message: the user's message that it answers, and its text so far

  function settle(session_id) {
    for (const [id, prompt] of prompts) {
      if (prompt.session_id !== session_id) continue;
      const said = [...answers.values()].filter((one) => one.parent === id);
      const last = said.at(-1);
      if (!last) continue; // not begun yet
      prompts.delete(id);
      for (const [key, one] of answers) if (one.parent === id) answers.delete(key);
      if (last.failed) continue;
      const answer = [...last.parts.values()].join("\n");
      note({ event: "turn_ended", session_id, text: prompt.text, answer });
    }
  }

  function take({ type, properties }) {
    if (type === "message.updated" && properties.info.role === "assistant") {
      const { id, parentID, error } = properties.info;
      const known = answers.get(id) ?? { parts: new Map() };
      answers.set(id, { ...known, parent: parentID, failed: Boolean(error) });
    } else if (type === "message.part.updated" && properties.part.type === "text") {
      const { id, messageID, text } = properties.part;
      answers.get(messageID)?.parts.set(id, text);
    } else if (type === "session.idle") {
      settle(properties.sessionID);
    }
  }

  return {
    "chat.message": async (input, output) => {
      const text = output.parts.filter((part) => part.type === "text" && !part.synthetic);
      const prompt = { session_id: input.sessionID, text: text.map((part) => part.text).join("\n") };
      prompts.set(output.message.id, prompt);
      note({ event: "submitted", ...prompt });
    },
    event: async ({ event }) => {
      try {
        take(event);
      } catch {}
    },
  };
};
