"""Help with writing: canned replies, macros, variables, translations."""
