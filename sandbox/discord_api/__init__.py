"""A Discord of one guild on loopback: REST and gateway, as discord.py speaks to them."""
