"""What is: places, network, quantities, units, flags, and the records handed on. Nouns; nothing here acts."""
