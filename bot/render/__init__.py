"""How blocks look: as text, as HTML, as tables, on a phone and in a terminal."""
