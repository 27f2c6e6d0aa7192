"""What the server of the pages answers. Without the token, or for a foreign ``Host``, every answer is no."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jupyter_server.base.handlers import JupyterHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from voila.static_file_handler import MultiStaticFileHandler

from luma_studio.metrics import CONTENT_TYPE, metrics
from luma_studio.server.assets import Bundle
from luma_studio.server.pages import Pages
from luma_studio.studio import Studio

# Nothing is loaded from elsewhere. Widgets come as blobs, and JupyterLab's settings compile their schemas.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'; base-uri 'none'"

_TITLES = {
    403: "This address does not open the studio",
    404: "There is no such page",
    503: "The studio is full",
}
_SENTENCES = {
    403: "Open the whole address that the studio printed when it was started; a new start has a new one.",
    404: "Go to one of these, or to the studio's first page.",
}


class Answer(JupyterHandler):
    """What our answers have in common: no is said in a sentence."""

    def get_login_url(self) -> str:
        """There is no page to log in at: the token is in the address."""
        raise HTTPError(403)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say in a page what is wrong and what to do."""
        error = kwargs.get("exc_info", (None, None))[1]
        told = error.log_message if isinstance(error, HTTPError) else None
        page = self.settings["voila_jinja2_env"].get_template("message.html")
        folder: Path = self.settings["luma_folder"]
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            page.render(
                title=_TITLES.get(status_code, "The studio could not open this page"),
                sentence=told
                or _SENTENCES.get(status_code, "Reload the page; if it comes again, start the studio anew."),
                way_back=status_code != 403,
                pages=sorted(path.name for path in folder.glob("*.ipynb")) if status_code == 404 else (),
            )
        )


class Home(Answer):
    """The first page, or that of a notebook by its name. The token goes from the address into a cookie."""

    def initialize(self, first: str) -> None:
        """Take the first page's notebook."""
        self._first = first

    def get(self, notebook: str | None = None) -> None:
        """Go there, with all of the query but the token."""
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments if name != "token"}
        page = quote(notebook or self._first)
        self.redirect(f"/voila/render/{page}" + (f"?{urlencode(query)}" if query else ""))


class PageHandler(Answer):
    """A notebook as a page."""

    def initialize(self, pages: Pages) -> None:
        """Take the pages."""
        self._pages = pages

    async def get(self, notebook: str) -> None:
        """Show a page, piece by piece while it is rendered."""
        folder = self._pages.folder
        path = (folder / notebook).resolve()
        if path.suffix != ".ipynb" or not path.is_relative_to(folder) or not path.is_file():
            raise HTTPError(404)
        page = await self._pages.show(path.relative_to(folder).as_posix())
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.xsrf_token  # noqa: B018 - sets the cookie with which the page says farewell
        try:
            async for html in page.pieces():
                if page.failed and not html:
                    raise HTTPError(500, page.failed)
                self.write(html)
                await self.flush()
        except StreamClosedError:
            return  # nobody waits for it any more; its kernel is ended like that of any page that is left


class LeaveHandler(Answer):
    """A page about to be left: its place may be needed for the page that comes instead, be it itself again."""

    def initialize(self, pages: Pages) -> None:
        """Take the pages."""
        self._pages = pages

    def post(self, kernel_id: str) -> None:
        """Take note."""
        self._pages.leave(kernel_id)
        self.set_status(204)


class MetricsHandler(Answer):
    """Counts and times for Prometheus, which shows the token as ``Authorization: token …``."""

    async def get(self) -> None:
        """Read them."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.finish(await asyncio.to_thread(_metrics))


def _metrics() -> str:
    with Studio() as studio:
        return metrics(studio)


class AssetHandler(Answer, MultiStaticFileHandler):  # type: ignore[misc] # voila is not typed
    """Files of Voilà's front end and of its extensions."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers ask whether a file is still the same: another Voilà has others of the same names."""
        if "v" not in self.request.arguments:
            self.set_header("Cache-Control", "no-cache")


class BundleHandler(Answer):
    """The front end's chunks, all at once; its address changes when it does."""

    def initialize(self, bundle: Bundle) -> None:
        """Take the bundle."""
        self._bundle = bundle

    def get(self) -> None:
        """Send it, to be kept."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(self._bundle.script)

    def compute_etag(self) -> None:
        """None: the address is enough."""


class Missing(Answer):
    """Any other address."""

    def get(self) -> None:
        """There is nothing."""
        raise HTTPError(404)
