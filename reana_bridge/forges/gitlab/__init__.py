"""GitLab as a forge: statuses, notes, merge requests, people, hooks and badges by its API; code by git."""
