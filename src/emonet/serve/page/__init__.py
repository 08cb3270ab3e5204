"""The web page of `emonet serve`: what a person sees, with its scripts, styles and example media.

The page uses the server's public routes under /v1 and nothing else. `router` has the page at "/" and the examples;
`mount` adds them and the files under /static to an application.
"""

from emonet.serve.page._page import mount, router

__all__ = ["mount", "router"]
