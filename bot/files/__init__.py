"""Files that go with messages: their bytes, what became of each that people sent, and the rules for them."""
