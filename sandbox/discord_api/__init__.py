"""A Discord of two guilds on loopback: REST and gateway, as discord.py speaks to them."""
