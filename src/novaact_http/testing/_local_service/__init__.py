"""Nova Act's ListSessions on this machine. It shares no code with the client that is tested against it."""
