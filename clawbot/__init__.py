"""The bot: hears and speaks, decides nothing."""
