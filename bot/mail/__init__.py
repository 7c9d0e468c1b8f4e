"""The one mailbox and what moves through it: events in, messages out, receipts."""
