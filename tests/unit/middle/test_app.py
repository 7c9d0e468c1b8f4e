"""The composition root: what it wires is what the generated table promises."""

from pathlib import Path

from bot.app import Daemon, Options
from bot.config.credentials import Credentials
from bot.config.places import Places
from bot.config.settings import load_settings
from bot.wiring.topics import TOPICS


async def test_the_daemon_has_exactly_the_topics_that_help_and_reference_are_made_from(
    tmp_path: Path,
) -> None:
    places = Places(tmp_path / "home")
    places.prepare()
    daemon = Daemon(places, {}, load_settings(places, {}), Credentials({}), Options())
    assert {type(topic) for topic in daemon.topics} == set(TOPICS)
