"""How good is a network, and how sure can one be of that? NumPy alone; importing this loads no framework."""
