"""The job that gives memory back: what was freed between other pieces leaves the process."""

import ctypes
from pathlib import Path

from bot.wiring.memory import memory_job

_PIECE, _PIECES = 60_000, 1_000
"""Below what the C library gets from the system piece by piece, 60 MB together."""


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_what_lies_free_between_other_pieces_is_given_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    pieces = [libc.malloc(_PIECE) for _ in range(_PIECES)]
    for piece in pieces:
        ctypes.memset(piece, 1, _PIECE)
    for piece in pieces[::2]:
        libc.free(piece)
    before = _resident()
    await memory_job().action()
    assert before - _resident() > _PIECE * _PIECES // 4
    for piece in pieces[1::2]:
        libc.free(piece)
