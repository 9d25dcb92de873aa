"""GitHub as a forge: checks or statuses, comments, pull requests, people, hooks by its API; code by git."""
