"""How the daemon is put together, part by part: `bot.app` calls nothing else."""
