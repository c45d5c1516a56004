"""What a host is made of: registry entries, secrets, bundles; and the programs that unpack them."""
