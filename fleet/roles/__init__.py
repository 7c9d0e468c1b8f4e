"""The contracts that ship, one Markdown file a class of agents (`fleet.personas.contracts` says their form)."""
