"""How the demonstration weights are made: phantoms in, a bundle with its measured scores out."""
