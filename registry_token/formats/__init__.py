"""How the admin writes what differs by language: Django's formats, and ours in their place."""
