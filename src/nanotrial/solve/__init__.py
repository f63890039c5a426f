"""One run of a network, with exact events, balances and gradients. Knows no biology."""
