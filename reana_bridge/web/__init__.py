"""The ASGI app: webhook routes, REST API, pages and badges, private unless a project is public."""
