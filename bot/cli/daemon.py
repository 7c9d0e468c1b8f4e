"""The daemon as a process: one a home, with its settings read and its log open."""

import sys
from collections.abc import Mapping

import structlog

from bot.app import Daemon, Options
from bot.config.credentials import Credentials
from bot.config.logs import close_logs, configure_logs
from bot.config.places import Places
from bot.config.settings import load_settings, unknown_variables
from bot.lock import DaemonLock


async def run_daemon(places: Places, environ: Mapping[str, str], options: Options) -> int:
    """Run the daemon until SIGTERM, SIGINT or a stop over the API; return its exit status.

    Raises UserError when another daemon has the home (its pid is named), SetupError for settings that
    cannot be used. SIGINT stops the agents too, SIGTERM leaves them running.
    """
    places.prepare()
    lock = DaemonLock(places.lock_file)
    lock.acquire()
    try:
        settings = load_settings(places, environ)
        credentials = Credentials(environ, places.secrets_directory)
        terminal = sys.stderr if sys.stderr.isatty() else None
        configure_logs(places.log_file, settings.log.level, credentials.redact, terminal)
        for warning in unknown_variables(environ):
            structlog.get_logger(part="settings").warning(warning)
        await Daemon(places, environ, settings, credentials, options).run()
    finally:
        close_logs()
        places.tidy()
        lock.release()
    return 0
