"""Human raters: protocols, store, web application, accounts and the lead's desk, each a package of its own.

protocols → store → (accounts, desk) → web: a package imports from those before it.
"""
