"""A judgement of networks on paper: Markdown, pictures beside it, and JSON for programs."""
