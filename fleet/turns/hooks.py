"""Hooks of agent programs: a command that notes what a program says, and what its words mean (spec 6-runtimes).

Claude Code and Gemini CLI run a command at each event, with one JSON object on its standard input.
"""

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_PASTED = re.compile(r"\A\s*<pasted_content id=\"[^\"\n]*\">\n")
_NO_ANSWER = "[no response text]"
"""What Gemini CLI calls the answer of a turn that was cut short; why stands in its record alone."""

_MEANING = {
    "UserPromptSubmit": "submitted",
    "BeforeAgent": "submitted",
    "Stop": "turn_ended",
    "AfterAgent": "turn_ended",
    "StopFailure": "turn_failed",
}


def note_into(path: Path) -> str:
    """Return a shell command that adds its standard input to a file as one line.

    It says nothing and always ends well: a program takes a hook's word for a veto.
    """
    return f"{{ tr -d '\\r\\n'; echo; }} 2>/dev/null >> {shlex.quote(str(path))} || true"


def _unwrapped(prompt: str) -> str:
    """Return a prompt without the tags that Claude Code puts around a longer text that was pasted."""
    return _PASTED.sub("", prompt, count=1)


class HookLine(BaseModel):
    """What a hook was given.

    Gemini CLI repeats the prompt at its turn's end; Claude Code gives both the same ``turn``.
    """

    model_config = ConfigDict(extra="ignore")

    hook_event_name: Literal["UserPromptSubmit", "BeforeAgent", "Stop", "StopFailure", "AfterAgent"]
    session_id: str
    turn: str = Field(default="", alias="prompt_id")
    text: Annotated[str, AfterValidator(_unwrapped)] = Field(default="", alias="prompt")
    last_assistant_message: str = ""
    prompt_response: str = ""
    at: str = Field(default="", alias="timestamp")
    code: str = Field(default="", alias="error")
    error_details: str = ""
    record: str = Field(default="", alias="transcript_path")

    @property
    def event(self) -> str:
        """What it is for us: ``submitted``, ``turn_ended`` or ``turn_failed``."""
        if self.prompt_response == _NO_ANSWER:
            return "turn_failed"
        return _MEANING[self.hook_event_name]

    @property
    def detail(self) -> str:
        """What went wrong, in the program's words: what it showed says more than its details do."""
        return self.last_assistant_message or self.error_details

    @property
    def answer(self) -> str:
        """What the turn came to, empty at its beginning."""
        return self.last_assistant_message or self.prompt_response
