"""A Bot API on loopback: it speaks the protocol to the real python-telegram-bot, and is strict."""
