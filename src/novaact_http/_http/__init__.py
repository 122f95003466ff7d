"""The network: HTTP/1.1, connection pools for threads and for asyncio, TLS, and sending through httpx."""
