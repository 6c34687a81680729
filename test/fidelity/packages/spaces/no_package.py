"""In a namespace package."""

where = __package__
