"""Routes for pictures and videos."""
