"""The files beside the page: its manifest and its icons, by which it is installed and recognised.

They hold no data, so they are open like the page. Only these names are served, and nothing that
was asked for becomes a path. Called by the app.
"""

import re

from starlette.convertors import StringConvertor, register_url_convertor

PAGE_FILES = {
    "manifest.webmanifest": "application/manifest+json",
    "icon.svg": "image/svg+xml",
    "icon-attention.svg": "image/svg+xml",
    "icon-offline.svg": "image/svg+xml",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
    "icon-maskable-512.png": "image/png",
    "apple-touch-icon.png": "image/png",
}
"""Name → media type. Vite copies them out of dashboard_static/public."""


class PageFile(StringConvertor):
    """``{file:page_file}`` in a route: one of these names, so that any other is another route's."""

    regex = "|".join(map(re.escape, PAGE_FILES))


register_url_convertor("page_file", PageFile())
