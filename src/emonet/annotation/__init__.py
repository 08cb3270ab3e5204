"""Human raters: protocols, store, web application, accounts and the lead's desk, each a package of its own.

protocols → store → (accounts, desk) → web: a package imports from those before it.
"""

from emonet.annotation._project import Made, ProjectFolder, init_project, read_project_folder

__all__ = ["Made", "ProjectFolder", "init_project", "read_project_folder"]
