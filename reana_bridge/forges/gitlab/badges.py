"""Our badge on a GitLab project's page."""

from collections.abc import Callable

from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Asked
from reana_bridge.model.projects import Project

_RIGHT = "the scope `api` and the Maintainer role"


class Badges:
    """Badges of the projects of one GitLab; a badge is known by its name."""

    def __init__(self, client: Client, id_of: Callable[[Project], str]) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of

    def install(self, project: Project, link: str, image: str, name: str) -> None:
        """Make the badge called `name` lead to `link` and show `image`; there is one of it afterwards."""
        wanted = {"link_url": link, "image_url": image, "name": name}
        there = self._named(project, name)
        for extra in there[1:]:
            self._remove(project, extra)
        if not there:
            asked = Asked(what=f"put a badge on {project}", right=_RIGHT, writes=True)
            self._client.post(self._path(project), asked, wanted)
        elif any(there[0].get(key) != value for key, value in wanted.items()):
            asked = Asked(what=f"change the badge of {project}", right=_RIGHT, writes=True, repeatable=True)
            self._client.put(f"{self._path(project)}/{there[0]['id']}", asked, wanted)

    def remove(self, project: Project, name: str) -> None:
        """Take the badges called `name` away; gone already is fine."""
        for badge in self._named(project, name):
            self._remove(project, badge)

    def _remove(self, project: Project, badge: Json) -> None:
        asked = Asked(what=f"remove a badge of {project}", right=_RIGHT, writes=True, repeatable=True)
        self._client.delete(f"{self._path(project)}/{badge['id']}", asked)

    def _named(self, project: Project, name: str) -> list[Json]:
        """The project's own badges (not its group's) with that name, oldest first."""
        asked = Asked(what=f"list the badges of {project}", right=_RIGHT)
        badges = [badge for page in self._client.pages(self._path(project), asked) for badge in page]
        own = [badge for badge in badges if badge.get("name") == name and badge.get("kind") != "group"]
        return sorted(
            (badge for badge in own if isinstance(badge.get("id"), int)), key=lambda each: each["id"]
        )

    def _path(self, project: Project) -> str:
        return f"{project_path(self._id_of(project))}/badges"
