def demo() -> None: 
    """Demo."""
