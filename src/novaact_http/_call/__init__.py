"""One call without I/O: arguments become a signed request, a response becomes a value or an error, with retries."""
