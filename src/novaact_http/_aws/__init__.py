"""Where requests go, and as whom: settings, endpoints, profiles, credentials."""
