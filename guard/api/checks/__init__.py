"""Routes that judge what somebody else made or is about to send."""
