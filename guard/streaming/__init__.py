"""The release path for what leaves while it is still being made: answers of many texts, and sound."""
