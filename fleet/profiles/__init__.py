"""The profiles that ship: YAML files, read by ``fleet.profiles.library``."""
