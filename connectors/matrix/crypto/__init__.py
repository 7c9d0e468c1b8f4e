"""End-to-end encryption of one device: Olm and Megolm, as nio's machine does them, driven by our own sync loop.

vault                 the folder with the keys: one owner, one device, one pickle key
machine               the device's keys and sessions; no requests, no rooms
upkeep → requests     keys uploaded, other devices' keys asked for, sessions begun, key requests answered
cipher → members      an event of ours for a room's devices, and theirs for us
shelf                 events whose key has not come yet
cross_signing         the device signed by keys of the account's own (identity)
exchange → sas        one verification as two devices talk; acquaintance: with whom, and what its end means (vouching)

Source: Matrix client-server API, "End-to-End Encryption"; spec 5-real-parts, "Matrix".
"""
