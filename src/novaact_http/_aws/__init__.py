"""Settings, endpoints, profiles and credentials: where requests go, and what signs them."""
