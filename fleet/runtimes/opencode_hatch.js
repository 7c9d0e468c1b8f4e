// A plugin of opencode's screen through which a message reaches the conversation that a person sees, not by keys.
// In FOLDER the daemon asks with ID.knock; the answer is ID.open, which names the conversation, or ID.shut, which says why.
// Then it puts ID.note: once renamed to ID.taken it is handed over, once, unless ID.shut says that it was not.
import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";

const POLL_MILLISECONDS = 50; // fs.watch was seen to miss a file

function put(name, content) {
  writeFileSync(`${FOLDER}/.${name}`, content, { mode: 0o600 });
  renameSync(`${FOLDER}/.${name}`, `${FOLDER}/${name}`);
}

// Returns the conversation on the screen and how its last prompt was sent, or why it cannot take one now.
function look(api) {
  const route = api.route.current;
  if (api.ui.dialog.open) return { shut: "a dialog is open" };
  if (route.name !== "session") return { shut: "no conversation is on the screen" };
  const id = route.params.sessionID;
  const session = api.state.session.get(id);
  if (!session || session.parentID) return { shut: "the conversation on the screen takes no messages" };
  if (api.state.session.permission(id).length || api.state.session.question(id).length)
    return { shut: "a question is open" };
  const last = api.state.session.messages(id).findLast((message) => message.role === "user");
  if (!last) return { shut: "nothing was said yet in the conversation on the screen" };
  const { providerID, modelID, variant } = last.model;
  return { id, like: { agent: last.agent, model: { providerID, modelID }, variant } };
}

function answer(api, message) {
  unlinkSync(`${FOLDER}/${message}.knock`);
  const seen = look(api);
  if (seen.shut) put(`${message}.shut`, seen.shut);
  else put(`${message}.open`, seen.id);
}

async function take(api, message) {
  // Whoever renames it has it: the daemon may have withdrawn it meanwhile.
  renameSync(`${FOLDER}/${message}.note`, `${FOLDER}/${message}.taken`);
  const note = JSON.parse(readFileSync(`${FOLDER}/${message}.taken`, "utf8"));
  const seen = look(api);
  if (seen.shut || seen.id !== note.conversation) {
    put(`${message}.shut`, seen.shut ?? "another conversation is on the screen");
    return;
  }
  const prompt = { sessionID: seen.id, ...seen.like, parts: [{ type: "text", text: note.text }] };
  try {
    await api.client.session.promptAsync(prompt, { throwOnError: true });
  } catch (error) {
    put(`${message}.failed`, String(error?.name ?? "error"));
  }
}

// Nothing that goes wrong here may touch the screen.
function sweep(api) {
  let names = [];
  try {
    names = readdirSync(FOLDER);
  } catch {}
  for (const name of names) {
    const [message, kind] = name.split(".");
    try {
      if (message && kind === "knock") answer(api, message);
      else if (message && kind === "note") take(api, message).catch(() => {});
    } catch {}
  }
}

export default {
  id: "mosaic-hatch",
  tui: async (api) => {
    try {
      // An opencode that the agent itself starts inherits our environment: the first one has the hatch.
      writeFileSync(`${FOLDER}/ready`, "", { flag: "wx", mode: 0o600 });
    } catch {
      return;
    }
    const timer = setInterval(() => sweep(api), POLL_MILLISECONDS);
    api.lifecycle.onDispose(() => {
      clearInterval(timer);
      rmSync(`${FOLDER}/ready`, { force: true });
    });
  },
};
