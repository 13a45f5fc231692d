"""Optional: a language model phrases an answer from retrieved passages, and every sentence is checked against them."""
