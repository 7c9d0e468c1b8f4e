"""What the driver's errors mean to the rest, decided once."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from bot.errors import SetupError, TransientError

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresIOError,
)
_REFUSED = (
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ReadOnlySQLTransactionError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into ours: away or busy is Transient, not let in is Setup, the rest is a bug.

    Constraint violations pass untouched: whoever runs a statement knows what its constraints mean. The
    messages never hold the address, since that may hold a password.
    """
    try:
        yield
    except _REFUSED as error:
        raise SetupError(
            f"the database refuses us: {_words(error)}",
            hint="check DATABASE_URL, and that its role may create tables there",
        ) from error
    except _AWAY as error:
        if isinstance(error, ValueError):  # asyncpg's word for an argument of the wrong type
            raise
        raise TransientError(f"the database is away: {_words(error)}") from error


def _words(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
