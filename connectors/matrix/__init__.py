"""Matrix, through matrix-nio, against any homeserver."""
