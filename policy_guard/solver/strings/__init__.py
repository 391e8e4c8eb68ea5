"""Sets of strings: patterns, automata over them, and the search for a string that lies in some and not in others."""
