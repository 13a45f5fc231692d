"""The staff's side: sign-in, roles, the staff API, live updates and the console pages."""
