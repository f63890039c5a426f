"""Many members at once: machine code from the graph of a network, a few members side by side in every instruction."""
