"""Small tools that know nothing about AWS or HTTP clients."""
