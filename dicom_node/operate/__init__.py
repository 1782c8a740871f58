"""What the people who run the node look at: health, one study, a check-up, a demonstration."""
