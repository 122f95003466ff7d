"""Small tools that know nothing of AWS or HTTP clients."""
