"""Discord, through discord.py: one bot in one server.

connector → gateway → client          the line on which Discord tells what happens
reader → history, events              what people say, in order, and what was missed
voice → lookback, posts, embeds       what we say, each once
card_threads                          threads of cards, in a text channel or a forum
face → touches/                       what is touched: slash commands, buttons, forms
api → failures                        calls in bounded time, and their errors in our words
survey, permissions                   what a token opens, for the set-up; needs no discord.py

Only the modules that need discord.py import it, since loading it takes long.
"""
