"""The profiles that ship: YAML files, read by ``fleet.profile_library``."""
