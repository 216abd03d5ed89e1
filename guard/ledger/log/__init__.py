"""The transparency log: an RFC 6962 tree over the ledger's records, under checkpoints that its key signs."""
