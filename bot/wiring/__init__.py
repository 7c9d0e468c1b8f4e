"""How the parts of the daemon are put together, one module a group of them; `bot.app` joins the groups."""
