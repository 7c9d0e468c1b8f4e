"""The rival: a bot on matrix-nio's own ``sync_forever`` as its documentation builds one, with care.

It keeps its store and its position (``store_sync_tokens``), asks for messages only, none of its own, 100 of each
room instead of the server's 10, takes in what was said while it was away, and answers each text with a notice.
It is a process of its own, started again by whoever runs it.
"""

import asyncio
import sys

import nio


def filter_for(user_id: str) -> dict[str, object]:
    """Return what it wants to hear of."""
    types = ["m.room.message", "m.room.encrypted"]
    timeline = {"limit": 100, "types": types, "not_senders": [user_id]}
    return {"room": {"timeline": timeline, "ephemeral": {"types": []}}, "presence": {"types": []}}


async def answer_all(url: str, user_id: str, device_id: str, token: str, store: str) -> None:
    """Answer every text in every room until killed."""
    config = nio.AsyncClientConfig(store_sync_tokens=True)
    client = nio.AsyncClient(url, user_id, device_id, store, config)
    client.restore_login(user_id, device_id, token)

    async def answer(room: nio.MatrixRoom, event: nio.RoomMessageText) -> None:
        if event.sender != user_id:
            content = {
                "msgtype": "m.notice",
                "body": event.body,
                "m.relates_to": {"m.in_reply_to": {"event_id": event.event_id}},
            }
            await client.room_send(
                room.room_id, "m.room.message", content, ignore_unverified_devices=True
            )

    wanted = filter_for(user_id)
    if not client.loaded_sync_token:
        await client.sync(timeout=0, full_state=True, sync_filter=wanted)
    client.add_event_callback(answer, nio.RoomMessageText)
    print("listening", flush=True)
    await client.sync_forever(timeout=30_000, full_state=True, sync_filter=wanted)


if __name__ == "__main__":
    asyncio.run(answer_all(*sys.argv[1:6]))
