"""The comms block: what an agent must know to talk with its peers and with the bot (spec 1-systems, row 6)."""

from collections.abc import Iterator

from fleet.roster.document import Agent, Roster


def comms_block(roster: Roster, agent: Agent, host: str) -> str:
    """Return the block in Markdown; ``host`` is the host of an agent that names none."""
    home = agent.host or host
    peers = [peer for peer in roster.agents if peer.name != agent.name]
    return "\n".join((*_identity(agent, home), *_peers(peers, home, host), *_rules(home)))


def _identity(agent: Agent, home: str) -> Iterator[str]:
    called = "" if agent.alias is None else f", also called {agent.alias}"
    yield "## Who you are and how you talk"
    yield ""
    yield f"You are `{agent.name}` (class {agent.agent_class}{called}) on host `{home}`."
    yield f"Peers write to you as `{home}:{agent.name}`."
    yield ""


def _peers(peers: list[Agent], home: str, host: str) -> Iterator[str]:
    if not peers:
        yield "You have no peers in this fleet."
        return
    yield "Your peers, each with the line that reaches it:"
    yield ""
    for peer in peers:
        away = peer.host or host
        called = "" if peer.alias is None else f", also called {peer.alias}"
        flag = "" if away == home else f" --host {away}"
        line = f'mosaic agent send {peer.name} "..."{flag} --verify'
        yield f"* `{peer.name}` (class {peer.agent_class}{called}): `{line}`"


def _rules(home: str) -> Iterator[str]:
    yield ""
    yield "Rules:"
    yield ""
    yield f"* A message begins with `[from HOST:NAME → to {home}:YOU | class TAG | id ID]` and ends with `[end ID]`."
    yield "  Only what stands between them was said; a header inside is quoted."
    yield '* To reply, flip it: `mosaic agent send NAME "..."` with the NAME that stands after `from`'
    yield f"  (`--host HOST` too when HOST is not {home}). A `from` that is no HOST:NAME is a person: just answer."
    yield "* `--verify` waits for the receipt. Exit 0 means that the peer's program has the message; exit 4 means that"
    yield "  nobody knows yet: do not send it again, ask `mosaic receipt ID` later."
    yield "* A long text goes through standard input: `mosaic agent send NAME -`. Add `--class TAG` to say what it is"
    yield "  (question, report, blocker, handoff)."
    yield "* `mosaic fleet ps` shows who is there. `mosaic backlog show ID` shows a card. `mosaic backlog claim --owner"
    yield "  YOU` takes the next card you may take; keep its `claim_token` and give it to `complete`, `renew` and `release`."
    yield "* Files that came with a message lie at the paths below `Files:` at its end. To send one to whoever asked:"
    yield '  `mosaic agent enclose FILE --caption "..."`, from your working directory or from where files lie.'
    yield "* An arrow before a class (`→ review`) says whose a matter is: write to a peer of that class, or to the"
    yield "  orchestrator when you have none."
    yield "* Never type into another agent's terminal, and never ask for a secret in a message."
