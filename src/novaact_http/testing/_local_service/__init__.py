"""A local HTTP server for Nova Act's ListSessions. It shares no code with the client that is tested against it."""
