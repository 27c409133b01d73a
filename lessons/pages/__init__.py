"""The course as static pages: what a run of the lessons leaves of their views, and the site made from it."""
