"""System types: what a profile is and what it makes of a roster; those that ship are the YAML files beside."""
