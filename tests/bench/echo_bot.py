"""The baseline of bench-chat: the smallest bot that matrix-nio makes, answering each text with a notice."""

import asyncio
import sys

import nio


async def echo(url: str, user_id: str, device_id: str, token: str) -> None:
    """Answer every text in every room until killed."""
    client = nio.AsyncClient(url, user_id, device_id)
    client.access_token, client.user_id = token, user_id

    async def answer(room: nio.MatrixRoom, event: nio.RoomMessageText) -> None:
        if event.sender != user_id:
            content = {
                "msgtype": "m.notice",
                "body": event.body,
                "m.relates_to": {"m.in_reply_to": {"event_id": event.event_id}},
            }
            await client.room_send(room.room_id, "m.room.message", content)

    await client.sync(timeout=0, full_state=True)
    client.add_event_callback(answer, nio.RoomMessageText)
    print("listening", flush=True)
    await client.sync_forever(timeout=30_000)


if __name__ == "__main__":
    asyncio.run(echo(*sys.argv[1:5]))
