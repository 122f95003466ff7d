"""`python -m novaact_http` is the command `novaact-http`."""

from novaact_http.cli import main

main()
