"""What all tests share; each plugin brings the fixtures of one real part."""

pytest_plugins = [
    "tests.fixtures_backlog",
    "tests.fixtures_fleet",
    "tests.fixtures_installation",
    "tests.fixtures_mailroom",
    "tests.fixtures_postgres",
    "tests.fixtures_supervision",
    "tests.fixtures_synapse",
]
