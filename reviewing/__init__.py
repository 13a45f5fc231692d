"""Reviews: who looks at which conversations again, by which scorecard, and what came of it."""
