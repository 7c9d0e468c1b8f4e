"""What Discord takes and shows; known before there is any line to it, and without its library."""

from bot.connector import Capabilities

LONGEST = 2000
"""Characters of one message."""

FILE_BYTES = 10 * 1024 * 1024
"""What bots may upload to a server that nobody pays for."""

CAPABILITIES = Capabilities(
    threads=True,
    html=False,
    reactions=True,
    edits=True,
    typing=True,
    max_bytes=LONGEST,
    choices=True,
    file_bytes=FILE_BYTES,
    markdown=True,
    card_threads=True,
    embeds=True,
    buttons=True,
)
