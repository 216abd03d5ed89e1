"""Routes for sound: speech out, transcripts of what comes in."""
