"""What the HTTP interfaces accept and answer, as OpenAPI descriptions made from the code itself."""
