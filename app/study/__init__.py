"""Studies: what people are shown while their faces are recorded, and the table of them all."""
