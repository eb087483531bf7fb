"""HTTP: one raw ASGI application, a module a channel. Knows no model and no SQL."""
