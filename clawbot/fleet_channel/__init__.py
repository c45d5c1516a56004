"""What a bot says unasked: in the one channel of each platform that is told of the fleet."""
