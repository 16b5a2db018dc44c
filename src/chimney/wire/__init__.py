"""What the roles say to each other and to the browser: msgspec structs only."""
