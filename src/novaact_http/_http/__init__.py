"""The network: HTTP/1.1, connection pools for threads and for asyncio, TLS, and httpx where it is used."""
