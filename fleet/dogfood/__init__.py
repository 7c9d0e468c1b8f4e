"""The dogfood runtime: a small real program in a real terminal that needs no model and no account.

``python -m fleet.dogfood``, told who it is by MOSAIC_HOME and MOSAIC_AGENT_NAME. It shows a prompt, writes
a heartbeat and its events, answers every message with its first line, and completes the cards that it is
given (spec 3-contracts, The dogfood runtime). Standard library only: it is up in a moment.

MOSAIC_DOGFOOD_SECONDS
    how long it takes for a message (default 0).
MOSAIC_DOGFOOD_WORK_SECONDS
    how long it works on a card (default 1).
MOSAIC_DOGFOOD_MISBEHAVE
    a drill with which it begins, such as ``dialog``; a line ``/dialog`` typed into it does the same.
MOSAIC_DOGFOOD_AT_WORK
    how it misbehaves at cards, such as ``die`` or ``die:3`` (see ``fleet.dogfood.habit``).
"""
