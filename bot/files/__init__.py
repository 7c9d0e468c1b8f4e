"""Files that go with messages: their bytes, their way in, and the rules they keep."""
