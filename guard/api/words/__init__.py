"""Routes that answer in words: chats, completions and responses, whole or as they are written."""
