"""What all tests share; each plugin brings the fixtures of one real part."""

from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

pytest_plugins = [
    "tests.fixtures_backlog",
    "tests.fixtures_faults",
    "tests.fixtures_fleet",
    "tests.fixtures_installation",
    "tests.fixtures_mailroom",
    "tests.fixtures_postgres",
    "tests.fixtures_supervision",
    "tests.fixtures_synapse",
]
