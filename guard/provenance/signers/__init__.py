"""Where private keys are: files, tokens and the key services of clouds."""
