"""The supervisor's desk: live, reports, questions, reviews, alerts; their routes and what they run."""
