"""Matrix, through matrix-nio, against any homeserver (client-server API v1.11 and later).

connector → sync → gaps → events      what people say, in order, exactly as far as it can be known
connector → wire                      what we say
connector → media → attachments       files up and down, encrypted where the room is
rooms                                 where we may speak: membership and encryption
session → failures                    the only way to the homeserver, and its errors in our words
crypto/                               keys, devices and trust in encrypted rooms
homeserver/                           a real Synapse of our own, to try with
"""
