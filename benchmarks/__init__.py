"""What is measured: speed, load and faults of the running desk."""
