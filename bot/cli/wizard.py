"""``mosaic fleet init`` as people meet it: questions in a terminal, a preview, one yes; or flags and no question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.cli.beginning import (
    DEMO,
    DOGFOOD,
    Beginning,
    make_beginning,
    models_of,
    write_beginning,
)
from bot.cli.talk import Talk
from bot.cli.wishes import CONNECTORS, Answers, flag_of, keys_of, read_answers, read_operators
from bot.config.places import Places
from bot.errors import UsageError, UserError
from bot.render.terminal import show
from bot.reply import Block, Code, Text
from commands.profiles import ChartForm, preview_blocks
from fleet.profiles.library import profiles


def begin(
    places: Places, words: Sequence[str], environ: Mapping[str, str], talk: Talk | None
) -> tuple[dict[str, Any], tuple[Block, ...]]:
    """Write a fleet to begin with; return its data and what people are told of it.

    With ``talk`` a person is asked for what the words do not say, sees what would be written, and says yes.
    UserError ``declined`` when not.
    """
    answers = read_answers(words)
    if talk is not None:
        answers = _asked(places, answers, environ, talk)
    beginning = make_beginning(places, answers, environ)
    shown = _blocks(beginning)
    if answers.dry_run:
        return {"roster_text": beginning.roster, "agents": list(beginning.agents)}, shown
    if talk is not None:
        show(shown, talk.paper)
        if not talk.agrees("\nWrite it?"):
            raise UserError("nothing was done", code="declined")
    written = write_beginning(places, beginning)
    said = [f"Written: {written['roster']}", *beginning.notes]
    return written, (Text("\n".join([*said, "Next: mosaic up, then mosaic fleet ps"])),)


def _asked(places: Places, answers: Answers, environ: Mapping[str, str], talk: Talk) -> Answers:
    talk.paper.write("A fleet to begin with. Enter takes what stands in brackets; Ctrl-C leaves.\n")
    if places.roster_file.exists() and not {"--add", "--force"} & answers.said:
        keep = talk.agrees("There is a roster. Keep everybody and add what is missing?")
        answers = replace(answers, add=keep, force=not keep)
    if "--profile" not in answers.said:
        answers = replace(answers, profile=_ask_profile(places, answers, talk))
    if "--runtime" not in answers.said and answers.profile != DEMO:
        answers = replace(answers, runtime=_ask_runtime(places, environ, talk))
    if not answers.add:
        answers = _ask_place(answers, talk)
    if "--operators" not in answers.said:
        said = talk.ask(
            "\nWho else may run everything (matrix:@ann:example.org, …; empty: only you, here)?",
            "",
            lambda text: ",".join(read_operators(text)),
        )
        answers = replace(answers, operators=read_operators(said))
    return answers


def _ask_profile(places: Places, answers: Answers, talk: Talk) -> str:
    demo = [] if answers.add else [(DEMO, "two small agents that need no account, to try it")]
    options = demo + [(one.id, one.title) for one in profiles(places)]
    return talk.choose("What do you want to run?", options, options[0][0])


def _ask_runtime(places: Places, environ: Mapping[str, str], talk: Talk) -> str | None:
    models = models_of(places, environ)
    if models.said:
        return None  # the settings say it
    options = [(one, "installed") for one in models.installed()]
    options.append((DOGFOOD, "ships with us, needs no account, answers without thinking"))
    return talk.choose("Which agent program?", options, options[0][0])


def _ask_place(answers: Answers, talk: Talk) -> Answers:
    if "--connector" not in answers.said:
        meanings = ("this machine, no account", "a room on any homeserver", "a channel")
        kind = talk.choose(
            "Where do you talk to it?", list(zip(CONNECTORS, meanings, strict=True)), "tmux"
        )
        answers = replace(answers, connector=kind)
    keys = dict(answers.connector_keys)
    for key in keys_of(answers.connector or "tmux"):
        if flag_of(key) not in answers.said:
            said = talk.ask(f"{key} (empty: later, by hand)?", "", str)
            keys |= {key: said} if said else {}
    answers = replace(answers, connector_keys=keys)
    if "--working-directory" not in answers.said:
        directory = talk.ask("\nIn which directory do agents work?", "~", _directory)
        answers = replace(answers, working_directory=directory)
    return answers


def _directory(said: str) -> str:
    if not Path(said).expanduser().is_dir():
        raise UsageError(f"{said} is not a directory")
    return said


def _blocks(beginning: Beginning) -> tuple[Block, ...]:
    if beginning.provision is not None:
        shown = preview_blocks(beginning.provision, ChartForm.TREE)
    else:
        shown = (Text("The roster would be:"), Code(beginning.roster, "yaml"))
    if beginning.settings is not None:
        shown += (Text("mosaic.toml would be:"), Code(beginning.settings, "toml"))
    return (*shown, *map(Text, beginning.notes))
