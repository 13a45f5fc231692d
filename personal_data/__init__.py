"""What in a text says who somebody is or how to reach them, and how to hide it; knows no other room."""
